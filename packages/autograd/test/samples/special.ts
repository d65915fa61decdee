import { special, type Tensor, tensor } from '@sconce/core';
import { positive, real, type Samples } from './sample.js';

const one = (f: (x: Tensor) => Tensor, from: number, to: number, avoid: number[] = []) => [
  { run: (x: Tensor) => f(x), inputs: () => [real([2, 3], { from, to, avoid })] },
];

export const specialSamples: Samples = {
  entr: one(special.entr, 0.2, 3),
  xlog1py: [
    { run: (a, b) => special.xlog1py(a, b), inputs: () => [positive(2, 1), positive(3)] },
    { run: (b) => special.xlog1py(2, b), inputs: () => [positive(3)] },
  ],
  i0e: one(special.i0e, -12, 12, [0]),
  i1e: one(special.i1e, -12, 12, [0]),
  ndtr: one(special.ndtr, -3, 3),
  logNdtr: one(special.logNdtr, -6, 3),
  ndtri: one(special.ndtri, 0.02, 0.95),
  erfcx: one(special.erfcx, -1.5, 4),
  zeta: [{ run: (q) => special.zeta(2.5, q), inputs: () => [positive(4)] }],
  igamma: [
    {
      run: (x) => special.gammainc(tensor(2.5, { dtype: 'float64' }), x),
      inputs: () => [positive(4)],
    },
  ],
  igammac: [
    {
      run: (x) => special.gammaincc(tensor(1.5, { dtype: 'float64' }), x),
      inputs: () => [positive(4)],
    },
  ],
};
