import * as f from '@sconce/core';
import { of, type Samples } from './sample.js';

export const linearSamples: Samples = {
  mm: [of((a, b) => f.mm(a.t(), b.t()), [3, 2], [4, 3]), of((a, b) => f.mm(a, b), [2, 3], [3, 4])],
  bmm: [
    of((a, b) => f.bmm(a.transpose(1, 2), b.transpose(1, 2)), [2, 3, 2], [2, 2, 3]),
    of((a, b) => f.bmm(a, b), [2, 2, 3], [2, 3, 2]),
  ],
  dot: [of((a, b) => f.dot(a, b), [3], [3])],
  addmm: [
    of((a, b, c) => f.addmm(a, b, c, { beta: 0.5, alpha: 2 }), [4], [2, 3], [3, 4]),
    of((a, b, c) => f.addmm(a, b, c), [2, 4], [2, 3], [3, 4]),
  ],
  baddbmm: [
    of((a, b, c) => f.baddbmm(a, b, c, { beta: 0.5, alpha: 2 }), [2, 1], [2, 2, 3], [2, 3, 2]),
  ],
};
