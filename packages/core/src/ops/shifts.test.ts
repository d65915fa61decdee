import { describe, expect, it } from 'vitest';
import { bitwiseLeftShift, bitwiseRightShift, type DType, tensor } from '../index.js';

const bits = { int8: 8, uint8: 8, int16: 16, int32: 32, int64: 64 } as const;
const counts = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 100, -1, -2, -100];

/** What C++ gives in so many bits where PyTorch lets it, and 0 or the sign elsewhere. */
function expected(value: bigint, count: number, dtype: keyof typeof bits, left: boolean): bigint {
  const width = bits[dtype];
  // A count that the dtype cannot hold wraps around, as every number does there.
  const fit = (x: bigint) => (dtype === 'uint8' ? BigInt.asUintN(8, x) : BigInt.asIntN(width, x));
  const by = fit(BigInt(count));
  if (by < 0n || by >= BigInt(width)) return left ? 0n : value < 0n ? -1n : 0n;
  return fit(left ? value << by : value >> by);
}

describe.each(Object.keys(bits) as (keyof typeof bits)[])('shifts of %s', (dtype) => {
  const numbers = dtype === 'uint8' ? [5n, 200n, 1n] : [5n, -3n, 1n];
  const x = () => tensor(numbers, { dtype: dtype as DType });
  const all = (count: number, left: boolean) => numbers.map((n) => expected(n, count, dtype, left));
  const read = async (t: ReturnType<typeof x>) =>
    Array.from<number | bigint, bigint>(await t.toTypedArray(), BigInt);

  it.each(counts)('by %d bits', async (count) => {
    const by = tensor([BigInt(count)], { dtype: dtype as DType });
    const zero = tensor(BigInt(count), { dtype: dtype as DType });
    for (const operand of [count, by, zero]) {
      expect(await read(bitwiseLeftShift(x(), operand))).toEqual(all(count, true));
      expect(await read(bitwiseRightShift(x(), operand))).toEqual(all(count, false));
      expect(await read(x().bitwiseLeftShift_(operand))).toEqual(all(count, true));
      expect(await read(x().bitwiseRightShift_(operand))).toEqual(all(count, false));
    }
  });
});

it('shifts numbers by tensors', () => {
  const by = tensor([1n, 70n, -1n]);
  expect(bitwiseLeftShift(2, by).toArraySync()).toEqual([4, 0, 0]);
  expect(bitwiseRightShift(-2, by).toArraySync()).toEqual([-1, -1, -1]);
});
