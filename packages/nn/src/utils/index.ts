export * from './clip-grad.js';
export { parametersToVector, vectorToParameters } from './parameters.js';
export * as parametrizations from './parametrizations.js';
export * as parametrize from './parametrize.js';
export type { SpectralNormOptions } from './power-method.js';
export * as rnn from './rnn.js';
export { removeSpectralNorm, spectralNorm } from './spectral-norm.js';
export * from './weight-norm.js';
