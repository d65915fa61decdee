export * from './activation.js';
export * from './aliases.js';
export * from './arranging.js';
export * from './attention.js';
export * from './avg-pool.js';
export * from './bessel.js';
export * from './bilinear.js';
export * from './binary.js';
export * from './closeness.js';
export * from './conv.js';
export * from './copy.js';
export * from './covariance.js';
export * from './create.js';
export * from './create-like.js';
export * from './ctc-loss.js';
export * from './define.js';
export * from './distance.js';
export * from './dropout.js';
export * from './einsum.js';
export * from './embedding.js';
export * from './embedding-bag.js';
export * from './float-bits.js';
export * from './float-power.js';
export * from './fractional-pool.js';
export * from './gradient.js';
export * from './grid.js';
export * from './grid-sample.js';
export * from './group-norm.js';
export type { HistogramOptions } from './histogram-edges.js';
export * from './histogramdd.js';
export * from './im2col.js';
export * from './index-range.js';
export * from './integers.js';
export * from './interpolate.js';
export * from './isin.js';
export * from './join.js';
export {
  choleskyInverse,
  choleskyOf as cholesky,
  choleskySolve,
} from './linalg/cholesky.js';
export { det, logdet, slogdet } from './linalg/det.js';
export { type SymeigOptions, symeig } from './linalg/eigh.js';
export * as linalg from './linalg/index.js';
export {
  type LuUnpackOptions,
  luOf as lu,
  luSolveOfRight as luSolve,
  luUnpack,
} from './linalg/lu.js';
export { matrixExp } from './linalg/matrix-exp.js';
export { pinverse } from './linalg/pinv.js';
export { crossOfFirst as cross, matrixPower } from './linalg/products.js';
export { geqrf, type OrmqrOptions, orgqr, ormqr, qrOf as qr } from './linalg/qr.js';
export { inverse, type TriangularSolveOptions, triangularSolve } from './linalg/solve.js';
export { type SvdOptions, svdOf as svd } from './linalg/svd.js';
export { vanderOfVector as vander } from './linalg/vander.js';
export * from './linear.js';
export * from './loss.js';
export * as masked from './masked/index.js';
export * from './matmul.js';
export * from './max.js';
export * from './max-pool.js';
export * from './median.js';
export { type Named, named } from './named.js';
export * from './nll-loss.js';
export * from './norm.js';
export * from './normalize.js';
export * from './pad.js';
export * from './pair.js';
export * from './pixel.js';
export * from './polygamma.js';
export * from './pool-windows.js';
export * from './random.js';
export * from './random-fill.js';
export * from './random-inplace.js';
export * from './reduce.js';
export * from './reduction.js';
export * from './renorm.js';
export { resize_, resizeAs_ } from './resize.js';
export * from './scatter-reduction.js';
export * from './search-sorted.js';
export * from './segment-reduce.js';
export * from './selecting.js';
export * from './softmax.js';
export { igamma, igammac } from './special/incomplete-gamma.js';
export * as special from './special/index.js';
export { mvlgamma } from './special/multivariate-gamma.js';
export * from './target.js';
export * from './ternary.js';
export * from './triangle-indices.js';
export * from './unary.js';
export * from './unique.js';
export * from './unpool.js';
export * from './update.js';
export * from './upsample.js';
export * from './values.js';
export * from './view.js';
