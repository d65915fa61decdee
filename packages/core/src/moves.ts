import { computeType, type DType, isFloatingPoint } from './dtype.js';
import { constant, type Expr, input, load, nodesOf } from './expr.js';
import type { MapPrimitive, View } from './primitive.js';

/** The integers that hold the bits of floating-point elements where these lie in memory as they are. */
export const integerTwins: Partial<Record<DType, DType>> = {
  float32: 'int32',
  float64: 'int64',
  float16: 'int16',
  bfloat16: 'int16',
};

/**
 * A map that only moves floats, as one that moves integers of the same width: arithmetic units and conversions may change
 * NaNs, which can carry something. Any other map is given back as it is.
 */
export function movesAsIntegers(
  p: MapPrimitive,
  twins: Partial<Record<DType, DType>>,
): MapPrimitive {
  const first = p.values[0];
  if (first?.op !== 'input' && first?.op !== 'load') return p;
  const moved = new Map<number, DType>();
  for (let i = 0; i < p.values.length; i++) {
    const value = p.values[i] as Expr;
    if (value.op !== 'input' && !(value.op === 'load' && isZero(value.args.at(-1)))) return p;
    const { dtype } = p.outputs[i] as View;
    const twin = twins[dtype];
    if (!isFloatingPoint(dtype) || !twin) return p;
    if (p.inputs[Number(value.value)]?.dtype !== dtype || value.dtype !== computeType(dtype))
      return p;
    moved.set(Number(value.value), twin);
  }
  const values = p.values.map((value) => {
    const k = Number(value.value);
    const type = computeType(moved.get(k) as DType);
    return value.op === 'input' ? input(k, type) : loadAs(value, k, type);
  });
  for (const { args } of values) {
    for (const argument of args) {
      for (const { op, value } of nodesOf(argument))
        if ((op === 'input' || op === 'load') && moved.has(Number(value))) return p;
    }
  }
  return {
    ...p,
    values,
    inputs: p.inputs.map((view, k) => as(view, moved.get(k))),
    outputs: p.outputs.map((view) => as(view, twins[view.dtype])),
  };
}

const isZero = (e: Expr | undefined): boolean => e?.op === 'const' && Object.is(e.value, 0);

const loadAs = (e: Expr, k: number, type: ReturnType<typeof computeType>): Expr =>
  load(k, type, e.args.slice(0, -2), e.args.at(-2) as Expr, constant(0, type));

/** The view as elements of another dtype of the same width; all else that a tensor has is left out. */
const as = ({ storage, dtype, shape, strides, offset }: View, other: DType | undefined): View => ({
  storage,
  dtype: other ?? dtype,
  shape,
  strides,
  offset,
});
