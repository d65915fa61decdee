export * from './hooks.js';
export { type BufferOptions, type ForwardHook, type ForwardPreHook, Module } from './module.js';
export * from './parameter.js';
export type { LoadResult, StateDict } from './state-dict.js';
