import { createRequire } from 'node:module';
import { blasName, CpuBackend, getNumThreads } from '@sconce/backend-cpu';
import { Device, randn, registerBackend } from '@sconce/core';
import { compare, machine, median, medianRatio, table } from './measure.js';

/**
 * Square float32 products: Sconce with BLAS against the same BLAS called directly, and Sconce without against
 * the WASM backend of TensorFlow.js, all in one run.
 */
const require = createRequire(import.meta.url);
const cpu = Device.from('cpu').backend as CpuBackend;

process.env.SCONCE_BLAS = 'off';
registerBackend('cpuwasm', { open: () => new CpuBackend() });
const wasm = Device.from('cpuwasm');
void wasm.backend;

const tf = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
const tfWasm =
  require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
await tf.setBackend('wasm');
await tf.ready();

const rows: string[][] = [];
for (const n of [64, 256, 512, 1024]) {
  const a = randn([n, n]);
  const b = randn([n, n]);
  const [c, d] = [a.to(wasm), b.to(wasm)];
  const [x, y] = [tf.randomNormal([n, n]), tf.randomNormal([n, n])];
  const memory = [0, 1, 2].map(() => cpu.memory.allocate(n * n * 4));
  const [p, q, r] = memory.map((m) => m.pointer + (cpu.blas?.base ?? 0)) as [
    number,
    number,
    number,
  ];
  const contenders: Record<string, () => void> = {
    ...(cpu.blas && {
      'BLAS directly': () => cpu.blas?.sgemm(101, 111, 111, n, n, n, 1, p, n, q, n, 0, r, n),
    }),
    // As with the others, the result's memory is used again.
    'Sconce with BLAS': () => a.matmul(b).dispose(),
    'Sconce WASM': () => c.matmul(d).dispose(),
    'TensorFlow.js WASM': () => tf.matMul(x, y).dispose(),
  };
  for (const tensor of [p, q])
    new Float32Array(cpu.memory.buffer, tensor - (cpu.blas?.base ?? 0), n * n).fill(0.5);
  const times = await compare(contenders, {
    rounds: n < 1024 ? 31 : 15,
    repeats: Math.max(1, Math.round(3e8 / n ** 3)),
  });
  const of = (name: string) => times[name] ?? [];
  const rate = (name: string) =>
    times[name] ? ((2 * n ** 3) / median(of(name)) / 1e6).toFixed(1) : '-';
  const direct = times['BLAS directly'];
  rows.push([
    `${n}`,
    rate('BLAS directly'),
    rate('Sconce with BLAS'),
    direct ? medianRatio(direct, of('Sconce with BLAS')).toFixed(2) : '-',
    rate('Sconce WASM'),
    rate('TensorFlow.js WASM'),
    medianRatio(of('TensorFlow.js WASM'), of('Sconce WASM')).toFixed(2),
  ]);
  for (const m of memory) cpu.memory.release(m);
  tf.dispose([x, y]);
}

console.log('### n x n float32 matrix product, GFLOP/s (targets at 1024: 0.95 and 1.5)\n');
console.log(
  table(
    [
      'n',
      'BLAS directly',
      'Sconce with BLAS',
      'ratio',
      'Sconce WASM',
      'TensorFlow.js WASM',
      'ratio',
    ],
    rows,
  ),
);
const threads = (() => {
  try {
    return tfWasm.getThreadsCount();
  } catch {
    return 1;
  }
})();
console.log(
  `\n${machine([`${getNumThreads()} threads`, blasName() ?? 'no BLAS', `TensorFlow.js ${tf.version_core} on ${threads} thread${threads === 1 ? '' : 's'}, all it uses in Node`])}`,
);
process.exit(0);
