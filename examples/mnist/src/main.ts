import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { blasName, getNumThreads, init, manualSeed } from 'sconce';
import { loadDigits } from './dataset.js';
import { LeNet } from './model.js';
import { ProgressBar } from './progress.js';
import { type Misread, writeReport } from './report.js';
import { evaluate, train } from './train.js';
import { loadWeights, saveWeights } from './weights.js';

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

const device = await init(args.device);
const seed = Number(args.seed);
manualSeed(seed);
const digits = loadDigits(seed);
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
await saveWeights(weights, model.stateDict());
const reloaded = new LeNet();
reloaded.loadStateDict(await loadWeights(weights));
const { accuracy, predictions } = await evaluate(reloaded.to(device), digits.test, device);
if (accuracy !== epochs.at(-1)?.accuracy)
  throw new Error('the reloaded weights do not give the accuracy of the saved ones');

const [labels, images] = [
  (await digits.test.labels.toArray()) as number[],
  digits.test.images.flatten(1),
];
const misread: Misread[] = [];
for (const [i, wanted] of labels.entries()) {
  const guessed = predictions[i] as number;
  if (guessed !== wanted)
    misread.push({ pixels: (await images.select(0, i).toArray()) as number[], wanted, guessed });
}
const report = join(args.out, 'report.html');
await writeReport(report, {
  title: `LeNet on handwritten digits (${device})`,
  losses,
  epochs,
  misread,
  tested: labels.length,
});

console.log(
  `trained in ${seconds.toFixed(1)} s; ${misread.length} of ${labels.length} test digits misread`,
);
console.log(`weights saved, reloaded and checked: ${weights}`);
console.log(`curves and misread digits: ${pathToFileURL(report)}`);
console.log(`test accuracy: ${(accuracy * 100).toFixed(2)}%`);
