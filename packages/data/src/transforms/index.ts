/** Transforms of image tensors [..., C, H, W], as torchvision's: the same numbers and the same draws for the same seed. */
export * from './deterministic.js';
export type {
  Fill,
  Interpolation,
  Padding,
  PadMode,
  PadOptions,
  Pixels,
  ResizeOptions,
  RotateOptions,
} from './functional.js';
export * as functional from './functional.js';
export * from './random.js';
export * from './random-color.js';
export { type RandomTransformOptions, type Size, Transform } from './transform.js';
