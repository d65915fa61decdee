import type { DType, Expr, ExprFunction, View } from '@sconce/core';
import { apply, input, specialFunctions as special } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { KernelBackend } from './test-backend.test.js';

const backend = new KernelBackend(2048);

function view(dtype: DType, data: Float32Array): View {
  const buffer = backend.allocate(dtype, data.length);
  backend.write(buffer, dtype, 0, data);
  const storage = { buffer } as unknown as View['storage'];
  return { storage, dtype, shape: [data.length], strides: [1], offset: 0 };
}

function evaluate(value: Expr, inputs: readonly Float32Array[]): Float32Array {
  backend.clear();
  const views = inputs.map((data) => view('float32', data));
  const out = view('float32', new Float32Array((inputs[0] as Float32Array).length));
  const { shape } = out;
  backend.execute({
    kind: 'map',
    shape,
    inputs: views,
    scalars: [],
    values: [value],
    outputs: [out],
  });
  return backend.readSync(out.storage.buffer, 'float32', 0, shape[0] as number) as Float32Array;
}

/** Distance in units in the last place of the float32 nearest to what is right. */
function ulps(got: number, right: number): number {
  if (Number.isNaN(right)) return Number.isNaN(got) ? 0 : Number.POSITIVE_INFINITY;
  const rounded = Math.fround(right);
  if (got === rounded) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(rounded)) {
    // Just across the end of the range is within one unit.
    const big = (x: number): number => (Number.isFinite(x) ? x : Math.sign(x) * 2 ** 128);
    return Math.abs(big(got) - big(right)) / 2 ** 104;
  }
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(rounded))));
  return Math.abs(got - right) / 2 ** (exponent - 23);
}

/** Float32 of every exponent and sign at regular bit patterns, and the special values. */
function wholeRange(step: number): Float32Array {
  const bits: number[] = [0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x80000001];
  for (let b = 0; b < 2 ** 32; b += step) bits.push(b);
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** Regular points of an interval, where a function has its zeros, seams and turns. */
function interval(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / count);
}

const references: Partial<Record<ExprFunction, (x: number) => number>> = {
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  erf: special.erf,
  erfc: special.erfc,
  erfinv: special.erfinv,
  lgamma: special.lgamma,
  digamma: special.digamma,
};

const pow = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;

/** `SCONCE_STEP=997` looks at four million numbers a function instead of thirty thousand. */
const step = Number(process.env.SCONCE_STEP ?? 131_101);

describe('float32 functions are within 2 ulp', () => {
  const fine = Math.max(4000, Math.floor(2 ** 32 / step / 4));
  for (const [name, reference] of Object.entries(references)) {
    it(name, () => {
      const value = apply(name as ExprFunction, input(0, 'float32'));
      let worst = 0;
      let at = '';
      for (const x of [
        wholeRange(step),
        interval(-1, 1, fine),
        interval(-12, 12, fine),
        interval(-105, 105, fine),
      ]) {
        const got = evaluate(value, [x]);
        x.forEach((xi, i) => {
          const right = reference(xi);
          // Zeros of lgamma on the negative axis: the reference itself loses its digits there.
          if (name === 'lgamma' && xi < -2 && Math.abs(right) < 1e-4) return;
          const error = ulps(got[i] as number, right);
          if (error > worst) {
            worst = error;
            at = `${name}(${xi}) = ${got[i]}, expected ${Math.fround(right)}: ${error} ulp`;
          }
        });
      }
      if (process.env.SCONCE_STEP) console.log(at);
      expect(worst, at).toBeLessThanOrEqual(2);
    });
  }

  it('pow, atan2 and fmod', () => {
    const a = wholeRange(step * 3);
    const b = Float32Array.from(a, (_, i) => {
      const base = Math.log2(Math.abs(a[i] as number)) || 1;
      const k = (i * 7919) % a.length;
      if (i % 3 === 0) return a[k] as number;
      if (i % 3 === 1) return (i % 41) - 20;
      return (((k / a.length) * 2 - 1) * 150) / base;
    });
    const cases: [ExprFunction, (x: number, y: number) => number][] = [
      ['pow', pow],
      ['atan2', Math.atan2],
      ['fmod', (x, y) => x % y],
    ];
    for (const [name, reference] of cases) {
      const got = evaluate(apply(name, input(0, 'float32'), input(1, 'float32')), [a, b]);
      let worst = 0;
      let at = '';
      got.forEach((g, i) => {
        const [x, y] = [a[i] as number, b[i] as number];
        const error = ulps(g, reference(x, y));
        if (error > worst) {
          worst = error;
          at = `${name}(${x}, ${y}) = ${g}, expected ${reference(x, y)}: ${error} ulp`;
        }
      });
      if (process.env.SCONCE_STEP) console.log(at);
      expect(worst, at).toBeLessThanOrEqual(2);
    }
  });

  it('keeps the sign of zero', () => {
    for (const name of [
      'sin',
      'tan',
      'tanh',
      'erf',
      'expm1',
      'log1p',
      'asinh',
      'atanh',
      'sinh',
      'asin',
      'atan',
    ] as const) {
      const got = evaluate(apply(name, input(0, 'float32')), [Float32Array.of(-0, 0, -0, 0, -0)]);
      expect([...got], name).toEqual([-0, 0, -0, 0, -0]);
    }
  });

  it('lgamma is 0, not -0, at 1 and 2', () => {
    const got = evaluate(apply('lgamma', input(0, 'float32')), [Float32Array.of(1, 2, 1, 2, 1)]);
    expect([...got]).toEqual([0, 0, 0, 0, 0]);
  });
});
