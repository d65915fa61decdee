import type { Combiner, ComputeType } from '@sconce/core';
import { type Combine, combineLanes, combineValues, exchangeLanes, identity } from './combine.js';
import type { Emitter } from './emitter.js';
import { comparison } from './functions.js';
import { control, i32, i32x4, v128 } from './opcodes.js';
import { convert, isWide, literal, select, type Value } from './values.js';

/** Steps after which a float32 sum is added to its float64 total: error stays that of 64 additions. */
const FLUSH_STEPS = 64;

/**
 * The running result of one stage: four lanes, in several vectors where the loop is unrolled. Sums of floats are
 * carried in strips whose totals are float64.
 */
export class Accumulator {
  readonly #m: Emitter;
  readonly #combine: Combine;
  readonly #type: ComputeType;
  readonly #parts: Value[];
  /** float64 totals of a float sum. */
  readonly #totals: Value | undefined;
  readonly #pending: number;
  /** Positions of the best elements, int32. */
  readonly #positions: Value | undefined;

  constructor(m: Emitter, combine: Combiner, type: ComputeType, unroll: number) {
    this.#m = m;
    const arg = combine === 'argmax' || combine === 'argmin';
    this.#combine = combine === 'argmax' ? 'max' : combine === 'argmin' ? 'min' : combine;
    this.#type = arg && type === 'bool' ? 'int32' : type;
    this.#parts = Array.from({ length: unroll }, () => m.variable(this.#type));
    const isFloat = type === 'float32' || type === 'float64';
    this.#totals = combine === 'sum' && isFloat ? m.variable('float64') : undefined;
    this.#pending = this.#totals ? m.code.local('i32') : -1;
    this.#positions = arg ? m.variable('int32') : undefined;
  }

  /** Sets the identity; `begin` is the local with the first position, if not 0. */
  start(begin: number | undefined): void {
    const { code, v } = this.#m;
    const neutral = identity(v, this.#combine, this.#type);
    for (const part of this.#parts) this.#m.assign(part, neutral);
    if (this.#totals) {
      this.#m.assign(this.#totals, literal(v, 'float64', 0));
      code.i32(0).set(this.#pending);
    }
    if (this.#positions) {
      if (begin === undefined) code.get(v.i32(0));
      else code.get(begin).op(i32x4.splat);
      code.set(this.#positions.parts[0] as number);
    }
  }

  /** Takes in one vector of elements, but for lanes past the end of a row. */
  add(value: Value, u: number, position: Value | undefined): void {
    const m = this.#m;
    const { v } = m;
    const active = m.kernel.vector === 'reduced' ? m.activeLanes() : undefined;
    const part = this.#parts[u] as Value;
    const element = convert(v, value, this.#type);
    if (this.#positions && position) {
      let better = this.#isBetter(element, part);
      if (active !== undefined) better = v.and(better, active);
      const mask: Value = { type: 'bool', parts: [better] };
      m.assign(part, select(v, mask, element, part));
      m.assign(this.#positions, select(v, mask, position, this.#positions));
      return;
    }
    const masked =
      active === undefined
        ? element
        : select(
            v,
            { type: 'bool', parts: [active] },
            element,
            identity(v, this.#combine, this.#type),
          );
    m.assign(part, combineValues(v, this.#combine, part, masked));
  }

  /** A mask of the lanes where `a` wins over `b`: it is better, or NaN where `b` is not. */
  #isBetter(a: Value, b: Value): number {
    const { v } = this.#m;
    const better = comparison(v, this.#combine === 'max' ? 'gt' : 'lt', a, b).parts[0] as number;
    if (a.type !== 'float32' && a.type !== 'float64') return better;
    const aIsNan = comparison(v, 'ne', a, a).parts[0] as number;
    const bIsNan = comparison(v, 'ne', b, b).parts[0] as number;
    return v.or(better, v.op(v128.andnot, aIsNan, bIsNan));
  }

  /** Counts one step of a loop whose lanes are rows, also for others that take the same steps. */
  step(others: readonly Accumulator[] = []): void {
    if (!this.#totals) return;
    const { code } = this.#m;
    code.get(this.#pending).i32(1).op(i32.add).tee(this.#pending);
    code.i32(FLUSH_STEPS).op(i32.geU);
    code.if(() => {
      this.#flush();
      for (const other of others) other.#flush();
    });
  }

  /** Divides a run into strips so short that a float sum stays accurate. */
  strips(count: number, limit: number, run: (part: number) => void): void {
    if (!this.#totals) {
      run(count);
      return;
    }
    const { code } = this.#m;
    const left = code.local('i32');
    const part = code.local('i32');
    code.get(count).set(left);
    this.#m.while(
      () => code.get(left).i32(0).op(i32.gtS),
      () => {
        code.get(left).i32(limit).get(left).i32(limit).op(i32.ltS).op(control.select).set(part);
        run(part);
        code.get(this.#pending).get(part).op(i32.add).tee(this.#pending);
        code.i32(limit).op(i32.geU);
        code.if(() => this.#flush());
        code.get(left).get(part).op(i32.sub).set(left);
      },
    );
  }

  #flush(): void {
    const m = this.#m;
    const { v, code } = m;
    const totals = this.#totals as Value;
    v.scope(() => {
      let sum = this.#parts[0] as Value;
      for (const part of this.#parts.slice(1)) sum = combineValues(v, 'sum', sum, part);
      m.assign(totals, combineValues(v, 'sum', totals, convert(v, sum, 'float64')));
      const zero = literal(v, this.#type, 0);
      for (const part of this.#parts) m.assign(part, zero);
      return [];
    });
    code.i32(0).set(this.#pending);
  }

  #merged(): Value {
    const [first, ...rest] = this.#parts as [Value, ...Value[]];
    let sum = first;
    for (const part of rest) sum = combineValues(this.#m.v, this.#combine, sum, part);
    return sum;
  }

  /** Combines the four lanes: afterwards each holds the whole. */
  combineLanes(): void {
    const m = this.#m;
    const { v } = m;
    v.scope(() => {
      if (this.#totals) {
        this.#flush();
        m.assign(this.#totals, combineLanes(v, 'sum', this.#totals));
      } else if (this.#positions) {
        for (const round of [0, 1] as const) this.#meet(round);
      } else {
        m.assign(this.#parts[0] as Value, combineLanes(v, this.#combine, this.#merged()));
        // The other vectors are in it now.
        const neutral = identity(v, this.#combine, this.#type);
        for (const part of this.#parts.slice(1)) m.assign(part, neutral);
      }
      return [];
    });
  }

  /** Lets lanes meet their partners: the better wins, of equals the one that came first. */
  #meet(round: 0 | 1): void {
    const m = this.#m;
    const { v } = m;
    const best = this.#parts[0] as Value;
    const positions = this.#positions as Value;
    const other = exchangeLanes(v, best, round);
    const otherPositions = exchangeLanes(v, positions, round);
    const wins = this.#isBetter(other, best);
    const loses = this.#isBetter(best, other);
    const earlier = v.op(
      i32x4.ltS,
      otherPositions.parts[0] as number,
      positions.parts[0] as number,
    );
    const takes: Value = {
      type: 'bool',
      parts: [v.or(wins, v.op(v128.andnot, earlier, loses))],
    };
    const newBest = select(v, takes, other, best);
    const newPositions = select(v, takes, otherPositions, positions);
    m.assign(best, newBest);
    m.assign(positions, newPositions);
  }

  /** The result, in the type of the elements; positions for argmax and argmin. */
  finish(): Value {
    const { v } = this.#m;
    if (this.#positions) return this.#positions;
    if (!this.#totals) return this.#merged();
    this.#flush();
    return convert(v, this.#totals, this.#type);
  }

  /** Stores lane 0 as a partial result. */
  saveTo(address: number): void {
    const { code } = this.#m;
    const value = this.#totals ?? (this.#parts[0] as Value);
    code.get(address).get(value.parts[0] as number);
    code.memoryLane(isWide(value.type) ? v128.store64Lane : v128.store32Lane, 0);
    if (this.#positions) {
      code.get(address).get(this.#positions.parts[0] as number);
      code.memoryLane(v128.store32Lane, 0, 8);
    }
  }

  /** Takes in a partial result; those of a row come in order. */
  mergeFrom(address: number): void {
    const m = this.#m;
    const { v, code } = m;
    const target = this.#totals ?? (this.#parts[0] as Value);
    v.scope(() => {
      const wide = isWide(target.type);
      code.get(address).memory(wide ? v128.load64Splat : v128.load32Splat);
      const local = v.take();
      const value: Value = { type: target.type, parts: wide ? [local, local] : [local] };
      if (this.#positions) {
        const mask: Value = { type: 'bool', parts: [this.#isBetter(value, target)] };
        code.get(address).memory(v128.load32Splat, 8);
        const position: Value = { type: 'int32', parts: [v.take()] };
        m.assign(target, select(v, mask, value, target));
        m.assign(this.#positions, select(v, mask, position, this.#positions));
      } else {
        const how = this.#totals ? 'sum' : this.#combine;
        m.assign(target, combineValues(v, how, target, value));
      }
      return [];
    });
  }
}
