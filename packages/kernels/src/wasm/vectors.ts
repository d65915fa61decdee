import type { Code } from './code.js';
import { f32x4, f64x2, i32x4, v128 } from './opcodes.js';

/**
 * Writes vector code in terms of values instead of a stack: every result is a v128 local, named by its
 * number. Literals become locals that are set once, before any loop.
 */
export class Vectors {
  readonly code: Code;
  /** Whether multiply-add is one instruction. */
  readonly fused: boolean;
  readonly #literals = new Map<string, number>();
  readonly #free: number[] = [];
  #taken: number[] | undefined;

  constructor(code: Code, fused: boolean) {
    this.code = code;
    this.fused = fused;
  }

  /** A v128 local for a result. */
  fresh(): number {
    const local = this.#free.pop() ?? this.code.local('v128');
    this.#taken?.push(local);
    return local;
  }

  /** Runs `write`; the locals it took are free again afterwards, but for those it returns. */
  scope(write: () => readonly number[]): readonly number[] {
    const outer = this.#taken;
    this.#taken = [];
    const kept = write();
    for (const local of this.#taken) {
      if (kept.includes(local)) outer?.push(local);
      else this.#free.push(local);
    }
    this.#taken = outer;
    return kept;
  }

  /** `scope` for one result. */
  scoped(write: () => number): number {
    return this.scope(() => [write()])[0] as number;
  }

  #literal(key: string, push: () => void): number {
    let local = this.#literals.get(key);
    if (local === undefined) {
      local = this.code.local('v128');
      const target = local;
      this.code.atStart(() => {
        push();
        this.code.set(target);
      });
      this.#literals.set(key, local);
    }
    return local;
  }

  f32(value: number): number {
    const shown = Object.is(value, -0) ? '-0' : value;
    return this.#literal(`f${shown}`, () => this.code.f32x4(value));
  }

  f64(value: number): number {
    const shown = Object.is(value, -0) ? '-0' : value;
    return this.#literal(`d${shown}`, () => this.code.f64x2(value));
  }

  i32(a: number, b = a, c = a, d = a): number {
    return this.#literal(`i${a},${b},${c},${d}`, () => this.code.i32x4(a, b, c, d));
  }

  i64(a: bigint): number {
    return this.#literal(`l${a}`, () => this.code.i64x2(a));
  }

  /** Pops a vector into a fresh local. */
  take(): number {
    const local = this.fresh();
    this.code.set(local);
    return local;
  }

  /** An instruction of one, two or three vectors. */
  op(code: number, a: number, b?: number, c?: number): number {
    this.code.get(a);
    if (b !== undefined) this.code.get(b);
    if (c !== undefined) this.code.get(c);
    this.code.op(code);
    return this.take();
  }

  /** A shift of all lanes by the same count. */
  shift(code: number, a: number, count: number): number {
    this.code.get(a).i32(count).op(code);
    return this.take();
  }

  /** Lanes of 32 bits chosen from `a` (0-3) and `b` (4-7). */
  shuffle(a: number, b: number, lanes: readonly [number, number, number, number]): number {
    this.code
      .get(a)
      .get(b)
      .shuffle32(...lanes);
    return this.take();
  }

  /** `mask ? a : b`, bit by bit. */
  select(mask: number, a: number, b: number): number {
    this.code.get(a).get(b).get(mask).op(v128.bitselect);
    return this.take();
  }

  // The short names formulas are written with; `2` marks float64.
  add = (a: number, b: number): number => this.op(f32x4.add, a, b);
  sub = (a: number, b: number): number => this.op(f32x4.sub, a, b);
  mul = (a: number, b: number): number => this.op(f32x4.mul, a, b);
  div = (a: number, b: number): number => this.op(f32x4.div, a, b);
  add2 = (a: number, b: number): number => this.op(f64x2.add, a, b);
  sub2 = (a: number, b: number): number => this.op(f64x2.sub, a, b);
  mul2 = (a: number, b: number): number => this.op(f64x2.mul, a, b);
  div2 = (a: number, b: number): number => this.op(f64x2.div, a, b);
  and = (a: number, b: number): number => this.op(v128.and, a, b);
  or = (a: number, b: number): number => this.op(v128.or, a, b);
  xor = (a: number, b: number): number => this.op(v128.xor, a, b);
  iadd = (a: number, b: number): number => this.op(i32x4.add, a, b);
  isub = (a: number, b: number): number => this.op(i32x4.sub, a, b);

  /** a * b + c in float32; rounded once where the machine can. */
  fma(a: number, b: number, c: number): number {
    if (this.fused) return this.op(f32x4.relaxedMadd, a, b, c);
    this.code.get(a).get(b).op(f32x4.mul).get(c).op(f32x4.add);
    return this.take();
  }

  /** a * b + c in float64. */
  fma2(a: number, b: number, c: number): number {
    if (this.fused) return this.op(f64x2.relaxedMadd, a, b, c);
    this.code.get(a).get(b).op(f64x2.mul).get(c).op(f64x2.add);
    return this.take();
  }

  /** The polynomial with the given float32 coefficients, highest power first, at `x`. */
  poly(x: number, coefficients: readonly number[]): number {
    return this.#estrin(
      x,
      coefficients,
      (c) => this.f32(c),
      (a, b, c) => this.fma(a, b, c),
      (a) => this.mul(a, a),
    );
  }

  /** The polynomial with the given float64 coefficients, highest power first, at `x`. */
  poly2(x: number, coefficients: readonly number[]): number {
    return this.#estrin(
      x,
      coefficients,
      (c) => this.f64(c),
      (a, b, c) => this.fma2(a, b, c),
      (a) => this.mul2(a, a),
    );
  }

  /** Estrin's scheme: pairs of terms, pairs of pairs and so on, half the latency of Horner's. */
  #estrin(
    x: number,
    coefficients: readonly number[],
    literal: (c: number) => number,
    fma: (a: number, b: number, c: number) => number,
    square: (a: number) => number,
  ): number {
    if (coefficients.length > 12) {
      // So many terms at once would not stay in registers: Horner's scheme.
      const [first, ...rest] = coefficients as [number, ...number[]];
      return rest.reduce((sum, c) => fma(sum, x, literal(c)), literal(first));
    }
    let terms = [...coefficients].reverse().map(literal);
    let power = x;
    while (terms.length > 1) {
      const next: number[] = [];
      for (let i = 0; i < terms.length; i += 2) {
        const low = terms[i] as number;
        const high = terms[i + 1];
        next.push(high === undefined ? low : fma(high, power, low));
      }
      terms = next;
      if (terms.length > 1) power = square(power);
    }
    return terms[0] as number;
  }
}
