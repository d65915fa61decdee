import './install.js';

export * from './backward.js';
export type { Derivative, Derivatives, Formula } from './derivatives/formula.js';
export { derivatives } from './derivatives/index.js';
export * from './function.js';
export * from './gradcheck.js';
export * from './modes.js';
