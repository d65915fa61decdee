import { computeType } from '../dtype.js';
import { IndexError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, constant, coord, e, input, load, stage } from '../expr.js';
import { normalizeDim, numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { full } from './create.js';
import { pair, type ValuesIndices } from './pair.js';
import { pickAlong, sort } from './sort.js';
import { detach } from './view.js';
import { writing } from './writing.js';

/**
 * The commonest element along a dimension, the smallest of several, and the last position it stands at.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.mode.html
 */
export const mode = writing(
  'mode',
  (self: Tensor, dim = -1, options: { keepdim?: boolean } = {}): ValuesIndices => {
    const d = normalizeDim('mode', dim, self.shape.length);
    if (self.shape.length === 0) {
      return pair(self.clone(), full([], 0n, { dtype: 'int64', device: self.device }));
    }
    if (self.shape[d] === 0)
      throw new IndexError(`mode: Expected reduction dim ${d} to have non-zero size.`);
    const shape = self.shape.map((size, i) => (i === d ? 1 : size));
    const chosen = allocate(shape, 'int64', self.device);
    if (numel(shape) > 0) findMode(self, d, chosen);
    return pickAlong(self, d, chosen, options.keepdim ?? false);
  },
);

/** Sorted, equal elements form runs; the first longest one ends where the position minus the start of its run is greatest. */
function findMode(self: Tensor, dim: number, chosen: Tensor): void {
  const { values, indices } = sort(detach(self), dim);
  const type = computeType(self.dtype);
  const starts = allocate(self.shape, 'int32', self.device);
  const here = coord(dim);
  const before = self.shape.map((_, i) =>
    i === dim ? e.sub(here, constant(1, 'int32')) : coord(i),
  );
  const begins = e.or(
    e.eq(here, constant(0, 'int32')),
    e.ne(input(0, type), load(0, type, before, e.gt(here, constant(0, 'int32')))),
  );
  execute({
    kind: 'map',
    shape: self.shape,
    inputs: [values],
    scalars: [],
    values: [e.where(begins, here, constant(0, 'int32'))],
    outputs: [starts],
  });
  const runs = allocate(self.shape, 'int32', self.device);
  execute({
    kind: 'scan',
    axis: dim,
    combine: 'max',
    reverse: false,
    input: starts,
    output: runs,
  });
  const end = self.shape.map((_, i) => (i === dim ? cast(stage(0, 'int64'), 'int32') : coord(i)));
  execute({
    kind: 'reduce',
    shape: self.shape,
    axes: [dim],
    inputs: [runs, indices],
    scalars: [],
    stages: [{ combine: 'argmax', value: e.sub(here, input(0, 'int32')) }],
    outputs: [{ per: 'row', value: load(1, 'int64', end), view: chosen }],
  });
  starts.dispose();
  runs.dispose();
}
