export * as init from '@sconce/init';
export { copyModule } from './copy.js';
export * as functional from './functional/index.js';
export * from './hooks.js';
export { type BufferOptions, type ForwardHook, type ForwardPreHook, Module } from './module.js';
export * from './modules/activation.js';
export * from './modules/adaptive-softmax.js';
export * from './modules/attention.js';
export * from './modules/container.js';
export * from './modules/conv.js';
export * from './modules/dropout.js';
export * from './modules/embedding.js';
export * from './modules/fractional-pooling.js';
export * from './modules/linear.js';
export * from './modules/loss.js';
export * from './modules/norm.js';
export * from './modules/parameter-container.js';
export * from './modules/pooling.js';
export * from './modules/recurrent.js';
export type { RecurrentOptions } from './modules/recurrent-base.js';
export {
  GRUCell,
  LSTMCell,
  type RecurrentNonlinearity,
  RNNCell,
  type RNNCellOptions,
} from './modules/recurrent-cell.js';
export * from './modules/resampling.js';
export * from './modules/shape.js';
export * from './modules/shaped-activation.js';
export * from './modules/transformer.js';
export * from './modules/transformer-layer.js';
export * from './parameter.js';
export type { Members } from './registry.js';
export type {
  LoadContext,
  LoadResult,
  LoadStateDictPreHook,
  ModuleMetadata,
  StateDict,
} from './state-dict.js';
export * as utils from './utils/index.js';
