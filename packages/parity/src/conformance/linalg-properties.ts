import type { LinalgPrimitive } from '@sconce/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fixture } from './fixture.js';
import {
  distance,
  identity,
  lower,
  made,
  type Rows,
  Stack,
  times,
  transposed,
  unitLower,
  upper,
} from './matrices.js';
import { hold, type Pair, seeds } from './pair.js';

const cases = fc.record({
  batch: fc.constantFrom([], [], [3], [2, 2], [0]),
  m: fc.oneof(
    { weight: 6, arbitrary: fc.nat(7) },
    { weight: 1, arbitrary: fc.integer({ min: 20, max: 70 }) },
  ),
  n: fc.nat(7),
  k: fc.nat(5),
  flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  double: fc.boolean(),
  seed: seeds,
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Rounding errors of a routine on matrices of a size with elements about 2. */
const tolerance = (stack: Stack, size: number): number =>
  (stack.dtype === 'float64' ? 2 ** -52 : 2 ** -23) * 200 * (size + 1);

/**
 * The routines of linear algebra on random batches in random layouts, judged by what they promise: factors multiply to the matrix,
 * bases are orthonormal, solutions solve.
 */
export function linalgProperties(pair: Pair): void {
  const fixture: Fixture = pair.device;
  const doubles = fixture.supports('float64');
  const run = (call: Omit<LinalgPrimitive, 'kind'>) =>
    fixture.execute({ kind: 'linalg', ...call } as LinalgPrimitive);
  const property = (name: string, check: (stack: Stack, given: Case) => Promise<void>) =>
    test(`linalg: ${name}`, () =>
      hold(pair, cases, async (given) => {
        const stack = new Stack(
          fixture,
          given.double && doubles ? 'float64' : 'float32',
          given.batch,
          given.seed,
        );
        await check(stack, given);
        await stack.checkRest();
      }));
  const random = (stack: Stack, m: number, n: number): Rows[] =>
    Array.from({ length: stack.count }, () => made(m, n, () => stack.random()));
  /** Far from singular: the diagonal outweighs the rest. */
  const regular = (stack: Stack, n: number): Rows[] =>
    random(stack, n, n).map((a) =>
      a.map((row, i) => row.map((x, j) => (i === j ? x + 4 * n * Math.sign(x) : x))),
    );
  const near = (stack: Stack, size: number, found: Rows, wanted: Rows, scale = 1) =>
    expect(distance(found, wanted)).toBeLessThanOrEqual(tolerance(stack, size) * scale);
  /** Another triangle than the one that may be read is NaN. */
  const half = (a: Rows, isUpper: boolean, strict = false): Rows =>
    a.map((row, i) =>
      row.map((x, j) => ((isUpper ? i <= j : i >= j) && !(strict && i === j) ? x : NaN)),
    );

  property('Cholesky factors', async (stack, { m: n, flags: [isUpper] }) => {
    const a = regular(stack, n).map((x) => times(x, transposed(x, n), n));
    // What the device holds is rounded.
    const held = stack.dtype === 'float64' ? a : a.map((x) => x.map((row) => row.map(Math.fround)));
    const [factor, info] = [stack.output([n, n]), stack.output([], 'int32')];
    const inputs = [
      stack.input(
        held.map((x) => half(x, isUpper)),
        n,
        n,
      ),
    ] as const;
    run({ routine: 'cholesky', inputs, outputs: [factor, info], flags: { upper: isUpper } });
    const factors = await stack.matrices(factor);
    factors.forEach((f, i) => {
      const l = isUpper ? transposed(f, n) : f;
      expect(distance(l, lower(l))).toBe(0);
      near(
        stack,
        n,
        times(l, transposed(l, n), n),
        symmetric(held[i] as Rows, isUpper),
        16 * n * n + 1,
      );
    });
    expect((await fixture.read(info)).map(Number)).toEqual(factors.map(() => 0));
  });

  property('LU with and without exchanges, permutations and solutions', async (stack, given) => {
    const {
      m,
      n,
      k,
      flags: [adjoint, square, pivot],
    } = given;
    const columns = square || adjoint ? m : n;
    const count = Math.min(m, columns);
    const a =
      pivot && m !== columns
        ? random(stack, m, columns)
        : m === columns
          ? regular(stack, m)
          : random(stack, m, columns);
    const withPivot = pivot || m !== columns;
    const outputs = [
      stack.output([m, columns]),
      stack.output([count], 'int32'),
      stack.output([], 'int32'),
    ] as const;
    run({
      routine: 'lu',
      inputs: [stack.input(a, m, columns)],
      outputs,
      flags: { pivot: withPivot },
    });
    const order = stack.output([m], fixture.indexDtype);
    run({ routine: 'permutation', inputs: [outputs[1]], outputs: [order], flags: {} });
    const [factors, orders] = [await stack.matrices(outputs[0]), await stack.vectorsOf(order)];
    factors.forEach((f, i) => {
      const product = times(unitLower(f, count), upper(f).slice(0, count), columns);
      near(
        stack,
        m,
        product,
        (orders[i] as number[]).map((row) => a[i]?.[row] as number[]),
        4 * m + 1,
      );
      if (!withPivot) expect(orders[i]).toEqual(made(1, m, (_, j) => j)[0]);
      else
        for (const row of unitLower(f, count))
          for (const x of row) expect(Math.abs(x)).toBeLessThanOrEqual(1);
    });
    if (m !== columns) return;
    const b = random(stack, m, k);
    const x = stack.output([m, k]);
    run({
      routine: 'luSolve',
      inputs: [outputs[0], outputs[1], stack.input(b, m, k)],
      outputs: [x],
      flags: { adjoint },
    });
    (await stack.matrices(x)).forEach((found, i) => {
      const matrix = a[i] as Rows;
      near(stack, m, times(adjoint ? transposed(matrix, m) : matrix, found, k), b[i] as Rows, 4);
    });
  });

  property(
    'QR, and products with its reflectors',
    async (stack, { m, n, k, flags: [transpose] }) => {
      const a = random(stack, m, n);
      const count = Math.min(m, n);
      const outputs = [stack.output([m, n]), stack.output([count])] as const;
      run({ routine: 'qr', inputs: [stack.input(a, m, n)], outputs, flags: {} });
      const packed = await stack.matrices(outputs[0]);
      const first = stack.input(
        packed.map((p) => p.map((row) => row.slice(0, count))),
        m,
        count,
      );
      const q = stack.output([m, count]);
      run({ routine: 'householderProduct', inputs: [first, outputs[1]], outputs: [q], flags: {} });
      const c = random(stack, m, k);
      const product = stack.output([m, k]);
      const inputs = [outputs[0], outputs[1], stack.input(c, m, k)] as const;
      run({ routine: 'householderMultiply', inputs, outputs: [product], flags: { transpose } });
      const whole = stack.output([m, m]);
      const bases = [
        outputs[0],
        outputs[1],
        stack.input(
          a.map(() => identity(m)),
          m,
          m,
        ),
      ] as const;
      run({
        routine: 'householderMultiply',
        inputs: bases,
        outputs: [whole],
        flags: { transpose: false },
      });
      const [qs, products, wholes] = [
        await stack.matrices(q),
        await stack.matrices(product),
        await stack.matrices(whole),
      ];
      qs.forEach((basis, i) => {
        const full = wholes[i] as Rows;
        near(stack, m, times(transposed(full, m), full, m), identity(m));
        near(
          stack,
          m,
          basis,
          full.map((row) => row.slice(0, count)),
        );
        near(stack, m, times(basis, upper(packed[i] as Rows).slice(0, count), n), a[i] as Rows);
        near(
          stack,
          m,
          products[i] as Rows,
          times(transpose ? transposed(full, m) : full, c[i] as Rows, k),
        );
      });
    },
  );

  property(
    'eigenvalues and eigenvectors of symmetric matrices',
    async (stack, { m: n, flags: [isUpper, alone] }) => {
      const a = random(stack, n, n);
      const input = stack.input(
        a.map((x) => half(x, isUpper)),
        n,
        n,
      );
      const [values, info, vectors] = [
        stack.output([n]),
        stack.output([], 'int32'),
        stack.output([n, n]),
      ];
      const flags = { upper: isUpper };
      run({ routine: 'eigh', inputs: [input], outputs: [values, info, vectors], flags });
      const [found, bases] = [await stack.vectorsOf(values), await stack.matrices(vectors)];
      bases.forEach((v, i) => {
        const own = found[i] as number[];
        expect(own).toEqual([...own].sort((x, y) => x - y));
        near(stack, n, times(transposed(v, n), v, n), identity(n));
        const scaled = v.map((row) => row.map((x, j) => x * (own[j] as number)));
        near(stack, n, times(symmetric(a[i] as Rows, isUpper), v, n), scaled, n + 1);
      });
      expect((await fixture.read(info)).map(Number)).toEqual(bases.map(() => 0));
      if (!alone) return;
      const only = stack.output([n]);
      run({ routine: 'eigh', inputs: [input], outputs: [only, info], flags });
      near(stack, n, await stack.vectorsOf(only), found, n + 1);
    },
  );

  property(
    'singular values and vectors',
    async (stack, { m, n, flags: [full, alone, deficient] }) => {
      const count = Math.min(m, n);
      const a = random(stack, m, n).map((x) =>
        // Of rank 1 at most.
        deficient
          ? made(m, n, (i, j) =>
              Math.fround((x[i]?.[0] as number) * Math.sign(x[0]?.[j] as number)),
            )
          : x,
      );
      const input = stack.input(a, m, n);
      const [s, info] = [stack.output([count]), stack.output([], 'int32')];
      const [u, vt] = [stack.output([m, full ? m : count]), stack.output([full ? n : count, n])];
      run({ routine: 'svd', inputs: [input], outputs: [s, info, u, vt], flags: {} });
      const [values, left, right] = [
        await stack.vectorsOf(s),
        await stack.matrices(u),
        await stack.matrices(vt),
      ];
      left.forEach((basis, i) => {
        const [own, rows] = [values[i] as number[], right[i] as Rows];
        expect(own).toEqual([...own].sort((x, y) => y - x));
        expect(own.every((x) => x >= 0)).toBe(true);
        const width = full ? m : count;
        near(stack, m, times(transposed(basis, width), basis, width), identity(width));
        near(stack, m, times(rows, transposed(rows, n), rows.length), identity(rows.length));
        const scaled = basis.map((row) => own.map((value, j) => (row[j] as number) * value));
        near(stack, m, times(scaled, rows.slice(0, count), n), a[i] as Rows, 4);
      });
      expect((await fixture.read(info)).map(Number)).toEqual(left.map(() => 0));
      if (!alone) return;
      const only = stack.output([count]);
      run({ routine: 'svd', inputs: [input], outputs: [only, info], flags: {} });
      near(stack, m, await stack.vectorsOf(only), values, 4);
    },
  );

  property(
    'solutions with triangles',
    async (stack, { m: n, k, flags: [isUpper, unitriangular] }) => {
      const a = regular(stack, n);
      const b = random(stack, n, k);
      const x = stack.output([n, k]);
      const scaled = unitriangular
        ? a.map((rows) => rows.map((row) => row.map((v) => Math.fround(v / (4 * n)))))
        : a;
      const read = scaled.map((rows) => half(rows, isUpper, unitriangular));
      const inputs = [stack.input(read, n, n), stack.input(b, n, k)] as const;
      run({
        routine: 'triangularSolve',
        inputs,
        outputs: [x],
        flags: { upper: isUpper, unitriangular },
      });
      (await stack.matrices(x)).forEach((found, i) => {
        const triangle = (isUpper ? upper : lower)(scaled[i] as Rows).map((row, r) =>
          row.map((v, c) => (unitriangular && r === c ? 1 : v)),
        );
        near(stack, n, times(triangle, found, k), b[i] as Rows, 4);
      });
    },
  );

  property('LDL and its solutions', async (stack, { m: n, k }) => {
    const a = random(stack, n, n).map((x) => symmetric(x, false));
    const b = random(stack, n, k);
    const outputs = [
      stack.output([n, n]),
      stack.output([n], 'int32'),
      stack.output([], 'int32'),
    ] as const;
    run({
      routine: 'ldl',
      inputs: [
        stack.input(
          a.map((x) => half(x, false)),
          n,
          n,
        ),
      ],
      outputs,
      flags: {},
    });
    const x = stack.output([n, k]);
    run({
      routine: 'ldlSolve',
      inputs: [outputs[0], outputs[1], stack.input(b, n, k)],
      outputs: [x],
      flags: {},
    });
    const [ld, solutions] = [await stack.matrices(outputs[0]), await stack.matrices(x)];
    solutions.forEach((found, i) => {
      expect(distance(ld[i] as Rows, lower(ld[i] as Rows))).toBe(0);
      // Random matrices may be near singular: the error is measured against the size of what was found.
      const size = Math.max(1, ...found.flat().map(Math.abs));
      near(stack, n, times(a[i] as Rows, found, k), b[i] as Rows, 4 * size);
    });
  });
}

/** The symmetric matrix of which one triangle is given. */
function symmetric(a: Rows, isUpper: boolean): Rows {
  const n = a.length;
  return made(
    n,
    n,
    (i, j) =>
      a[isUpper ? Math.min(i, j) : Math.max(i, j)]?.[
        isUpper ? Math.max(i, j) : Math.min(i, j)
      ] as number,
  );
}
