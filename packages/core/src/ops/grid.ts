import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { broadcastShapes, numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { fromTypedArray } from './create.js';
import { indexSelect } from './gather.js';
import { cat, stack } from './join.js';
import { broadcastTo, reshape } from './view.js';

/** Views of all tensors in the shape to which they broadcast together. */
export const broadcastTensors = explaining(
  'broadcastTensors',
  (...tensors: readonly Tensor[]): Tensor[] => {
    const shape = broadcastShapes('broadcastTensors', ...tensors.map((t) => t.shape));
    return tensors.map((t) => broadcastTo(t, shape));
  },
);

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /** Whether the first vector runs along the first dimension (`'ij'`, default) or the second (`'xy'`, as NumPy). */
  indexing?: 'ij' | 'xy';
}

/**
 * The coordinates of a grid spanned by vectors: one view for each, repeated along the dimensions of the others.
 *
 * @throws RuntimeError if one has more than one dimension, or dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.meshgrid.html
 */
export const meshgrid = explaining(
  'meshgrid',
  (tensors: readonly Tensor[], options: MeshgridOptions = {}): Tensor[] => {
    const { indexing = 'ij' } = options;
    const first = tensors[0];
    if (!first) throw new RuntimeError('meshgrid: expects a non-empty TensorList');
    if (indexing !== 'ij' && indexing !== 'xy') {
      throw new RuntimeError(
        `meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing as string}`,
      );
    }
    for (const t of tensors) {
      if (t.shape.length > 1) {
        throw new RuntimeError(
          `meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${formatShape(t.shape)}`,
        );
      }
      if (t.dtype !== first.dtype)
        throw new RuntimeError('meshgrid: expects all tensors to have the same dtype');
    }
    const swap = indexing === 'xy' && tensors.length >= 2;
    const ordered = swap ? [tensors[1] as Tensor, first, ...tensors.slice(2)] : tensors;
    const shape = ordered.map((t) => numel(t.shape));
    const grids = ordered.map((t, d) =>
      broadcastTo(
        reshape(
          t,
          shape.map((size, i) => (i === d ? size : 1)),
        ),
        shape,
      ),
    );
    return swap ? [grids[1] as Tensor, grids[0] as Tensor, ...grids.slice(2)] : grids;
  },
);

/** Every combination of one element from each vector, as rows; a single vector as it is. */
export const cartesianProd = explaining(
  'cartesianProd',
  (...tensors: readonly Tensor[]): Tensor => {
    for (const t of tensors) {
      if (t.shape.length !== 1)
        throw new RuntimeError(
          `cartesianProd: Expect a 1D vector, but got shape ${formatShape(t.shape)}`,
        );
    }
    if (tensors.length === 1) return tensors[0] as Tensor;
    return stack(
      meshgrid(tensors).map((t) => reshape(t, [-1])),
      1,
    );
  },
);

/** The positions that combinations of `r` out of `n` take, one array for each place. */
function combinationPositions(n: number, r: number, repeat: boolean): number[][] {
  const columns: number[][] = Array.from({ length: r }, () => []);
  const chosen: number[] = [];
  const extend = (from: number): void => {
    if (chosen.length === r) {
      chosen.forEach((position, i) => {
        (columns[i] as number[]).push(position);
      });
      return;
    }
    for (let position = from; position < n; position++) {
      chosen.push(position);
      extend(repeat ? position : position + 1);
      chosen.pop();
    }
  };
  extend(0);
  return columns;
}

/** Options of `combinations`. */
export interface CombinationsOptions {
  /** Whether an element may be chosen again; default false. */
  withReplacement?: boolean;
}

/**
 * All combinations of `r` elements of a vector, as rows, in order of position.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.combinations.html
 */
export const combinations = explaining(
  'combinations',
  (self: Tensor, r = 2, options: CombinationsOptions = {}): Tensor => {
    if (self.shape.length !== 1) {
      throw new RuntimeError(
        `combinations: Expect a 1D vector, but got shape ${formatShape(self.shape)}`,
      );
    }
    if (r < 0) throw new RuntimeError(`combinations: Expect a non-negative number, but got ${r}`);
    if (r === 0) return indexSelect(self, 0, positionsTensor([], self));
    const columns = combinationPositions(
      self.shape[0] as number,
      r,
      options.withReplacement ?? false,
    );
    return cat(
      columns.map((c) => reshape(indexSelect(self, 0, positionsTensor(c, self)), [-1, 1])),
      1,
    );
  },
);

const positionsTensor = (positions: readonly number[], like: Tensor): Tensor =>
  fromTypedArray(BigInt64Array.from(positions, BigInt), undefined, { device: like.device });
