import { fromTypedArray, type NestedArray, type Tensor, tensor } from '@sconce/core';

/** Inputs on which a derivative is checked. */
export interface Sample {
  readonly run: (a: Tensor, b: Tensor, c: Tensor) => Tensor | readonly Tensor[];
  readonly inputs: () => Tensor[];
  /** Second derivatives do not exist, or are not supported. */
  readonly once?: boolean;
}

/** Samples of each operation, by its name in the derivative table. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

let state = 1;

/** A number in [0, 1), the same in every run. */
function next(): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) / 2 ** 23;
}

/** What values a sample's tensor may have. */
interface Values {
  readonly from?: number;
  readonly to?: number;
  /** No value is nearer to these than 0.05: places where the function has a corner. */
  readonly avoid?: readonly number[];
}

/** A float64 tensor of distinct values that requires grad. */
export function real(
  shape: readonly number[],
  { from = -2, to = 2, avoid = [] }: Values = {},
): Tensor {
  const count = shape.reduce((n, s) => n * s, 1);
  const values = new Float64Array(count);
  for (let i = 0; i < count; ) {
    const x = from + (to - from) * next();
    const near = (y: number) => Math.abs(x - y) < 0.05;
    if (avoid.some(near)) continue;
    values[i++] = x;
  }
  return fromTypedArray(values, shape).requiresGrad_();
}

/** Positive values, away from zero. */
export const positive = (...shape: number[]): Tensor => real(shape, { from: 0.3, to: 3 });

/** A sample whose inputs are reals of the given shapes. */
export const of = (run: Sample['run'], ...shapes: readonly (readonly number[])[]): Sample => ({
  run,
  inputs: () => shapes.map((shape) => real(shape)),
});

/** Positions. */
export const ints = (data: NestedArray<number>): Tensor => tensor(data, { dtype: 'int64' });
