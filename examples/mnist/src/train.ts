import { type Device, data, nn, noGrad, optim, type Tensor } from 'sconce';
import type { Digits } from './dataset.js';

/** What is known after each batch. */
export interface Progress {
  epoch: number;
  epochs: number;
  /** Images seen in this epoch, of `total`. */
  seen: number;
  total: number;
  /** Batches done in all epochs, of `steps`. */
  step: number;
  steps: number;
  /** Loss of the last batch. */
  loss: number;
  imagesPerSecond: number;
  /** Seconds until the end of training. */
  left: number;
}

/** What is known after each epoch. */
export interface EpochResult {
  epoch: number;
  loss: number;
  accuracy: number;
  /** The digit predicted for each test image. */
  predictions: number[];
}

export interface TrainOptions {
  epochs: number;
  batchSize: number;
  lr: number;
  device: Device;
  /** Ends training after the batch under way. */
  signal?: AbortSignal;
  onBatch?(progress: Progress): void;
  onEpoch?(result: EpochResult): void;
}

/** Trains a classifier, and returns the loss of every tenth batch and the results of the epochs that ended. */
export async function train(
  model: nn.Module,
  digits: { train: Digits; test: Digits },
  options: TrainOptions,
): Promise<{ losses: number[]; epochs: EpochResult[] }> {
  const { epochs, batchSize, device } = options;
  const { images, labels } = digits.train;
  const loader = new data.DataLoader(new data.TensorDataset(images, labels), {
    batchSize,
    shuffle: true,
  });
  const optimizer = new optim.Adam(model.parameters(), { lr: options.lr });
  const steps = epochs * loader.length;
  const scheduler = new optim.CosineAnnealingLR(optimizer, steps);
  const criterion = new nn.CrossEntropyLoss();
  const total = images.size(0);
  const losses: number[] = [];
  const results: EpochResult[] = [];
  const started = performance.now();
  let step = 0;

  for (let epoch = 1; epoch <= epochs; epoch++) {
    model.train();
    let seen = 0;
    for await (const [x, y] of loader) {
      if (options.signal?.aborted) return { losses, epochs: results };
      optimizer.zeroGrad();
      const loss = criterion(model(x.to(device)), y.to(device));
      loss.backward();
      optimizer.step();
      scheduler.step();
      step++;
      seen += x.size(0);
      // Reading a loss waits for the device, so not every one is read.
      if (step % 10 === 0 || step === steps) {
        losses.push(await loss.item());
        const seconds = (performance.now() - started) / 1000;
        options.onBatch?.({
          epoch,
          epochs,
          seen,
          total,
          step,
          steps,
          loss: losses.at(-1) as number,
          imagesPerSecond: (step * batchSize) / seconds,
          left: (seconds / step) * (steps - step),
        });
      }
    }
    const result = { epoch, ...(await evaluate(model, digits.test, device)) };
    results.push(result);
    options.onEpoch?.(result);
  }
  return { losses, epochs: results };
}

/** Accuracy, mean loss and the predicted digits on a test set. */
export async function evaluate(
  model: nn.Module,
  { images, labels }: Digits,
  device: Device,
): Promise<Omit<EpochResult, 'epoch'>> {
  model.eval();
  const loader = new data.DataLoader(new data.TensorDataset(images, labels), { batchSize: 250 });
  const predictions: number[] = [];
  let loss = 0;
  let right = 0;
  for await (const [x, y] of loader) {
    const [guess, batchLoss] = noGrad((): [Tensor, Tensor] => {
      const scores = model(x.to(device)) as Tensor;
      return [
        scores.argmax(1),
        nn.functional.crossEntropy(scores, y.to(device), { reduction: 'sum' }),
      ];
    });
    const guessed = (await guess.toArray()) as number[];
    const wanted = (await y.toArray()) as number[];
    right += guessed.filter((g, i) => g === wanted[i]).length;
    predictions.push(...guessed);
    loss += await batchLoss.item();
  }
  return { accuracy: right / images.size(0), loss: loss / images.size(0), predictions };
}
