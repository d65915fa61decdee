export * from './collate.js';
export * from './data-loader.js';
export {
  ConcatDataset,
  Dataset,
  type DatasetLike,
  randomSplit,
  Subset,
  TensorDataset,
  type TensorSample,
} from './dataset.js';
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
