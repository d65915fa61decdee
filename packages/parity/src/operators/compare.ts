import { type DType, isFloatingPoint } from '@sconce/core';

/** What one call gave: tensors read back, or the error it raised. */
export type Outcome = { readonly tensors: readonly ReadTensor[] } | { readonly error: string };

/** A tensor read back. */
export interface ReadTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly (number | bigint)[];
}

const epsilons: Partial<Record<DType, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/** The spacing of a dtype relative to its numbers; 0 for those that are exact. */
export const epsilonOf = (dtype: DType): number => epsilons[dtype] ?? 0;

const describe = (outcome: Outcome): string =>
  'error' in outcome
    ? `raised '${outcome.error}'`
    : `gave ${outcome.tensors.map((t) => `${t.dtype} [${t.shape.join(', ')}]`).join(', ') || 'nothing'}`;

/** Errors that only who reads the elements can raise. */
const aboutValues = /ZeroDivisionError|out of bounds/;

/** How far results may be apart. */
export interface Allowance {
  /** Results of slightly other inputs: where these differ, so may the device. */
  readonly nearby: readonly Outcome[];
  /** Whether nothing may round. */
  readonly exact: boolean;
  /** Whether results keep the rounding of values as large as the largest among them. */
  readonly chained: boolean;
  /** The coarsest spacing of a dtype among the inputs. */
  readonly epsilon: number;
  /** The size of the inputs. */
  readonly scale: number;
  /** Whether the device sees values at once, and so can refuse them. */
  readonly refusesValues: boolean;
  /** Bits of int64 that are compared. */
  readonly int64Bits: number;
}

/**
 * Compares what a device gave with what the reference gave: errors and shapes exactly; integers exactly, unless a slightly other input changes
 * them; floats within their rounding and a multiple of what a slightly other input does to them.
 *
 * @returns the difference, or undefined.
 */
export function differenceOf(
  actual: Outcome,
  expected: Outcome,
  allowance: Allowance,
): string | undefined {
  if ('error' in actual || 'error' in expected) {
    if ('error' in expected && aboutValues.test(expected.error) && !allowance.refusesValues) return;
    const same = 'error' in actual && 'error' in expected && actual.error === expected.error;
    return same ? undefined : `${describe(actual)}; the reference ${describe(expected)}`;
  }
  if (describe(actual) !== describe(expected)) {
    return `${describe(actual)}; the reference ${describe(expected)}`;
  }
  const wrong: string[] = [];
  actual.tensors.forEach((tensor, k) => {
    const right = expected.tensors[k] as ReadTensor;
    const near = allowance.nearby.flatMap((o) => {
      const other = 'tensors' in o ? o.tensors[k] : undefined;
      return other && other.values.length === right.values.length ? [other] : [];
    });
    const largest = allowance.chained ? right.values.reduce<number>(greatest, 0) : 0;
    const scale = Math.max(allowance.scale, largest);
    tensor.values.forEach((value, i) => {
      const want = right.values[i] as number | bigint;
      const others = near.map((o) => o.values[i] as number | bigint);
      if (!agree(value, want, others, tensor.dtype, { ...allowance, scale })) {
        wrong.push(`result ${k}, element ${i}: ${value}, the reference says ${want}`);
      }
    });
  });
  if (wrong.length === 0) return undefined;
  return `${wrong.length} elements differ:\n  ${wrong.slice(0, 6).join('\n  ')}`;
}

/** The greatest magnitude among those that are finite. */
const greatest = (most: number, x: number | bigint): number => {
  const size = Math.abs(Number(x));
  return Number.isFinite(size) ? Math.max(most, size) : most;
};

function agree(
  value: number | bigint,
  want: number | bigint,
  nearby: readonly (number | bigint)[],
  dtype: DType,
  { exact, epsilon, scale, int64Bits }: Allowance,
): boolean {
  if (Object.is(value, want)) return true;
  if (!isFloatingPoint(dtype)) {
    const same =
      dtype === 'int64'
        ? BigInt.asIntN(int64Bits, BigInt(value)) === BigInt.asIntN(int64Bits, BigInt(want))
        : value === want;
    return same || nearby.some((other) => other !== want);
  }
  const [a, b] = [value as number, want as number];
  if (a === b) return true;
  if (nearby.some((other) => Number.isFinite(other) !== Number.isFinite(b))) return true;
  if (exact) return false;
  const spread = Math.max(0, ...nearby.map((other) => Math.abs((other as number) - b)));
  const own = Math.max(epsilon, epsilonOf(dtype));
  const allowed = 16 * own * Math.abs(b) + 16 * spread + 64 * own * scale;
  return Math.abs(a - b) <= allowed;
}
