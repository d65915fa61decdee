import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { blasName, Device, getNumThreads, init, load, manualSeed, save } from 'sconce';
import { splitDigits } from './dataset.js';
import { findMisread } from './misread.js';
import { LeNet } from './model.js';
import { readDigits } from './npm-digits.js';
import { ProgressBar } from './progress.js';
import { writeReport } from './report.js';
import { evaluate, train } from './train.js';

const { values: args } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    epochs: { type: 'string', default: '6' },
    'batch-size': { type: 'string', default: '64' },
    lr: { type: 'string', default: '0.005' },
    seed: { type: 'string', default: '0' },
    out: { type: 'string', default: 'mnist-run' },
  },
});

const device = await init(Device.from(args.device));
const seed = Number(args.seed);
manualSeed(seed);
const digits = splitDigits(readDigits(), seed);
const model = new LeNet().to(device);
const how =
  device.type === 'cpu' ? `${getNumThreads()} threads, ${blasName() ?? 'no BLAS'}` : String(device);
console.log(`LeNet on ${digits.train.images.size(0)} handwritten digits (${how})\n${model}`);

const bar = new ProgressBar();
const started = performance.now();
const { losses, epochs } = await train(model, digits, {
  epochs: Number(args.epochs),
  batchSize: Number(args['batch-size']),
  lr: Number(args.lr),
  device,
  onBatch: (progress) => bar.show(progress),
  onEpoch: ({ epoch, loss, accuracy }) =>
    bar.say(
      `epoch ${epoch}: test loss ${loss.toFixed(4)}, test accuracy ${(accuracy * 100).toFixed(2)}%`,
    ),
});
const seconds = (performance.now() - started) / 1000;

await mkdir(args.out, { recursive: true });
const weights = join(args.out, 'lenet.safetensors');
await save(model.stateDict(), weights);
const reloaded = new LeNet();
reloaded.loadStateDict(await load(weights));
const { accuracy, predictions } = await evaluate(reloaded.to(device), digits.test, device);
if (accuracy !== epochs.at(-1)?.accuracy)
  throw new Error('the reloaded weights do not give the accuracy of the saved ones');

const misread = await findMisread(digits.test, predictions);
const tested = predictions.length;
const report = join(args.out, 'report.html');
await writeReport(report, {
  title: `LeNet on handwritten digits (${device})`,
  losses,
  epochs,
  misread,
  tested,
});

console.log(
  `trained in ${seconds.toFixed(1)} s; ${misread.length} of ${tested} test digits misread`,
);
console.log(`weights saved, reloaded and checked: ${weights}`);
console.log(`curves and misread digits: ${pathToFileURL(report)}`);
console.log(`test accuracy: ${(accuracy * 100).toFixed(2)}%`);
