import { computeType, type Expr, input, type ScalarValue, stage } from '@sconce/core';
import { planContraction } from './contraction.js';
import { substitute } from './leaves.js';
import type { Operand, WgslLimits, WgslStep } from './plan.js';

/** A `MatmulPrimitive` over operands. */
export interface MatmulWork {
  readonly a: Operand;
  readonly b: Operand;
  readonly out: Operand;
  readonly epilogue:
    | {
        readonly value: Expr;
        readonly inputs: readonly Operand[];
        readonly scalars: readonly ScalarValue[];
      }
    | undefined;
}

/** Adds the dispatches of a batched matrix product. */
export function planMatmul(work: MatmulWork, limits: WgslLimits, steps: WgslStep[]): void {
  const { a, b, out, epilogue } = work;
  const rank = out.shape.length;
  const batch = out.shape.slice(0, -2);
  const [m, n] = out.shape.slice(-2) as [number, number];
  const k = a.shape[rank - 1] as number;
  const shape = [...batch, m, n, k];
  const spread = (operand: Operand, strides: readonly number[]): Operand => ({
    ...operand,
    shape,
    strides: [...operand.strides.slice(0, -2), ...strides],
  });
  const type = computeType(out.dtype);
  const [row, column] = out.strides.slice(-2) as [number, number];
  planContraction(
    {
      label: epilogue ? 'matmul with epilogue' : 'matmul',
      batch,
      m: [m],
      n: [n],
      k: [k],
      inputs: [
        spread(a, [a.strides[rank - 2] as number, 0, a.strides[rank - 1] as number]),
        spread(b, [0, b.strides[rank - 1] as number, b.strides[rank - 2] as number]),
        // The axis of k comes last: theirs must not be aligned with it.
        ...(epilogue?.inputs ?? []).map((operand) => ({
          ...operand,
          shape: [...operand.shape, 1],
          strides: [...operand.strides, 0],
        })),
      ],
      scalars: epilogue?.scalars ?? [],
      a: input(0, type),
      b: input(1, type),
      value: epilogue
        ? substitute(epilogue.value, (leaf) =>
            leaf.op !== 'input'
              ? undefined
              : leaf.value === 0
                ? stage(0, leaf.dtype)
                : input((leaf.value as number) + 1, leaf.dtype),
          )
        : stage(0, type),
      output: {
        ...out,
        shape: [...batch, m, n, 1],
        strides: [...out.strides.slice(0, -2), row, column, 0],
      },
    },
    limits,
    steps,
  );
}
