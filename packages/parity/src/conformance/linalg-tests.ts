import type { LinalgPrimitive, View } from '@sconce/core';
import { expect, test } from 'vitest';
import type { Fixture } from './fixture.js';

const f = 'float32';
const nan = Number.NaN;

/** The routines of linear algebra on small matrices with results by hand, and what they say of those they cannot do. */
export function linalgTests(fx: Fixture): void {
  const run = (call: Omit<LinalgPrimitive, 'kind'>) =>
    fx.execute({ kind: 'linalg', ...call } as LinalgPrimitive);
  const read = async (view: View) => (await fx.read(view)).map(Number);
  const close = async (view: View, wanted: readonly number[]) => {
    const found = await read(view);
    expect(found).toHaveLength(wanted.length);
    found.forEach((x, i) => {
      expect(x).toBeCloseTo(wanted[i] as number, 5);
    });
  };

  test('cholesky: factors, and the first minor that is not positive', async () => {
    const a = fx.view(f, [3, 2, 2], [4, 2, 2, 5, 1, 2, 2, 1, -1, 0, 0, 1]);
    const [factor, info] = [fx.empty(f, [3, 2, 2]), fx.empty('int32', [3])];
    run({ routine: 'cholesky', inputs: [a], outputs: [factor, info], flags: { upper: false } });
    expect(await read(info)).toEqual([0, 2, 1]);
    expect((await read(factor)).slice(0, 4)).toEqual([2, 0, 1, 2]);
  });

  test('lu: exchanges by size, and the first zero on the diagonal', async () => {
    const a = fx.view(f, [2, 2, 2], [1, 2, 4, 4, 1, 1, 1, 1]);
    const outputs = [
      fx.empty(f, [2, 2, 2]),
      fx.empty('int32', [2, 2]),
      fx.empty('int32', [2]),
    ] as const;
    run({ routine: 'lu', inputs: [a], outputs, flags: { pivot: true } });
    await close(outputs[0], [4, 4, 0.25, 1, 1, 1, 1, 0]);
    expect(await read(outputs[1])).toEqual([2, 2, 1, 2]);
    expect(await read(outputs[2])).toEqual([0, 2]);
  });

  test('permutation: the order of rows that exchanges give', async () => {
    const order = fx.empty(fx.indexDtype, [2, 4]);
    const pivots = fx.view('int32', [2, 3], [3, 3, 4, 1, 2, 3]);
    run({ routine: 'permutation', inputs: [pivots], outputs: [order], flags: {} });
    expect(await read(order)).toEqual([2, 0, 3, 1, 0, 1, 2, 3]);
  });

  test("qr: R and reflectors as LAPACK's", async () => {
    const outputs = [fx.empty(f, [2, 2]), fx.empty(f, [2])] as const;
    run({ routine: 'qr', inputs: [fx.view(f, [2, 2], [3, 1, 4, 2])], outputs, flags: {} });
    // The first column (3, 4) becomes (-5, 0): v = (1, 4 / 8), tau = 8 / 5; a last row has nothing below it.
    await close(outputs[0], [-5, -2.2, 0.5, 0.4]);
    await close(outputs[1], [1.6, 0]);
  });

  test('eigh and svd: values by hand', async () => {
    const [values, info] = [fx.empty(f, [2]), fx.empty('int32', [])];
    const symmetric = fx.view(f, [2, 2], [2, nan, 1, 2]);
    run({ routine: 'eigh', inputs: [symmetric], outputs: [values, info], flags: { upper: false } });
    await close(values, [1, 3]);
    const s = fx.empty(f, [2]);
    run({
      routine: 'svd',
      inputs: [fx.view(f, [2, 3], [0, -3, 0, 4, 0, 0])],
      outputs: [s, info],
      flags: {},
    });
    await close(s, [4, 3]);
  });

  test('eigh and svd: what is not finite ends, and is told of', async () => {
    const s = fx.empty(f, [3, 2]);
    const info = fx.empty('int32', [3]);
    const a = fx.view(f, [3, 2, 2], [1, 0, 0, 2, nan, 0, 0, 1, 1, 0, Infinity, 1]);
    const bases = [fx.empty(f, [3, 2, 2]), fx.empty(f, [3, 2, 2])] as const;
    run({ routine: 'svd', inputs: [a], outputs: [s, info, ...bases], flags: {} });
    expect(await read(info)).toEqual([0, -4, -4]);
    expect(await read(s)).toEqual([2, 1, nan, nan, nan, nan]);
    run({ routine: 'eigh', inputs: [a], outputs: [s, info, bases[0]], flags: { upper: false } });
    const told = await read(info);
    expect(told[0]).toBe(0);
    expect(told.slice(1).every((x) => x > 0)).toBe(true);
    expect(await read(s)).toEqual([1, 2, nan, nan, nan, nan]);
  });

  test('ldl: a block of two where the diagonal is 0', async () => {
    const outputs = [fx.empty(f, [2, 2]), fx.empty('int32', [2]), fx.empty('int32', [])] as const;
    run({ routine: 'ldl', inputs: [fx.view(f, [2, 2], [0, 5, 3, 0])], outputs, flags: {} });
    await close(outputs[0], [0, 0, 3, 0]);
    expect(await read(outputs[1])).toEqual([-2, -2]);
    const x = fx.empty(f, [2, 1]);
    const inputs = [outputs[0], outputs[1], fx.view(f, [2, 1], [6, 9])] as const;
    run({ routine: 'ldlSolve', inputs, outputs: [x], flags: {} });
    await close(x, [3, 2]);
    run({ routine: 'ldl', inputs: [fx.view(f, [2, 2], [0, 0, 0, 1])], outputs, flags: {} });
    expect(await read(outputs[2])).toEqual([1]);
  });

  test('matrices without elements', async () => {
    const [u, s, vt, info] = [
      fx.empty(f, [0, 0]),
      fx.empty(f, [0]),
      fx.empty(f, [2, 2]),
      fx.view('int32', [], [7]),
    ];
    run({ routine: 'svd', inputs: [fx.empty(f, [0, 2])], outputs: [s, info, u, vt], flags: {} });
    expect(await read(vt)).toEqual([1, 0, 0, 1]);
    expect(await read(info)).toEqual([0]);
    const outputs = [fx.empty(f, [0, 0]), fx.view('int32', [], [7])] as const;
    run({ routine: 'cholesky', inputs: [fx.empty(f, [0, 0])], outputs, flags: { upper: true } });
    expect(await read(outputs[1])).toEqual([0]);
  });
}
