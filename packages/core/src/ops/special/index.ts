/** The functions of `torch.special`, by PyTorch's names in camelCase. */

export { i1 } from '../bessel.js';
export { xlogy } from '../binary.js';
export { polygamma } from '../polygamma.js';
export { logsumexp } from '../reduce.js';
export { logSoftmax, softmax } from '../softmax.js';
export {
  digamma,
  digamma as psi,
  erf,
  erfc,
  erfinv,
  exp2,
  expm1,
  lgamma as gammaln,
  log1p,
  sigmoid as expit,
  sinc,
} from '../unary.js';
export { i0, logit, round } from '../values.js';
export * from './airy.js';
export * from './bessel-modified.js';
export * from './bessel-ordinary.js';
export * from './chebyshev-polynomials.js';
export * from './entropy.js';
export { igamma as gammainc, igammac as gammaincc } from './incomplete-gamma.js';
export { mvlgamma as multigammaln } from './multivariate-gamma.js';
export * from './normal.js';
export * from './orthogonal-polynomials.js';
export { zeta } from './zeta.js';
