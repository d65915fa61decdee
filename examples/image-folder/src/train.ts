import { type Device, data, manualSeed, nn, noGrad, optim } from 'sconce';
import { SmallNet } from './model.js';
import { photos } from './photos.js';

export interface TrainOptions {
  /** Folders of `train` and `test` images, one folder inside for each class. */
  train: string;
  test: string;
  epochs: number;
  batchSize: number;
  lr: number;
  /** Threads that read, decode and augment. */
  workers: number;
  seed: number;
  device: Device;
  onEpoch?(result: { epoch: number; loss: number; accuracy: number }): void;
}

/** Trains on folders of images; returns the accuracy on the test images after each epoch. */
export async function trainFolder(options: TrainOptions): Promise<number[]> {
  const { epochs, batchSize, workers, device } = options;
  manualSeed(options.seed);
  const dataset = await photos(options.train, 'train');
  const loaders = { batchSize, numWorkers: workers, persistentWorkers: workers > 0, device };
  const trainLoader = new data.DataLoader(dataset, { ...loaders, shuffle: true, dropLast: true });
  const testLoader = new data.DataLoader(await photos(options.test, 'test'), loaders);
  const model = new SmallNet(dataset.classes.length).to(device);
  const optimizer = new optim.AdamW(model.parameters(), { lr: options.lr });
  const scheduler = new optim.CosineAnnealingLR(optimizer, epochs * trainLoader.length);
  const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.05 });
  const accuracies: number[] = [];
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      model.train();
      let last = 0;
      for await (const [images, labels] of trainLoader) {
        optimizer.zeroGrad();
        const loss = criterion(model(images), labels);
        loss.backward();
        optimizer.step();
        scheduler.step();
        last = await loss.item();
      }
      model.eval();
      let right = 0;
      let seen = 0;
      for await (const [images, labels] of testLoader) {
        const guess = noGrad(() => model(images).argmax(1));
        right += await guess.eq(labels).sum().item();
        seen += images.size(0);
      }
      accuracies.push(right / seen);
      options.onEpoch?.({ epoch, loss: last, accuracy: right / seen });
    }
  } finally {
    await trainLoader.close();
    await testLoader.close();
  }
  return accuracies;
}
