import { guarded } from '../arguments.js';
import type { DType } from '../dtype.js';
import { type Body, Elementwise, type ElementwiseRow, type Promotion } from '../elementwise.js';
import type { OutOptions } from '../out.js';
import type { Scalar } from '../scalar.js';
import type { Tensor } from '../tensor.js';

/** A function of one tensor, element by element. */
export type Unary = (self: Tensor, options?: OutOptions) => Tensor;

/** A function of two operands that broadcast together; a plain number may stand for the second. */
export type Binary = (self: Tensor, other: Tensor | Scalar, options?: OutOptions) => Tensor;

/** A function of two tensors that broadcast together. */
export type TensorBinary = (self: Tensor, other: Tensor, options?: OutOptions) => Tensor;

/** A function of two operands that broadcast together, either of which may be a plain number. */
export type EitherBinary = (
  self: Tensor | Scalar,
  other: Tensor | Scalar,
  options?: OutOptions,
) => Tensor;

/** Every elementwise operation by name: what in-place methods are made from. */
export const elementwise = new Map<string, Elementwise>();

/** Defines an elementwise operation from its row; what users call is `guarded`, or composed of it. */
export function define<F extends (...args: never[]) => Tensor>(row: ElementwiseRow): F {
  const op = new Elementwise(row);
  elementwise.set(row.name, op);
  return ((...args: unknown[]) => op.call(args)) as unknown as F;
}

/** Refuses the dtypes of a kind, in PyTorch's words. */
export const refusing =
  (operation: string, kinds: readonly DType[]) =>
  (dtype: DType): string | undefined =>
    kinds.includes(dtype) ? `"${operation}" not implemented for '${dtype}'` : undefined;

export const unary = (
  name: string,
  promotion: Promotion,
  body: Body,
  refuse?: ElementwiseRow['refuse'],
): Unary => guarded(name, define<Unary>({ name, params: 'self', promotion, body, refuse }));

/** Defines a kind of function of two operands from their names. */
const pairs =
  <F extends (...args: never[]) => Tensor>(params: string) =>
  (name: string, promotion: Promotion, body: Body, refuse?: ElementwiseRow['refuse']): F =>
    guarded(name, define<F>({ name, params, promotion, body, refuse }));

export const binary = pairs<Binary>('self other~');
export const tensorBinary = pairs<TensorBinary>('self other');
export const eitherBinary = pairs<EitherBinary>('self~ other~');
