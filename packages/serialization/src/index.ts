export type { CheckpointInfo } from './checkpoint/checkpoint-folder.js';
export {
  CheckpointManager,
  type CheckpointManagerOptions,
  type CheckpointOptions,
  type Restored,
} from './checkpoint/checkpoint-manager.js';
export type { CheckpointParts } from './checkpoint/parts.js';
export {
  type ClassOptions,
  type ClassReader,
  isStateful,
  type ModuleClassOptions,
  registerClass,
  type SavedObject,
  type Stateful,
} from './classes.js';
export { FileError } from './errors.js';
export type { Progress, TransferOptions } from './io/progress.js';
export type { FileTarget, WritableFileHandleLike } from './io/sink.js';
export type { FileHandleLike, FileSource, FileSystemHandleLike } from './io/source.js';
export { load, type StateDict } from './load.js';
export type { MapLocation } from './location.js';
export { openTensors, type TensorDescription, TensorFile } from './open-tensors.js';
export type { FileFormat, LoadOptions } from './options.js';
export { type ParameterClass, setParameterClass } from './parameter.js';
export { addPrefix, type StateLike, stripPrefix, withPrefix } from './prefix.js';
export { type SaveOptions, type SerializeOptions, save, saveAsync, serialize } from './save.js';
export { ModuleState, type SavedModule } from './torch/module-state.js';
export { Tuple, TupleMap } from './torch/tuple.js';
