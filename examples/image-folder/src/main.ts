import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Device, init } from 'sconce';
import { drawFolder } from './draw.js';
import { trainFolder } from './train.js';

const { values: args } = parseArgs({
  options: {
    data: { type: 'string', default: 'shapes' },
    device: { type: 'string', default: 'cpu' },
    epochs: { type: 'string', default: '8' },
    'batch-size': { type: 'string', default: '32' },
    lr: { type: 'string', default: '0.002' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '0' },
  },
});

const [train, test] = [join(args.data, 'train'), join(args.data, 'test')];
if (!existsSync(train)) {
  console.log(
    `drawing images into ${args.data} (give --data a folder of your own to train on that)`,
  );
  await drawFolder(train, 200, 1);
  await drawFolder(test, 50, 2);
}

const started = performance.now();
const accuracies = await trainFolder({
  train,
  test,
  epochs: Number(args.epochs),
  batchSize: Number(args['batch-size']),
  lr: Number(args.lr),
  workers: Number(args.workers),
  seed: Number(args.seed),
  device: await init(Device.from(args.device)),
  onEpoch: ({ epoch, loss, accuracy }) =>
    console.log(
      `epoch ${epoch}: loss ${loss.toFixed(3)}, test accuracy ${(accuracy * 100).toFixed(1)}%`,
    ),
});
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`test accuracy: ${((accuracies.at(-1) ?? 0) * 100).toFixed(1)}% after ${seconds} s`);
