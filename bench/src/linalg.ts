import { blasName, getNumThreads } from '@sconce/backend-cpu';
import { eye, linalg, manualSeed, randn, type Tensor } from '@sconce/core';
import { machine, median, medianRatio, table, time } from './measure.js';
import { PyTorch } from './pytorch.js';

/** Factorisations and solvers of linear algebra in float32 against PyTorch, in turn on one machine. */
const torch = await PyTorch.open(getNumThreads());
manualSeed(0);

const calls: Record<string, { ours: (a: Tensor, s: Tensor) => unknown; theirs: string }> = {
  cholesky: { ours: (_, s) => linalg.cholesky(s), theirs: 'torch.linalg.cholesky(s)' },
  solve: { ours: (a) => linalg.solve(a, a), theirs: 'torch.linalg.solve(a, a)' },
  inv: { ours: (a) => linalg.inv(a), theirs: 'torch.linalg.inv(a)' },
  qr: { ours: (a) => linalg.qr(a), theirs: 'torch.linalg.qr(a)' },
  eigh: { ours: (_, s) => linalg.eigh(s), theirs: 'torch.linalg.eigh(s)' },
  svd: { ours: (a) => linalg.svd(a), theirs: 'torch.linalg.svd(a)' },
};
const shapes: readonly { name: string; batch: readonly number[]; n: number; rounds: number }[] = [
  { name: '512 x 512', batch: [], n: 512, rounds: 15 },
  { name: '64 x 64', batch: [], n: 64, rounds: 101 },
  { name: '1000 of 8 x 8', batch: [1000], n: 8, rounds: 51 },
];

const rows: string[][] = [];
for (const { name, batch, n, rounds } of shapes) {
  const a = randn([...batch, n, n]);
  const s = a.matmul(a.transpose(-2, -1)).add(eye(n));
  await torch?.do(
    `a = torch.randn(${JSON.stringify([...batch, n, n])}); s = a @ a.mT + torch.eye(${n})`,
  );
  for (const [routine, { ours, theirs }] of Object.entries(calls)) {
    const own: number[] = [];
    const other: number[] = [];
    for (let round = -3; round < rounds; round++) {
      const mine = time(() => void ours(a, s));
      const yours = await torch?.time(theirs);
      if (round < 0) continue;
      own.push(mine);
      if (yours !== undefined) other.push(yours);
    }
    rows.push([
      routine,
      name,
      median(own).toFixed(2),
      torch ? median(other).toFixed(2) : '-',
      torch ? medianRatio(other, own).toFixed(2) : '-',
    ]);
  }
}
torch?.close();

console.log('### Linear algebra in float32 on the CPU, milliseconds\n');
console.log(table(['routine', 'matrices', 'Sconce', 'PyTorch', 'speed over PyTorch'], rows));
console.log(
  `\n${machine([`${getNumThreads()} threads`, blasName() ?? 'no BLAS', torch ? `PyTorch ${torch.version}` : 'no PyTorch here'])}`,
);
