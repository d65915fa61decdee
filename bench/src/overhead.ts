import { blasName, getNumThreads } from '@sconce/backend-cpu';
import { Device, ones, Storage } from '@sconce/core';
import { machine, median, table, time } from './measure.js';

/** The cost of small operations: what every step of a small model pays over and over. */
const device = Device.from('cpu');
const a = ones([8, 8]);
const b = ones([8, 8]);

const operations: Record<string, () => unknown> = {
  'a + b': () => a.add(b),
  'a + 1': () => a.add(1),
  'a.exp()': () => a.exp(),
  'a.sum()': () => a.sum(),
  'a.matmul(b)': () => a.matmul(b),
  'a.t()': () => a.t(),
  'memory alone': () => new Storage(device, 'float32', 64),
};

const rows: string[][] = [];
for (const [name, operation] of Object.entries(operations)) {
  for (let i = 0; i < 20_000; i++) operation();
  // Single calls are shorter than the clock can tell; a hundred together include their share of collections.
  const times: number[] = [];
  for (let i = 0; i < 2_000; i++) times.push(time(() => void operation(), 100) * 1e3);
  times.sort((x, y) => x - y);
  const at = (share: number) => (times[Math.floor(times.length * share)] as number).toFixed(2);
  rows.push([name, median(times).toFixed(2), at(0.1), at(0.99)]);
}

console.log(
  `### One 8x8 float32 operation on the CPU, no gradient, microseconds (target: median under 3)\n`,
);
console.log(table(['operation', 'median', '10th percentile', '99th'], rows));
console.log(`\n${machine([`${getNumThreads()} threads`, blasName() ?? 'no BLAS'])}`);
