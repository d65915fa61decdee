import { RuntimeError } from '../errors.js';
import { autogradEngine } from '../grad-mode.js';
import { mustRecord, type Op, operations } from '../op.js';
import { normalizeDim } from '../shape.js';
import { Tensor } from '../tensor.js';
import { asStrided, squeeze, transpose, unsqueeze } from './view.js';

/** Gives a tensor the shape, strides and offset of a view of it; the memory stays. */
function become(
  name: string,
  self: Tensor,
  args: readonly unknown[],
  look: (plain: Tensor) => Tensor,
): Tensor {
  const run = () => {
    const plain = new Tensor(self.storage, self.dtype, self.shape, self.strides, self.offset);
    const { shape, strides, offset } = look(plain);
    Object.assign(self, { shape, strides, offset });
    self.counter.version++;
  };
  if (!mustRecord([self])) {
    run();
    return self;
  }
  const engine = autogradEngine() as NonNullable<ReturnType<typeof autogradEngine>>;
  return engine.recordReshape(operations.get(name) as Op, [self, ...args], run);
}

/** `transpose` in place: two dimensions of the tensor itself are swapped. */
export const transpose_ = (self: Tensor, dim0: number, dim1: number): Tensor =>
  become('transpose', self, [dim0, dim1], (x) => transpose(x, dim0, dim1));
/** As `transpose_`. */
export const swapaxes_ = transpose_;
/** As `transpose_`. */
export const swapdims_ = transpose_;

/** `t` in place. @throws RuntimeError for more than two dimensions. */
export const t_ = (self: Tensor): Tensor => {
  const rank = self.shape.length;
  if (rank > 2) {
    throw new RuntimeError(`t_: expects a tensor with <= 2 dimensions, but self is ${rank}D`);
  }
  return rank < 2 ? self : transpose_(self, 0, 1);
};

/** `squeeze` in place: dimensions of size 1, or the named ones of that size, disappear. */
export const squeeze_ = (self: Tensor, dim?: number | readonly number[]): Tensor => {
  const rank = self.shape.length;
  const dims =
    dim === undefined
      ? self.shape.map((_, i) => i)
      : [dim].flat().map((d) => normalizeDim('squeeze_', d as number, rank));
  return become('squeeze', self, [dims], (x) => squeeze(x, dims));
};

/** `unsqueeze` in place: a dimension of size 1 is inserted before position `dim`. */
export const unsqueeze_ = (self: Tensor, dim: number): Tensor =>
  become('unsqueeze', self, [dim], (x) => unsqueeze(x, dim));

/** `asStrided` in place. @throws RuntimeError if it would reach outside of the storage. */
export const asStrided_ = (
  self: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  storageOffset = self.offset,
): Tensor =>
  become('asStrided', self, [shape, strides, storageOffset], (x) =>
    asStrided(x, shape, strides, storageOffset),
  );
