import { computeType } from '../dtype.js';
import { NotImplementedError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, input } from '../expr.js';
import { canRead } from '../read.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';

/**
 * For every element of `mask` (any dtype; not zero counts), in row-major order, how many up to and with it
 * count: an int32 vector. Where an element counts, one less is its place among those that do.
 */
export function maskPositions(mask: Tensor): Tensor {
  const count = numel(mask.shape);
  const flags = allocate(mask.shape, 'int32', mask.device);
  const positions = allocate([count], 'int32', mask.device);
  if (count === 0) return positions;
  execute({
    kind: 'map',
    shape: mask.shape,
    inputs: [mask],
    scalars: [],
    values: [cast(cast(input(0, computeType(mask.dtype)), 'bool'), 'int32')],
    outputs: [flags],
  });
  execute({
    kind: 'scan',
    axis: 0,
    combine: 'sum',
    reverse: false,
    input: new Tensor(flags.storage, 'int32', [count]),
    output: positions,
  });
  flags.dispose();
  return positions;
}

/** How many elements counted, read from what `maskPositions` gave. */
export function positionsCount(positions: Tensor): number {
  const count = positions.shape[0] as number;
  if (count === 0) return 0;
  return new Tensor(positions.storage, 'int32', [], [], count - 1).itemSync();
}

/** @throws NotImplementedError on a device whose values cannot be read at once. */
export function checkSynchronous(operation: string, t: Tensor): void {
  if (canRead(t)) return;
  throw new NotImplementedError(
    `${operation}: the shape of the result depends on values, which device '${t.device}' can only give asynchronously; use \`await withReads(() => ...)\` around the call, or where() and masks, whose shapes are known`,
  );
}
