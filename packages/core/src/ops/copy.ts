import { takes } from '../arguments.js';
import { type Device, type DeviceLike, Device as Devices } from '../device.js';
import { computeType, type DType } from '../dtype.js';
import { separate } from '../elementwise.js';
import { formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, input } from '../expr.js';
import { defineOp, inplace, type Op, op } from '../op.js';
import { canMove, canRead, readAll, readAllSync } from '../read.js';
import {
  broadcastShapes,
  contiguousStrides,
  isContiguous,
  isDense,
  numel,
  sameShape,
} from '../shape.js';
import { signatures } from '../signatures.js';
import { Storage } from '../storage.js';
import { allocate, Tensor } from '../tensor.js';
import { type ToArguments, toTarget } from './target.js';

/** Writes the elements of `from`, broadcast and converted, into `to`; both on one device. */
export function copyInto(to: Tensor, from: Tensor): void {
  if (numel(to.shape) === 0) return;
  const source = cast(input(0, computeType(from.dtype)), computeType(to.dtype));
  execute({
    kind: 'map',
    shape: to.shape,
    inputs: [from],
    scalars: [],
    values: [source],
    outputs: [to],
  });
}

/** Strides of a fresh dense tensor that keeps the order of dimensions in memory. */
function preservedStrides({ shape, strides }: Tensor): number[] {
  if (isContiguous(shape, strides) || isDense(shape, strides)) return [...strides];
  // Innermost first; where a stride of 0 does not tell, dimensions stay as they are.
  const order = shape.map((_, d) => shape.length - 1 - d);
  for (let i = 1; i < order.length; i++) {
    for (let at = i, j = i - 1; j >= 0; j--) {
      const [inner, outer] = [order[j] as number, order[at] as number];
      const [a, b] = [strides[inner] as number, strides[outer] as number];
      if (a === 0 || b === 0) continue;
      if (a < b) break;
      if (a === b && (shape[inner] as number) <= (shape[outer] as number)) continue;
      [order[j], order[at]] = [outer, inner];
      at = j;
    }
  }
  const result = new Array<number>(shape.length);
  let step = 1;
  for (const d of order) {
    result[d] = step;
    step *= Math.max(shape[d] as number, 1);
  }
  return result;
}

/** Options of `clone`. */
export interface CloneOptions {
  /** `'preserve'` keeps the order of dimensions in memory (default), `'contiguous'` makes it row-major. */
  memoryFormat?: 'preserve' | 'contiguous';
}

/** A copy with its own memory; gradients flow through it. */
export const clone: (self: Tensor, options?: CloneOptions) => Tensor = explaining(
  'clone',
  op('clone', 'self options', (self: Tensor, options?: CloneOptions): Tensor => {
    const strides =
      options?.memoryFormat === 'contiguous'
        ? contiguousStrides(self.shape)
        : preservedStrides(self);
    const result = new Tensor(
      new Storage(self.device, self.dtype, numel(self.shape)),
      self.dtype,
      self.shape,
      strides,
    );
    copyInto(result, self);
    return result;
  }),
);

/** What `to` may change. */
export interface ToOptions {
  dtype?: DType;
  device?: DeviceLike;
  /** Copy even if nothing changes; default false. */
  copy?: boolean;
}

const toDtype = op('toDtype', 'self dtype', (self: Tensor, dtype: DType): Tensor => {
  const result = new Tensor(
    new Storage(self.device, dtype, numel(self.shape)),
    dtype,
    self.shape,
    preservedStrides(self),
  );
  copyInto(result, self);
  return result;
});

/** Where a move will put a tensor, recorded as the move itself. */
const destination = op(
  'toDevice',
  'self device',
  (self: Tensor, device: Device): Tensor => allocate(self.shape, self.dtype, device),
);

/** As `destination`, with the elements. */
const toDevice = op('toDevice', 'self device', (self: Tensor, device: Device): Tensor => {
  const result = allocate(self.shape, self.dtype, device);
  if (numel(self.shape) === 0) return result;
  const { backend } = device;
  const { buffer } = result.storage;
  if (self.device.backend.synchronous || !backend.writeLater) {
    backend.write(buffer, self.dtype, 0, readAllSync(self, 'to', `toAsync('${device}')`));
  } else backend.writeLater(buffer, self.dtype, 0, readAll(self));
  return result;
});

/**
 * The tensor with another dtype or on another device; itself if nothing changes.
 *
 * Moving from a device that can only be read asynchronously needs `await t.toAsync(device)`.
 *
 * @throws RuntimeError if the target device is not ready or cannot hold the dtype; TypeError if it is neither a dtype nor a device.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.to.html
 * @example
 * x.to('float64'); x.to('cpu', 'float64'); x.to(other); x.to({ device: 'webgpu', copy: true });
 */
export function to(self: Tensor, ...target: ToArguments): Tensor {
  const { dtype, device, copy } = toTarget(...target);
  let result = self;
  const place = device === undefined ? self.device : Devices.from(device);
  // Narrow before the transfer, widen after it.
  if (
    dtype !== undefined &&
    dtype !== self.dtype &&
    (place === self.device || self.storage.backend.supports(dtype))
  ) {
    result = toDtype(result, dtype);
  }
  if (place !== self.device) result = toDevice(result, place);
  if (dtype !== undefined && dtype !== result.dtype) result = toDtype(result, dtype);
  return result === self && copy ? clone(self) : result;
}

/**
 * As `to`, also from devices that can only be read asynchronously. The values are those at the time of the call, and
 * gradients flow back: with `await loss.backwardAsync()` where they have to be waited for as well.
 *
 * @throws RuntimeError (as a rejection) if the target device is not ready or cannot hold the dtype.
 * @example const h = await first(x).toAsync('cpu'); // `first` lives on webgpu
 */
export async function toAsync(self: Tensor, ...target: ToArguments): Promise<Tensor> {
  const { dtype, device } = toTarget(...target);
  const place = device === undefined ? self.device : Devices.from(device);
  if (canMove(self.device, place)) return to(self, ...target);
  const changed = dtype !== undefined && dtype !== self.dtype;
  const source = changed && self.storage.backend.supports(dtype) ? to(self, dtype) : self;
  // Recorded before anything can happen to the history of `self`.
  const result = destination(source, place);
  if (numel(source.shape) > 0) {
    place.backend.write(result.storage.buffer, source.dtype, 0, await readAll(source));
  }
  return dtype === undefined ? result : to(result, dtype);
}

const copySchema = defineOp('copy', 'self source', ((self: Tensor, source: Tensor) => {
  const result = allocate(self.shape, self.dtype, self.device);
  copyInto(result, source);
  return result;
}) as Op['forward']);

/**
 * Overwrites `self` with the elements of `source`, broadcast and converted; from another device too.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.copy_.html
 */
export function copy_(self: Tensor, source: Tensor): Tensor {
  takes('copy_', signatures.copy_, arguments);
  if (!canMove(source.device, self.device) && !canRead(source)) {
    throw new RuntimeError(
      `copy_: the source is on device '${source.device}', which can only be read asynchronously; use \`x.copy_(await source.toAsync('${self.device}'))\``,
    );
  }
  const local = source.device === self.device ? source : toDevice(source, self.device);
  return inplace(copySchema, [self, local], () => {
    if (!sameShape(broadcastShapes('copy_', self.shape, local.shape), self.shape)) {
      throw new RuntimeError(
        `copy_: The size of the source ${formatShape(source.shape)} does not broadcast to the destination ${formatShape(self.shape)}`,
      );
    }
    copyInto(self, separate('copy', local, self));
  });
}

/** Overwrites every element with zero. */
export function zero_(self: Tensor): Tensor {
  takes('zero_', signatures.zero_, arguments);
  return inplace(zeroSchema, [self], () => {
    if (numel(self.shape) === 0) return;
    execute({
      kind: 'map',
      shape: self.shape,
      inputs: [],
      scalars: [],
      values: [constant(0, computeType(self.dtype))],
      outputs: [self],
    });
  });
}
const zeroSchema = defineOp('zero', 'self', ((self: Tensor) =>
  zero_(allocate(self.shape, self.dtype, self.device))) as Op['forward']);
