export { load, type StateDict } from './load.js';
export type { LoadOptions, FileFormat } from './options.js';
