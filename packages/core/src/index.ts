import './disposable.js';

export { checking, takes } from './arguments.js';
export { meant } from './arguments-refusal.js';
export * from './backend.js';
export * from './deterministic.js';
export * from './device.js';
export * from './device-queries.js';
export * from './dtype.js';
export * from './elementwise.js';
export * from './errors.js';
export * from './execute.js';
export * from './expr.js';
export { belongsTo, partName, removeAbandonedParts } from './files/part-file.js';
export { openWholeFile, type WholeFile, type WriteFault } from './files/whole-file.js';
export * from './format/index.js';
export * from './grad-mode.js';
export * from './half.js';
export * from './host-step.js';
export { InterpreterBackend } from './interpreter/interpreter-backend.js';
export { mapViews } from './interpreter/linalg/index.js';
export * as specialFunctions from './interpreter/special.js';
export * from './keep.js';
export * from './memory.js';
export * from './methods.js';
export {
  changeMode,
  enterMode,
  gradMode,
  leaveMode,
  type Mode,
  type ModeGuard,
  runInMode,
} from './mode-scope.js';
export { integerTwins, movesAsIntegers } from './moves.js';
export * from './op.js';
export * from './ops/index.js';
export type { Out, OutOptions } from './out.js';
export * from './platform.js';
export * from './primitive.js';
export {
  defaultGenerator,
  Generator,
  type GeneratorOptions,
  getRngState,
  initialSeed,
  manualSeed,
  seed,
  setRngState,
} from './random/index.js';
export * from './read.js';
export { once, undoable, whenDone } from './replay.js';
export * from './scalar.js';
export * from './scope.js';
export * from './shape.js';
export * from './storage.js';
export * from './tensor.js';
export { type FusedMap, runFused, traceElementwise } from './trace.js';
