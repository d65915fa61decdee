import { describe, expect, it } from 'vitest';
import type { ComputeType } from '../dtype.js';
import type { ExprFunction } from '../expr.js';
import { e } from '../expr.js';
import { castFunction, elementFunction } from './functions.js';

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;
const least64 = -(2n ** 63n);

type Row = readonly (number | bigint)[];

const floats: Partial<Record<ExprFunction, readonly Row[]>> = {
  add: [
    [1, 2, 3],
    [inf, -inf, nan],
  ],
  sub: [[1, 2, -1]],
  mul: [
    [0, inf, nan],
    [-0, 2, -0],
  ],
  div: [
    [1, -0, -inf],
    [0, 0, nan],
    [3, 2, 1.5],
  ],
  fmod: [
    [-5.5, 2, -1.5],
    [5.5, -2, 1.5],
    [1, 0, nan],
    [3, inf, 3],
  ],
  pow: [
    [2, 10, 1024],
    [1, nan, 1],
    [nan, 0, 1],
    [-1, inf, 1],
    [-1, -inf, 1],
    [-8, 1 / 3, nan],
    [-0, 3, -0],
    [0, -1, inf],
  ],
  atan2: [
    [-0, -1, -Math.PI],
    [1, 1, Math.PI / 4],
  ],
  min: [
    [nan, 1, nan],
    [1, nan, nan],
    [2, 1, 1],
  ],
  max: [
    [nan, 1, nan],
    [1, nan, nan],
    [2, 1, 2],
  ],
  neg: [
    [0, -0],
    [-2, 2],
  ],
  abs: [
    [-0, 0],
    [-2, 2],
  ],
  floor: [[-1.5, -2]],
  ceil: [[-0.5, -0]],
  trunc: [[-1.5, -1]],
  round: [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [-0.2, -0],
    [2 ** 52 + 1, 2 ** 52 + 1],
    [inf, inf],
  ],
  sqrt: [
    [9, 3],
    [-1, nan],
  ],
  exp: [
    [0, 1],
    [-inf, 0],
  ],
  exp2: [[-3, 0.125]],
  expm1: [
    [-inf, -1],
    [-0, -0],
  ],
  log: [
    [1, 0],
    [0, -inf],
  ],
  log1p: [[-1, -inf]],
  log2: [[8, 3]],
  log10: [[1000, 3]],
  sin: [
    [0, 0],
    [inf, nan],
  ],
  cos: [[0, 1]],
  tan: [[-0, -0]],
  asin: [[1, Math.PI / 2]],
  acos: [[1, 0]],
  atan: [[inf, Math.PI / 2]],
  sinh: [[-inf, -inf]],
  cosh: [[0, 1]],
  tanh: [[-inf, -1]],
  asinh: [[-0, -0]],
  acosh: [[1, 0]],
  atanh: [[1, inf]],
  sigmoid: [
    [0, 0.5],
    [-inf, 0],
    [inf, 1],
    [-745, 5e-324],
  ],
  erf: [[inf, 1]],
  erfc: [[0, 1]],
  erfinv: [[-1, -inf]],
  lgamma: [[-1, inf]],
  digamma: [[-1, nan]],
  eq: [
    [nan, nan, 0],
    [0, -0, 1],
  ],
  ne: [[nan, nan, 1]],
  lt: [
    [1, 2, 1],
    [nan, 1, 0],
  ],
  le: [[2, 2, 1]],
  gt: [[2, 1, 1]],
  ge: [[1, 2, 0]],
  isnan: [
    [nan, 1],
    [inf, 0],
  ],
};

const ints: Partial<Record<ExprFunction, readonly Row[]>> = {
  idiv: [
    [-7, 2, -3],
    [5, 0, 0],
  ],
  fmod: [
    [-7, 3, -1],
    [5, 0, 0],
  ],
  mul: [[65537, 65537, 131073]],
  and: [[12, 10, 8]],
  or: [[12, 10, 14]],
  xor: [[12, 10, 6]],
  not: [[5, -6]],
  shl: [[1, 31, -(2 ** 31)]],
  shr: [[-8, 1, -4]],
  ushr: [[-1, 1, 2 ** 31 - 1]],
  mulhi: [
    [-1, -1, 2 ** 32 - 2],
    [0x10000, 0x10000, 1],
    [0xffff, -1, 0xfffe],
  ],
};

const longs: Partial<Record<ExprFunction, readonly Row[]>> = {
  idiv: [
    [-7n, 2n, -3n],
    [5n, 0n, 0n],
  ],
  fmod: [
    [-7n, 3n, -1n],
    [5n, 0n, 0n],
  ],
  min: [
    [1n, -1n, -1n],
    [-1n, 1n, -1n],
  ],
  max: [
    [1n, -1n, 1n],
    [-1n, 1n, 1n],
  ],
  abs: [[-5n, 5n]],
  not: [[5n, -6n]],
  shl: [[1n, 64n, 1n]],
  shr: [[-8n, 1n, -4n]],
  ushr: [[least64, 63n, 1n]],
  lt: [[-1n, 1n, 1]],
};

const bools: Partial<Record<ExprFunction, readonly Row[]>> = {
  and: [
    [1, 0, 0],
    [1, 1, 1],
  ],
  or: [
    [1, 0, 1],
    [0, 0, 0],
  ],
  xor: [
    [1, 1, 0],
    [1, 0, 1],
  ],
  not: [
    [1, 0],
    [0, 1],
  ],
};

describe('functions of one element', () => {
  const tables = { float64: floats, int32: ints, int64: longs, bool: bools };
  for (const [type, table] of Object.entries(tables)) {
    for (const [name, rows] of Object.entries(table)) {
      it(`${name} of ${type}`, () => {
        const f = elementFunction(name as ExprFunction, type as ComputeType) as (
          ...args: (number | bigint)[]
        ) => number;
        for (const row of rows) expect(f(...row.slice(0, -1)), String(row)).toBe(row.at(-1));
      });
    }
  }

  it('every function of the language has a meaning on some type', () => {
    const types = ['float32', 'int32', 'int64', 'bool'] as const;
    const without = (Object.keys(e) as ExprFunction[]).filter(
      (name) => name !== 'where' && !types.some((type) => elementFunction(name, type)),
    );
    expect(without).toEqual([]);
  });
});

describe('casts', () => {
  const cast = (from: ComputeType, to: ComputeType, x: number | bigint) =>
    (castFunction(from, to) as (x: number | bigint) => number | bigint)(x);

  it('truncate, wrap and test for zero', () => {
    expect(cast('float32', 'int32', -1.9)).toBe(-1);
    expect(cast('float64', 'int64', -1.9)).toBe(-1n);
    expect(cast('float64', 'int64', nan)).toBe(0n);
    expect(cast('float64', 'int64', inf)).toBe(0n);
    expect(cast('int64', 'int32', 2n ** 32n + 5n)).toBe(5);
    expect(cast('float32', 'bool', nan)).toBe(1);
    expect(cast('float32', 'bool', -0)).toBe(0);
    expect(cast('int64', 'bool', 2n ** 32n)).toBe(1);
    expect(cast('bool', 'int64', 1)).toBe(1n);
  });

  it('int64 to float32 rounds once', () => {
    // As a double the first is a tie between two float32, which it is not.
    const up = 2n ** 60n + 2n ** 36n + 1n;
    expect(Math.fround(Number(up))).toBe(2 ** 60);
    expect(Math.fround(cast('int64', 'float32', up) as number)).toBe(2 ** 60 + 2 ** 37);
    expect(Math.fround(cast('int64', 'float32', -up) as number)).toBe(-(2 ** 60) - 2 ** 37);
    expect(Math.fround(cast('int64', 'float32', up - 1n) as number)).toBe(2 ** 60);
    expect(cast('int64', 'float64', 2n ** 53n + 1n)).toBe(2 ** 53);
  });
});
