import { expect, it } from 'vitest';
import { Dense } from './dense.js';
import { eigh } from './eigh.js';
import { svd } from './svd.js';

/** A repeatable stream of numbers in [-0.5, 0.5). */
function stream(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** Matrices at which iterations are known to go wrong: extreme, graded, deficient, with equal values. */
const kinds: Record<string, (x: number, i: number, j: number) => number> = {
  ordinary: (x) => x,
  small: (x) => x * 1e-300,
  large: (x) => x * 1e300,
  'smaller squares': (x) => x * 1e-160,
  'larger squares': (x) => x * 1e160,
  whole: (x) => Math.round(x * 3),
  identity: (_, i, j) => Number(i === j),
  deficient: (_, i, j) => (i % 2) * ((j % 3) - 1),
  graded: (x, i, j) => x * 10 ** (-6 * (i + j)),
  zero: () => 0,
};

/** The greatest difference of u diag(values) v^T from a, by the size of a, and of u^T u and v^T v from the identity. */
function errors(a: Dense, values: ArrayLike<number>, u: Dense, v: Dense): [number, number] {
  const size = a.data.reduce((most, x) => Math.max(most, Math.abs(x)), Number.MIN_VALUE);
  let product = 0;
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) {
      let x = -a.at(i, j) / size;
      for (let k = 0; k < values.length; k++) {
        x += u.at(i, k) * ((values[k] as number) / size) * v.at(j, k);
      }
      product = Math.max(product, Math.abs(x));
    }
  }
  let basis = 0;
  for (const q of [u, v]) {
    for (let i = 0; i < q.columns; i++) {
      for (let j = 0; j < q.columns; j++) {
        let x = i === j ? -1 : 0;
        for (let k = 0; k < q.rows; k++) x += q.at(k, i) * q.at(k, j);
        basis = Math.max(basis, Math.abs(x));
      }
    }
  }
  return [product, basis];
}

it.each(Object.keys(kinds))('decomposes %s matrices to the precision of doubles', (kind) => {
  const next = stream();
  const element = kinds[kind] as (x: number, i: number, j: number) => number;
  for (let round = 0; round < 150; round++) {
    const [m, n] = [1 + Math.floor((next() + 0.5) * 9), 1 + Math.floor((next() + 0.5) * 9)];
    const a = new Dense(m, n);
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) a.set(i, j, element(next(), i, j));
    const { s, u, v } = svd(a, true, true);
    const [product, basis] = errors(a, s, u, v);
    expect(product, `svd ${m} x ${n}`).toBeLessThan(1e-14);
    expect(basis, `svd ${m} x ${n}`).toBeLessThan(1e-14);
    if (m !== n) continue;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a.set(j, i, a.at(i, j));
    const { values, vectors } = eigh(a, false);
    const [rebuilt, orthonormal] = errors(a, values, vectors, vectors);
    expect(rebuilt, `eigh ${n}`).toBeLessThan(1e-14);
    expect(orthonormal, `eigh ${n}`).toBeLessThan(1e-14);
  }
});
