export type { Callable, Code, Label, MemoryLimits, ValueType } from './wasm/assembler.js';
export { ModuleBuilder } from './wasm/assembler.js';
export * as opcodes from './wasm/opcodes.js';
