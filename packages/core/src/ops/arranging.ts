/** Operations that lay elements out anew, split, order, count or accumulate them; all take the tensor first. */
export * from './diagonals.js';
export * from './histogram.js';
export * from './mode.js';
export * from './quantile.js';
export * from './rearrange.js';
export * from './scan.js';
export { argsort, kthvalue, msort, sort, topk } from './sort.js';
export * from './split.js';
