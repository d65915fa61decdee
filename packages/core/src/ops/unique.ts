import { computeType } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, e, input, load, stage } from '../expr.js';
import { existingDim, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { arange, zeros } from './create.js';
import { indexSelect } from './gather.js';
import { checkSynchronous, maskPositions, positionsCount } from './mask-positions.js';
import { sort } from './sort.js';
import { contiguous, detach, movedim, reshape, select } from './view.js';

/** Options of `uniqueConsecutive`. */
export interface UniqueConsecutiveOptions {
  /** Also give, for each element, which of the results it equals. */
  returnInverse?: boolean;
  /** Also give how many elements each result stands for. */
  returnCounts?: boolean;
  /** Compare the slices along this dimension; default: the elements of the flattened tensor. */
  dim?: number | null;
}

/** Options of `unique`. */
export interface UniqueOptions extends UniqueConsecutiveOptions {
  /** In ascending order; the result always is. */
  sorted?: boolean;
}

/** The results alone, or with what was asked for besides. */
export type UniqueResult<O> = O extends { returnInverse: true }
  ? O extends { returnCounts: true }
    ? [values: Tensor, inverse: Tensor, counts: Tensor]
    : [values: Tensor, inverse: Tensor]
  : O extends { returnCounts: true }
    ? [values: Tensor, counts: Tensor]
    : Tensor;

/** Where a slice differs from the one before it; `rows` is a matrix of slices. */
function runStarts(rows: Tensor): Tensor {
  const [count = 0] = rows.shape;
  const starts = allocate([count, 1], 'bool', rows.device);
  const type = computeType(rows.dtype);
  const [row, column] = [coord(0), coord(1)];
  const first = e.eq(row, constant(0, 'int32'));
  const before = load(0, type, [e.sub(row, constant(1, 'int32')), column], e.not(first));
  execute({
    kind: 'reduce',
    shape: rows.shape,
    axes: [1],
    inputs: [rows],
    scalars: [],
    stages: [{ combine: 'max', value: e.or(first, e.ne(input(0, type), before)) }],
    outputs: [{ per: 'row', value: stage(0, 'bool'), view: starts }],
  });
  return starts;
}

/** The order that sorts slices lexicographically: by the last column first, each sort keeping the order of the ones before. */
function lexicographicOrder(rows: Tensor): Tensor {
  const [count = 0, columns = 0] = rows.shape;
  let order = arange(count, { dtype: 'int64', device: rows.device });
  for (let c = columns - 1; c >= 0; c--) {
    const { indices } = sort(indexSelect(select(rows, 1, c), 0, order), 0);
    order = indexSelect(order, 0, indices);
  }
  return order;
}

interface Groups {
  readonly count: number;
  /** The first slice of each group. */
  readonly firsts: Tensor;
  readonly inverse: Tensor;
  readonly counts: Tensor;
}

/** Groups equal neighbours among slices that come in the given order, or as they stand. */
function group(starts: Tensor, order: Tensor | undefined): Groups {
  const count = starts.shape[0] as number;
  const { device } = starts;
  const places = maskPositions(starts);
  const groups = positionsCount(places);
  const firsts = zeros([groups], { dtype: 'int64', device });
  const inverse = zeros([count], { dtype: 'int64', device });
  const counts = zeros([groups], { dtype: 'int64', device });
  if (count === 0) return { count: groups, firsts, inverse, counts };
  const place = e.sub(input(0, 'int32'), constant(1, 'int32'));
  const original = order ? input(1, 'int64') : cast(coord(0), 'int64');
  const common = {
    kind: 'scatter',
    shape: [count],
    inputs: order ? [places, order] : [places],
    scalars: [],
  } as const;
  const flags = new Tensor(starts.storage, 'bool', [count]);
  execute({
    ...common,
    inputs: [...common.inputs, flags],
    coords: [place],
    valid: input(common.inputs.length, 'bool'),
    value: original,
    output: firsts,
    combine: 'set',
  });
  execute({
    ...common,
    coords: [cast(original, 'int32')],
    value: cast(place, 'int64'),
    output: inverse,
    combine: 'set',
  });
  execute({
    ...common,
    coords: [place],
    value: constant(1, 'int64'),
    output: counts,
    combine: 'sum',
  });
  places.dispose();
  return { count: groups, firsts, inverse, counts };
}

function distinct(
  name: string,
  self: Tensor,
  options: UniqueConsecutiveOptions,
  sorted: boolean,
): Tensor | Tensor[] {
  checkSynchronous(name, self);
  const { dim, returnInverse, returnCounts } = options;
  const whole = dim === undefined || dim === null;
  const d = whole ? 0 : existingDim(name, dim, self.shape.length);
  const source = whole ? reshape(detach(self), [-1]) : detach(self);
  const count = source.shape[d] ?? 1;
  if (!whole && self.shape.filter((size) => size === 0).length > 1) {
    throw new RuntimeError(
      `${name}: Number of zero sized dimensions is more than one, so unique cannot be applied to shape ${formatShape(self.shape)}`,
    );
  }
  if (!whole && numel(self.shape) === 0 && count > 0) {
    throw new RuntimeError(
      `${name}: There are 0 sized dimensions, and they aren't selected, so unique cannot be applied`,
    );
  }
  const rows = whole
    ? reshape(source, [-1, 1])
    : reshape(contiguous(movedim(source, d, 0)), [
        count,
        count === 0 ? 0 : numel(source.shape) / count,
      ]);
  const order = sorted ? lexicographicOrder(rows) : undefined;
  const starts = runStarts(order ? indexSelect(rows, 0, order) : rows);
  const { firsts, inverse, counts } = group(starts, order);
  const values = indexSelect(source, d, firsts);
  if (!returnInverse && !returnCounts) return values;
  return [
    values,
    ...(returnInverse ? [whole ? reshape(inverse, self.shape) : inverse] : []),
    ...(returnCounts ? [counts] : []),
  ];
}

/**
 * The distinct elements (or slices along `dim`) in ascending order; with `returnInverse` and `returnCounts` also where each
 * element went and how many there were.
 *
 * @throws NotImplementedError on a device that cannot be read at once: the size of the result depends on values.
 * @see https://pytorch.org/docs/stable/generated/torch.unique.html
 * @example const [values, counts] = unique(x, { returnCounts: true });
 */
export const unique = explaining(
  'unique',
  <O extends UniqueOptions>(self: Tensor, options?: O): UniqueResult<O> =>
    distinct('unique', self, options ?? {}, true) as UniqueResult<O>,
);

/**
 * As `unique`, but only neighbours are compared and the order is kept.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.unique_consecutive.html
 */
export const uniqueConsecutive = explaining(
  'uniqueConsecutive',
  <O extends UniqueConsecutiveOptions>(self: Tensor, options?: O): UniqueResult<O> =>
    distinct('uniqueConsecutive', self, options ?? {}, false) as UniqueResult<O>,
);
