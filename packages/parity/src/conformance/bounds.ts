import type { ComputeType, Expr, ExprFunction, ScalarValue, TypedArray, View } from '@sconce/core';
import { apply, cast, input, numel } from '@sconce/core';
import type { Fixture } from './fixture.js';
import type { Limits } from './limits.js';
import { ulp } from './ulp.js';

/**
 * What a node may be at every position: floats between `low` and `high`, other types exactly `low`.
 * Where `sure` is 0 the error of the arguments leaves the result open (a comparison of
 * numbers too close, a pole), and nothing is claimed.
 */
export interface Bounds {
  readonly type: ComputeType;
  readonly low: TypedArray;
  readonly high: TypedArray;
  readonly sure: Uint8Array;
}

/** What the leaves of a tree refer to, on the reference device. */
export interface Leaves {
  readonly shape: readonly number[];
  readonly inputs: readonly View[];
  readonly scalars: readonly ScalarValue[];
  readonly stages?: readonly Bounds[];
}

const isFloat = (type: ComputeType) => type === 'float32' || type === 'float64';
const greatestFloat32 = (2 - 2 ** -23) * 2 ** 127;

/** Functions that samples at the ends bound, whatever lies between. */
const monotoneSteps = new Set<string>(['floor', 'ceil', 'trunc', 'round']);
const linear = new Set<string>(['add', 'sub', 'mul', 'neg', 'abs', 'min', 'max']);

/**
 * Computes bounds of expressions by interval arithmetic: every function is sampled in double
 * precision by the reference interpreter at the ends and the middle of its arguments, and the
 * result widened by what the device is allowed. A backend that keeps every function within its limit
 * is inside the bounds for any tree, however it fuses and reorders nothing but multiply-adds.
 */
export class Judge {
  readonly #reference: Fixture;
  readonly #limits: Limits;
  readonly #leaves: Leaves;
  readonly #count: number;
  readonly #known = new Map<Expr, Bounds>();

  constructor(reference: Fixture, limits: Limits, leaves: Leaves) {
    this.#reference = reference;
    this.#limits = limits;
    this.#leaves = leaves;
    this.#count = numel(leaves.shape);
  }

  bounds(node: Expr): Bounds {
    let found = this.#known.get(node);
    if (!found) {
      found = this.#evaluate(node);
      if (node.dtype === 'int64' && this.#limits.int64Bits === 32) doubtWide(found);
      this.#known.set(node, found);
    }
    return found;
  }

  #evaluate(node: Expr): Bounds {
    switch (node.op) {
      case 'const':
      case 'input':
      case 'load':
      case 'scalar':
      case 'coord':
      case 'linear':
        return this.#leaf(node);
      case 'stage':
        return this.#stage(node);
      case 'where':
        return this.#choice(node);
      case 'cast':
        return this.#conversion(node);
      case 'bitcast':
        throw new Error('bounds: bit patterns have no bounds');
      default:
        return this.#function(node);
    }
  }

  /** Values of an expression over arrays of arguments, on the reference device. */
  #run(value: Expr, args: readonly TypedArray[], types: readonly ComputeType[]): TypedArray {
    const shape = [this.#count];
    const views = args.map((data, k) => ({
      storage: this.#reference.storage(types[k] as ComputeType, data),
      dtype: types[k] as ComputeType,
      shape,
      strides: [1],
      offset: 0,
    }));
    return this.#execute(value, shape, views, []);
  }

  #execute(
    value: Expr,
    shape: readonly number[],
    inputs: readonly View[],
    scalars: readonly ScalarValue[],
  ): TypedArray {
    const out = this.#reference.empty(value.dtype, shape);
    this.#reference.execute({
      kind: 'map',
      shape,
      inputs,
      scalars,
      values: [value],
      outputs: [out],
    });
    const { storage } = out;
    return storage.backend.readSync?.(storage.buffer, value.dtype, 0, this.#count) as TypedArray;
  }

  #leaf(node: Expr): Bounds {
    const { shape, inputs, scalars } = this.#leaves;
    const values = this.#execute(node, shape, inputs, scalars);
    const sure = new Uint8Array(this.#count).fill(1);
    if (!isFloat(node.dtype)) return { type: node.dtype, low: values, high: values, sure };
    const low = Float64Array.from(values as Float64Array);
    const high = low.slice();
    this.#flush(node.dtype, low, high);
    return { type: node.dtype, low, high, sure };
  }

  /** Lets numbers too small to be normal be 0, where the device may drop them. */
  #flush(type: ComputeType, low: Float64Array, high: Float64Array): void {
    if (!this.#limits.flushesDenormals || type !== 'float32') return;
    const least = 2 ** -126;
    for (let i = 0; i < low.length; i++) {
      const a = low[i] as number;
      const b = high[i] as number;
      if (a > 0 && a < least) low[i] = 0;
      if (b < 0 && b > -least) high[i] = 0;
    }
  }

  /** Positions are bigints in bounds, int32 in expressions of a device that has no int64. */
  #stage(node: Expr): Bounds {
    const found = this.#leaves.stages?.[Number(node.value)] as Bounds;
    if (found.type === node.dtype) return found;
    const low = Int32Array.from(found.low as BigInt64Array, Number);
    return { type: 'int32', low, high: low, sure: found.sure };
  }

  #choice(node: Expr): Bounds {
    const [condition, a, b] = node.args.map((arg) => this.bounds(arg)) as [Bounds, Bounds, Bounds];
    const low = a.low.slice() as Float64Array;
    const high = a.high.slice() as Float64Array;
    const sure = new Uint8Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const from = condition.low[i] ? a : b;
      low[i] = from.low[i] as number;
      high[i] = from.high[i] as number;
      sure[i] = (condition.sure[i] as number) & (from.sure[i] as number);
    }
    return { type: node.dtype, low, high, sure };
  }

  #conversion(node: Expr): Bounds {
    const [from] = node.args.map((arg) => this.bounds(arg)) as [Bounds];
    const to = node.dtype;
    const own = isFloat(from.type) ? 'float64' : from.type;
    const expr = cast(input(0, own), isFloat(from.type) && isFloat(to) ? 'float64' : to);
    const low = this.#run(expr, [from.low], [own]);
    const high = this.#run(expr, [from.high], [own]);
    const sure = from.sure.slice();
    if (isFloat(to)) {
      const down = Float64Array.from(low as Float64Array);
      const up = Float64Array.from(high as Float64Array);
      // Between floats a conversion rounds once; from integers it may, too.
      if (to === 'float32')
        for (let i = 0; i < this.#count; i++) {
          down[i] = Math.fround(down[i] as number);
          up[i] = Math.fround(up[i] as number);
        }
      this.#flush(to, down, up);
      return { type: to, low: down, high: up, sure };
    }
    const bits = to === 'int32' ? 32 : this.#limits.int64Bits;
    const range = 2 ** (bits - 1);
    for (let i = 0; i < this.#count; i++) {
      if (low[i] !== high[i]) sure[i] = 0;
      if (!isFloat(from.type)) continue;
      const a = from.low[i] as number;
      const b = from.high[i] as number;
      // What NaN and numbers out of range become is the device's own affair.
      if (to !== 'bool' && !(Math.abs(a) < range && Math.abs(b) < range)) sure[i] = 0;
      if (to === 'bool' && a < 0 && b > 0) sure[i] = 0;
    }
    return { type: to, low, high: low, sure };
  }

  #function(node: Expr): Bounds {
    const name = node.op as ExprFunction;
    const args = node.args.map((arg) => this.bounds(arg));
    const type = (args[0] as Bounds).type;
    const sure = new Uint8Array(this.#count).fill(1);
    for (const arg of args)
      for (let i = 0; i < this.#count; i++) sure[i] = (sure[i] as number) & (arg.sure[i] as number);
    const own = isFloat(type) ? 'float64' : type;
    const expr = apply(name, ...args.map((_, k) => input(k, own)));
    const types = args.map(() => own);
    if (!isFloat(type)) {
      const values = this.#run(
        expr,
        args.map((arg) => arg.low),
        types,
      );
      return { type: node.dtype, low: values, high: values, sure };
    }
    const samples = cornersOf(args as readonly FloatBounds[]).map((corner) =>
      this.#run(expr, corner, types),
    );
    return node.dtype === 'bool'
      ? this.#comparison(name, args as readonly FloatBounds[], samples, sure)
      : this.#float(name, type, args as readonly FloatBounds[], samples as Float64Array[], sure);
  }

  #comparison(
    name: string,
    args: readonly FloatBounds[],
    samples: readonly TypedArray[],
    sure: Uint8Array,
  ): Bounds {
    const first = samples[0] as TypedArray;
    const [a, b] = args as [FloatBounds, FloatBounds | undefined];
    for (let i = 0; i < this.#count; i++) {
      if (samples.some((sample) => sample[i] !== first[i])) sure[i] = 0;
      if (!b || name === 'isnan') continue;
      const exact = a.low[i] === a.high[i] && b.low[i] === b.high[i];
      const overlap =
        (a.low[i] as number) <= (b.high[i] as number) &&
        (b.low[i] as number) <= (a.high[i] as number);
      if (!exact && overlap) sure[i] = 0;
    }
    return { type: 'bool', low: first, high: first, sure };
  }

  #float(
    name: ExprFunction,
    type: ComputeType,
    args: readonly FloatBounds[],
    samples: readonly Float64Array[],
    sure: Uint8Array,
  ): Bounds {
    const low = new Float64Array(this.#count);
    const high = new Float64Array(this.#count);
    const units = this.#limits.ulps(name, type);
    for (let i = 0; i < this.#count; i++) {
      const values = samples.map((sample) => sample[i] as number);
      const nans = values.filter(Number.isNaN).length;
      if (nans > 0) {
        low[i] = high[i] = Number.NaN;
        if (nans < values.length) sure[i] = 0;
        continue;
      }
      let least = Math.min(...values);
      let greatest = Math.max(...values);
      if (name === 'abs' && least > 0 && crossesZero(args[0] as FloatBounds, i)) least = 0;
      if (opens(name, args, i, least, greatest)) sure[i] = 0;
      if (least !== greatest && !linear.has(name) && !monotoneSteps.has(name)) {
        // Between the samples a smooth function may turn; not by more than it moved in all.
        const moved = greatest - least;
        if (!(moved <= 0.05 * Math.abs(least) + 1e-3)) sure[i] = 0;
        least -= moved;
        greatest += moved;
      }
      low[i] = overflow(least - units * ulp(scale(name, least), type), type);
      high[i] = overflow(greatest + units * ulp(scale(name, greatest), type), type);
    }
    this.#flush(type, low, high);
    return { type, low, high, sure };
  }
}

interface FloatBounds extends Bounds {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * The size whose last place counts the error of a result: its own, but for lgamma and digamma, which
 * vanish at irrational points around which no float32 implementation (PyTorch's included) is accurate to the last place.
 */
export function scale(name: ExprFunction, result: number): number {
  if (name === 'lgamma' || name === 'digamma') return Math.max(Math.abs(result), 1);
  return result;
}

/** Nothing is claimed of int64 values that do not fit a device's 32 bits. */
export function doubtWide({ low, sure }: Bounds): void {
  (low as BigInt64Array).forEach((value, i) => {
    if (BigInt.asIntN(32, value) !== value) sure[i] = 0;
  });
}

const crossesZero = ({ low, high }: FloatBounds, i: number) =>
  (low[i] as number) < 0 && (high[i] as number) > 0;

/** Beyond the largest float32 a device has infinity. */
function overflow(x: number, type: ComputeType): number {
  return type === 'float32' && Math.abs(x) > greatestFloat32 ? Math.fround(x) : x;
}

/** The ends and the middle of one argument; all pairs of ends and the middle of two. */
function cornersOf(args: readonly FloatBounds[]): Float64Array[][] {
  const middle = args.map(({ low, high }) =>
    low.map((x, i) => (x === high[i] ? x : x + ((high[i] as number) - x) / 2)),
  );
  const [a, b] = args as [FloatBounds, FloatBounds | undefined];
  if (!b) return [[a.low], [a.high], middle];
  return [[a.low, b.low], [a.low, b.high], [a.high, b.low], [a.high, b.high], middle];
}

/** Whether a function may do anything between the samples: poles, branch cuts, the sign of a zero. */
function opens(
  name: string,
  args: readonly FloatBounds[],
  i: number,
  least: number,
  greatest: number,
): boolean {
  const touchesZero = (k: number) =>
    (args[k]?.low[i] as number) <= 0 && (args[k]?.high[i] as number) >= 0;
  if (
    args.some(
      ({ low, high }) =>
        !Number.isFinite((high[i] as number) - (low[i] as number)) && low[i] !== high[i],
    )
  ) {
    return true;
  }
  // Infinity times an interval around 0 and the like: samples miss the NaN.
  if (
    name === 'mul' &&
    args.some(({ low }, k) => !Number.isFinite(low[i] as number) && touchesZero(1 - k))
  )
    return true;
  if (name === 'div') return touchesZero(1);
  if (name === 'atan2') return touchesZero(0) || touchesZero(1);
  if (name === 'pow') return touchesZero(0);
  if (name === 'fmod') return touchesZero(1) || least !== greatest;
  return false;
}
