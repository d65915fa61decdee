/** What of linear algebra is a method too, under PyTorch's names at the top level. */
export { choleskyInverse, choleskyOf as cholesky, choleskySolve } from './cholesky.js';
export { det, logdet, slogdet } from './det.js';
export { symeig } from './eigh.js';
export { luOf as lu, luSolveOfRight as luSolve } from './lu.js';
export { matrixExp } from './matrix-exp.js';
export { pinverse } from './pinv.js';
export { crossOfFirst as cross, matrixPower } from './products.js';
export { geqrf, orgqr, ormqr, qrOf as qr } from './qr.js';
export { inverse, triangularSolve } from './solve.js';
export { svdOf as svd } from './svd.js';
