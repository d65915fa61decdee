import {
  type FileSource,
  load,
  nn,
  noGrad,
  optim,
  type StateDict,
  stripPrefix,
  type Tensor,
} from 'sconce';
import { Net } from './model.js';

/** What make_checkpoint.py saved. */
interface Checkpoint {
  step: number;
  model: StateDict;
  optimizer: optim.OptimizerStateDict;
  scheduler: optim.SchedulerStateDict;
  sample: { images: Tensor; labels: Tensor; predicted: Tensor };
  next: { images: Tensor; labels: Tensor; loss: number; predicted: Tensor };
}

/** PyTorch's numbers and ours. */
export interface Comparison {
  readonly step: number;
  /** Scores before the next step of training, [9, 3]; after it; and its loss. */
  readonly before: readonly [pytorch: Tensor, sconce: Tensor];
  readonly after: readonly [pytorch: Tensor, sconce: Tensor];
  readonly loss: readonly [pytorch: number, sconce: number];
  readonly lr: number;
  readonly labels: Tensor;
}

/** Loads the checkpoint, predicts, trains one step, and predicts again. */
export async function compare(file: FileSource): Promise<Comparison> {
  const checkpoint = await load<Checkpoint>(file, { mapLocation: 'cpu' });
  const model = new Net();
  // DataParallel calls `features.0.weight` what here is: `module.features.0.weight`.
  model.loadStateDict(stripPrefix(checkpoint.model));
  const optimizer = new optim.Adam(model.parameters());
  optimizer.loadStateDict(checkpoint.optimizer);
  const scheduler = new optim.StepLR(optimizer, 20);
  scheduler.loadStateDict(checkpoint.scheduler);

  const { sample, next } = checkpoint;
  const predict = (): Tensor => noGrad(() => model.eval()(sample.images));
  const before = predict();
  model.train();
  const loss = nn.functional.crossEntropy(model(next.images), next.labels);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return {
    step: checkpoint.step,
    before: [sample.predicted, before],
    after: [next.predicted, predict()],
    loss: [next.loss, await loss.item()],
    lr: optimizer.paramGroups[0]?.lr as number,
    labels: sample.labels,
  };
}

/** The largest difference between two tensors. */
export const largestDifference = ([a, b]: readonly [Tensor, Tensor]): Promise<number> =>
  a.sub(b).abs().max().item();
