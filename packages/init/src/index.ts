export * from './fans.js';
export * from './orthogonal.js';
export * from './scaled.js';
export * from './simple.js';
