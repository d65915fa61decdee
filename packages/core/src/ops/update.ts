import { inplace, type Op, op, operations } from '../op.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { copyInto } from './copy.js';

/** The two forms of an operation that overwrites parts of its first operand. */
export interface Update<A extends readonly unknown[]> {
  /** Into a copy. */
  readonly copied: (self: Tensor, ...args: A) => Tensor;
  /** Into the tensor itself. */
  readonly inPlace: (self: Tensor, ...args: A) => Tensor;
}

/** Defines an operation and its in-place form from the one function that writes into a target. */
export function updating<A extends readonly unknown[]>(
  name: string,
  params: string,
  write: (target: Tensor, ...args: A) => void,
): Update<A> {
  const copied = op(name, params, (self: Tensor, ...args: A): Tensor => {
    const result = copyOf(self);
    if (numel(self.shape) > 0) write(result, ...args);
    return result;
  });
  const schema = operations.get(name) as Op;
  return {
    copied,
    inPlace: (self, ...args) =>
      inplace(schema, [self, ...args], () => {
        const apart = args.map((a) => separated(a, self));
        if (numel(self.shape) > 0) write(self, ...(apart as unknown as A));
      }),
  };
}

/** A row-major copy outside of the graph. */
export function copyOf(t: Tensor): Tensor {
  const result = allocate(t.shape, t.dtype, t.device);
  copyInto(result, t);
  return result;
}

/** An argument that does not share memory with what is written: scattering reads it in no fixed order. */
function separated(arg: unknown, target: Tensor): unknown {
  if (Array.isArray(arg)) return arg.map((a) => separated(a, target));
  const storage = (arg as Tensor | null)?.storage;
  return storage !== undefined && storage === target.storage ? copyOf(arg as Tensor) : arg;
}
