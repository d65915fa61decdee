export { lowerConv } from './conv.js';
export { mostPositions, positionsOf, runInPieces } from './pieces.js';
export type { Callable, Code, Label, MemoryLimits, ValueType } from './wasm/assembler.js';
export { ModuleBuilder } from './wasm/assembler.js';
export { mathImports } from './wasm/math-imports.js';
export * as opcodes from './wasm/opcodes.js';
export type { WasmKernel, WasmPhase, WasmPlan } from './wasm/plan.js';
export { packArguments, planWasm, renderWasm } from './wasm/plan.js';
export type { RenderOptions } from './wasm/render.js';
export {
  narrowInt64,
  planWgsl,
  Temporary,
  type WgslCopy,
  type WgslDispatch,
  type WgslKernel,
  type WgslLimits,
  type WgslStep,
} from './wgsl/index.js';
