export * from './binary.js';
export * from './copy.js';
export * from './define.js';
export * from './ternary.js';
export * from './unary.js';
export * from './view.js';
