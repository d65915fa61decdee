/**
 * The operators that rows alone make, each with its method and its in-place form. The umbrella package exports this
 * module whole, so that a new row is there for users as it stands.
 */
export * from './ops/binary.js';
export * from './ops/unary.js';
