import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import '@sconce/backend-cpu';
import { fromTypedArray, rand, randint } from '@sconce/core';
import { DataLoader, TensorDataset } from '@sconce/data';
import { count, digits, side } from './loader-samples.js';
import { machine, median, table } from './measure.js';

/**
 * A pass over 60,000 samples of the size of MNIST in batches of 64: rows of tensors taken by a gather, and samples
 * that a dataset hands out one by one; in order, since TensorFlow.js shuffles through a buffer only. Sconce with 0 and 2 workers, the data pipeline of TensorFlow.js, and PyTorch where there is one.
 */
const batchSize = 64;
const passes = 7;
/** Passes before those: they start workers and compilers, and memory grows to what it takes. */
const warmUp = 6;
const size = side * side;

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-wasm');
const tfData = require('@tensorflow/tfjs-data') as typeof import('@tensorflow/tfjs-data');
await tf.setBackend('wasm');
await tf.ready();

const host = new Float32Array(new SharedArrayBuffer(4 * count * size));
host.set(rand([count * size]).toTypedArraySync() as Float32Array);
const labels = new Uint8Array(new SharedArrayBuffer(count));
labels.set(randint(0, 10, [count], { dtype: 'uint8' }).toTypedArraySync() as Uint8Array);
const images = fromTypedArray(host, [count, size]);
const classes = fromTypedArray(
  BigInt64Array.from(labels, (x) => BigInt(x)),
  [count],
);

/** Seconds of one pass. */
type Pass = () => Promise<number>;

async function timed(pass: () => Promise<number>): Promise<number> {
  const begin = performance.now();
  const seen = await pass();
  if (seen !== count) throw new Error(`${seen} samples of ${count} came`);
  return (performance.now() - begin) / 1e3;
}

async function sconce(
  kind: 'rows' | 'samples',
  numWorkers: number,
): Promise<[Pass, () => unknown]> {
  const options = { batchSize, numWorkers, persistentWorkers: numWorkers > 0 };
  const loader =
    kind === 'rows'
      ? new DataLoader(new TensorDataset(images, classes), options)
      : new DataLoader(await digits(host, labels), options);
  const pass = async () => {
    let seen = 0;
    for await (const [x] of loader) seen += x.size(0);
    return seen;
  };
  return [() => timed(pass), () => loader.close()];
}

type TfSample = { x: import('@tensorflow/tfjs-core').Tensor; y: number };

function tensorflow(kind: 'rows' | 'samples'): [Pass, () => unknown] {
  const sample = (i: number): TfSample => ({
    x: tf.tensor1d(host.subarray(i * size, (i + 1) * size)),
    y: labels[i] as number,
  });
  const rows = kind === 'rows' ? Array.from({ length: count }, (_, i) => sample(i)) : [];
  function* samples(): Generator<TfSample> {
    for (let i = 0; i < count; i++) yield sample(i);
  }
  const source = kind === 'rows' ? tfData.array(rows) : tfData.generator(samples as never);
  const batches = (source as ReturnType<typeof tfData.array>).batch(batchSize);
  const pass = async () => {
    let seen = 0;
    await batches.forEachAsync((batch) => {
      const { x } = batch as unknown as TfSample;
      seen += x.shape[0] as number;
      tf.dispose(batch as never);
    });
    return seen;
  };
  return [
    () => timed(pass),
    () => {
      for (const { x } of rows) x.dispose();
    },
  ];
}

async function pytorch(): Promise<Record<string, number[]> & { version?: string }> {
  const script = fileURLToPath(new URL('../src/pytorch_loader.py', import.meta.url));
  const args = [script, count, side, batchSize, passes, warmUp].map(String);
  for (const python of ['/usr/bin/python3', 'python3']) {
    try {
      const { stdout } = await promisify(execFile)(python, args);
      return JSON.parse(stdout);
    } catch {
      // No Python here, or none with PyTorch.
    }
  }
  return {};
}

const contenders = {
  'Sconce, 0 workers': (kind: Kind) => sconce(kind, 0),
  'Sconce, 2 workers': (kind: Kind) => sconce(kind, 2),
  'TensorFlow.js': tensorflow,
};
type Kind = 'rows' | 'samples';

const [kindAsked, nameAsked] = process.argv.slice(2) as [Kind?, (keyof typeof contenders)?];
if (kindAsked && nameAsked) {
  const [pass] = await contenders[nameAsked](kindAsked);
  const seconds: number[] = [];
  for (let round = 0; round < warmUp + passes; round++) seconds.push(await pass());
  console.log(JSON.stringify(seconds.slice(warmUp)));
  process.exit(0);
}

const reference = await pytorch();
const rows: string[][] = [];
for (const kind of ['rows', 'samples'] as const) {
  const times: Record<string, number[]> = {};
  // Each in a process of its own, so that none pays for what the others keep in the heap.
  for (const name of Object.keys(contenders)) {
    const args = [fileURLToPath(import.meta.url), kind, name];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    times[name] = JSON.parse(stdout);
  }
  const of = (name: string): number => median(times[name] ?? []);
  const tensorFlow = of('TensorFlow.js');
  for (const workers of [0, 2]) {
    const own = of(`Sconce, ${workers} workers`);
    const theirs = reference[`${kind} ${workers}`];
    rows.push([
      kind === 'rows' ? 'rows of tensors' : 'samples one by one',
      String(workers),
      `${(own * 1e3).toFixed(0)} ms`,
      `${(tensorFlow * 1e3).toFixed(0)} ms`,
      (tensorFlow / own).toFixed(1),
      theirs ? `${(median(theirs) * 1e3).toFixed(0)} ms` : '-',
      theirs ? (median(theirs) / own).toFixed(1) : '-',
    ]);
  }
}

console.log(
  `### A pass over ${count} samples of ${side}x${side} float32, batches of ${batchSize} (targets: 3 and 1)\n`,
);
console.log(
  table(['data', 'workers', 'Sconce', 'TensorFlow.js', 'ratio', 'PyTorch', 'ratio'], rows),
);
const others = [`TensorFlow.js ${tf.version_core}`, `PyTorch ${reference.version ?? '(none)'}`];
console.log(`\n${machine(others)}`);
