export { type Collated, type Converted, defaultCollate, defaultConvert } from './collate.js';
export { ConcatDataset, Dataset, type DatasetLike, type DatasetShape } from './dataset.js';
export { DistributedSampler, type DistributedSamplerOptions } from './distributed-sampler.js';
export { ChainDataset, IterableDataset } from './iterable-dataset.js';
export * from './loader/data-loader.js';
export {
  type DatasetPlace,
  type DefineDatasetOptions,
  defineDataset,
} from './loader/define-dataset.js';
export type { DataLoaderState, Stateful } from './loader/loader-state.js';
export type { DataLoaderOptions } from './loader/options.js';
export type { NodeWorkerOptions } from './loader/thread.js';
export { DataWorkerError } from './loader/worker-error.js';
export { getWorkerInfo, type WorkerInfo } from './loader/worker-info.js';
export { lengthsOf, type PadCollateOptions, padCollate } from './pad-collate.js';
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  type SamplerOptions,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './sampler.js';
export {
  type ByteSource,
  type CacheOptions,
  cachedSource,
  type OpenOptions,
  openSource,
  type SourceLike,
} from './sources/byte-source.js';
export { type Cifar, readCifar10, readCifar100 } from './sources/cifar.js';
export {
  type ColumnType,
  type CsvOptions,
  type CsvRow,
  CsvTable,
  csvRows,
  readCsv,
} from './sources/csv.js';
export { type DecodeImageOptions, decodeImage } from './sources/decode-image.js';
export { readIdx } from './sources/idx.js';
export { type ImageEntry, ImageFolder, type ImageFolderOptions } from './sources/image-folder.js';
export { JsonLinesDataset, jsonLines, type LinesOptions, readLines } from './sources/lines.js';
export { RecordDataset, type RecordOptions } from './sources/record-dataset.js';
export {
  TokenDataset,
  type TokenFormat,
  type TokenizeOptions,
  type TokenizerLike,
  type TokenOptions,
  tokenBytes,
  tokenize,
  writeTokens,
} from './sources/tokens.js';
export { randomSplit, type Stackable, StackDataset, type Stacked, Subset } from './subset.js';
export { TensorDataset, type TensorSample } from './tensor-dataset.js';
export * as transforms from './transforms/index.js';
