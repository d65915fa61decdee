import { computeType } from '../dtype.js';
import { execute } from '../execute.js';
import { coord, load } from '../expr.js';
import { op } from '../op.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { asVector, indexInput } from './index-range.js';

/** `gather` of indices that are known to be in range. */
export const gatherOp = op(
  'gather',
  'self dim index',
  (self: Tensor, dim: number, index: Tensor): Tensor => {
    const result = allocate(index.shape, self.dtype, self.device);
    if (numel(index.shape) === 0) return result;
    const source = asVector(self);
    const at = asVector(index);
    const coords = at.shape.map((_, d) => (d === dim ? indexInput(0, index) : coord(d)));
    execute({
      kind: 'map',
      shape: at.shape,
      inputs: [at, source],
      scalars: [],
      values: [load(1, computeType(self.dtype), coords)],
      outputs: [asVector(result)],
    });
    return result;
  },
);
