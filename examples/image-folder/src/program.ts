// What tests bundle.
export { init } from 'sconce';
export { drawFolder } from './draw.js';
export { trainFolder } from './train.js';
