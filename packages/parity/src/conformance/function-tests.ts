import type { ComputeType, DType, ExprFunction } from '@sconce/core';
import { apply, computeType, e, input } from '@sconce/core';
import { expect, test } from 'vitest';
import { scale } from './bounds.js';
import type { Fixture, Values } from './fixture.js';
import type { Row } from './float-cases.js';
import { floatCases, floatComparisons } from './float-cases.js';
import {
  boolCases,
  int32Cases,
  int32Comparisons,
  int64Cases,
  int64Comparisons,
} from './integer-cases.js';
import type { Limits } from './limits.js';
import { ulp, ulpDistance } from './ulp.js';

const transposed = (rows: readonly Row[], column: number): Values =>
  rows.map((row) => row[column] as number);

/** Every function on hand-picked arguments, all rows of a function in one map. */
export function functionTests(fixture: Fixture, limits: Limits): void {
  const tables: readonly [DType, Partial<Record<ExprFunction, readonly Row[]>>][] = [
    ['float32', floatCases],
    ['float32', floatComparisons],
    ['float64', floatCases],
    ['float64', floatComparisons],
    ['int32', int32Cases],
    ['int32', int32Comparisons],
    ['int64', int64Cases],
    ['int64', int64Comparisons],
    ['bool', boolCases],
  ];

  test('the tables hold every function', () => {
    const covered = new Set(tables.flatMap(([, table]) => Object.keys(table)));
    const missing = Object.keys(e).filter((name) => !covered.has(name) && name !== 'where');
    expect(missing).toEqual([]);
  });

  for (const [dtype, table] of tables) {
    for (const [name, all] of Object.entries(table) as [ExprFunction, readonly Row[]][]) {
      const rows = all.filter((row) => usable(row, dtype, limits));
      test.skipIf(!fixture.supports(dtype) || rows.length === 0)(
        `${name} of ${dtype}`,
        async () => {
          const arity = (rows[0] as Row).length - 1;
          const type = computeType(dtype);
          const value = apply(name, ...Array.from({ length: arity }, (_, k) => input(k, type)));
          const out = fixture.empty(value.dtype, [rows.length]);
          fixture.execute({
            kind: 'map',
            shape: [rows.length],
            inputs: Array.from({ length: arity }, (_, k) =>
              fixture.view(dtype, [rows.length], transposed(rows, k)),
            ),
            scalars: [],
            values: [value],
            outputs: [out],
          });
          const results = await fixture.read(out);
          const wrong = rows.flatMap((row, i) =>
            matches(name, value.dtype, results[i] as number, row.at(-1) as number, limits)
              ? []
              : [
                  `${name}(${row.slice(0, -1).map(shown).join(', ')}) gave ${shown(results[i])}, expected ${shown(row.at(-1))}`,
                ],
          );
          expect(wrong).toEqual([]);
        },
      );
    }
  }
}

const shown = (x: unknown): string => (Object.is(x, -0) ? '-0' : String(x));

const denormal = (x: unknown) => typeof x === 'number' && x !== 0 && Math.abs(x) < 2 ** -126;

/** Rows are written for float32 arguments; float64 takes those that are the same there. */
function usable(row: Row, dtype: DType, limits: Limits): boolean {
  const args = row.slice(0, -1);
  if (dtype === 'float64') {
    return args.every((x) => Object.is(Math.fround(x as number), x));
  }
  if (dtype === 'int64' && limits.int64Bits === 32) {
    return row.every((x) => BigInt.asIntN(32, BigInt(x)) === BigInt(x));
  }
  return !(dtype === 'float32' && limits.flushesDenormals && row.some(denormal));
}

function matches(
  name: ExprFunction,
  type: ComputeType,
  actual: number | bigint,
  expected: number | bigint | boolean,
  limits: Limits,
): boolean {
  if (type === 'bool') return Boolean(actual) === expected && (actual === 0 || actual === 1);
  if (typeof expected !== 'number' || !type.startsWith('float')) return actual === expected;
  if (Object.is(actual, expected)) return true;
  const units = limits.ulps(name, type) + 0.5;
  if (scale(name, expected) !== expected && Number.isFinite(expected)) {
    return Math.abs((actual as number) - expected) <= units * ulp(scale(name, expected), type);
  }
  return expected !== 0 && ulpDistance(actual as number, expected, type) <= units;
}
