/** Operations that read or write chosen elements; all take the tensor first. */
export * from './advanced-index.js';
export * from './gather.js';
export * from './index-update.js';
export * from './indexing.js';
export * from './masked-scatter.js';
export * from './nonzero.js';
export * from './scatter.js';
export * from './view-scatter.js';
