import type { DType, TypedArray } from '../dtype.js';
import { ValueError } from '../errors.js';
import { type FloatDType, largestFloat } from '../number-ranges.js';
import { fma32, fma64 } from './exact-arithmetic.js';
import type { Mt19937 } from './mt19937.js';
import {
  asNumbers,
  fillWith,
  isHalf,
  requireFloating,
  roundTo,
  roundToHalf,
  toHalfBits,
} from './samples.js';

/**
 * Fills `out` with numbers uniform in [from, to), bit for bit as PyTorch's CPU `uniform_`.
 *
 * float64 takes 53 of 64 random bits a number; float32, float16 and bfloat16 take 24, 11 and 8 of
 * 32. PyTorch fills elements in memory order, so a transposed dense tensor passes its memory.
 *
 * @param out elements in memory order, 16-bit floats as raw bits.
 * @param dtype what `out` holds; must be floating.
 * @throws NotImplementedError if `dtype` is not floating; ValueError if from > to, or the bounds or
 * their distance do not fit `dtype`.
 * @example fillUniform(new Float32Array(3), 'float32', new Mt19937(0n)); // 0.4963, 0.7682, 0.0885
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html
 */
export function fillUniform(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  from = 0,
  to = 1,
): void {
  requireFloating('uniform_', dtype);
  checkBounds(dtype as FloatDType, from, to);
  if (out instanceof Float64Array) {
    const span = to - from;
    if (from === 0 || isPowerOfTwo(span)) {
      for (let i = 0; i < out.length; i++) out[i] = engine.uniformDouble() * span + from;
    } else {
      for (let i = 0; i < out.length; i++) out[i] = fma64(engine.uniformDouble(), span, from);
    }
  } else if (out instanceof Float32Array) {
    engine.fillUniformFloat(out);
    const low = Math.fround(from);
    const span = Math.fround(Math.fround(to) - low);
    if (low === 0) {
      if (span !== 1) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) * span;
    } else {
      for (let i = 0; i < out.length; i++) out[i] = fma32(out[i] as number, span, low);
    }
  } else if (isHalf(dtype)) {
    const digits = dtype === 'float16' ? 11 : 8;
    const mask = 2 ** digits - 1;
    const low = roundToHalf(dtype, from);
    const span = roundToHalf(dtype, roundToHalf(dtype, to) - low);
    for (let i = 0; i < out.length; i++) {
      const x = (engine.random() & mask) * 2 ** -digits;
      out[i] = toHalfBits(dtype, x * span + low);
    }
  }
}

const isPowerOfTwo = (x: number): boolean => x > 0 && Number.isInteger(Math.log2(x));

function checkBounds(dtype: FloatDType, from: number, to: number): void {
  const max = largestFloat[dtype];
  const bound = (name: string, x: number): void => {
    if (!(Math.abs(x) <= max))
      throw new ValueError(`uniform_: ${name} = ${x} is out of bounds for ${dtype}`);
  };
  bound('from', from);
  bound('to', to);
  if (from > to) {
    throw new ValueError(
      `uniform_: expects a [from, to) range, but from = ${from} > to = ${to}; swap them`,
    );
  }
  if (to - from > max) {
    throw new ValueError(
      `uniform_: to - from must not exceed the largest ${dtype} (${max}), got from = ${from}, to = ${to}`,
    );
  }
}

/**
 * Fills `out` with ones of probability `p` and zeros, as PyTorch's CPU `bernoulli_(p)` does in a
 * build without MKL: one 53-bit uniform an element.
 *
 * @throws ValueError if `p` is not in [0, 1].
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.bernoulli_.html
 */
export function fillBernoulli(out: TypedArray, dtype: DType, engine: Mt19937, p = 0.5): void {
  checkProbability('bernoulli_', p);
  fillChosen(out, dtype, engine, p, 1);
}

/** Writes `kept` with probability `p`, else 0; halves and int64 need no conversion per element. */
function fillChosen(out: TypedArray, dtype: DType, engine: Mt19937, p: number, kept: number): void {
  if (out instanceof BigInt64Array) {
    const value = BigInt(kept);
    for (let i = 0; i < out.length; i++) out[i] = engine.uniformDouble() < p ? value : 0n;
    return;
  }
  const bits = isHalf(dtype) ? toHalfBits(dtype, kept) : kept;
  for (let i = 0; i < out.length; i++) out[i] = engine.uniformDouble() < p ? bits : 0;
}

/**
 * Fills `out[i]` with 1 with probability `probabilities[i]`, else 0, as PyTorch's CPU
 * `bernoulli_(tensor)`: float64 probabilities draw 53 bits an element, others 24.
 *
 * @param probabilities as many as `out`, in the order of `out`.
 * @throws ValueError if the lengths differ or a probability is not in [0, 1].
 * @see https://pytorch.org/docs/stable/generated/torch.bernoulli.html
 */
export function fillBernoulliFrom(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  probabilities: TypedArray,
  probabilityDtype: DType,
): void {
  const p = asNumbers(probabilities, probabilityDtype);
  if (p.length !== out.length) {
    throw new ValueError(
      `bernoulli_: ${out.length} elements need as many probabilities, got ${p.length}`,
    );
  }
  const double = probabilityDtype === 'float64';
  let i = 0;
  fillWith(out, dtype, () => {
    const chance = p[i++] as number;
    checkProbability('bernoulli_', chance);
    return (double ? engine.uniformDouble() : engine.uniformFloat()) < chance ? 1 : 0;
  });
}

/**
 * Fills `out` with the factors dropout multiplies its input by: 0 with probability `p`, else
 * 1 / (1 - p) in `dtype`. PyTorch draws them in row-major order of the input, whatever its strides.
 *
 * @param p probability to drop; at 1 nothing is drawn from the engine, as in PyTorch.
 * @throws NotImplementedError if `dtype` is not floating; ValueError if `p` is not in [0, 1].
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html
 */
export function fillDropoutMask(out: TypedArray, dtype: DType, engine: Mt19937, p = 0.5): void {
  requireFloating('dropout', dtype);
  checkProbability('dropout', p);
  if (p === 1) {
    for (let i = 0; i < out.length; i++) out[i] = 0;
    return;
  }
  const keep = 1 - p;
  const kept = dtype === 'float64' ? 1 / keep : Math.fround(1 / Math.fround(keep));
  fillChosen(out, dtype, engine, keep, kept);
}

/**
 * Fills `noise` with the slopes of `rrelu` in training: uniform in [lower, upper) where the input is
 * at most 0, else 1; only the former are drawn.
 *
 * @param input as many elements as `noise`, row-major, of the same dtype.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html
 */
export function fillRreluNoise(
  noise: TypedArray,
  dtype: DType,
  engine: Mt19937,
  input: TypedArray,
  lower = 1 / 8,
  upper = 1 / 3,
): void {
  requireFloating('rrelu', dtype);
  if (lower > upper) {
    throw new ValueError(`rrelu: lower = ${lower} must not exceed upper = ${upper}; swap them`);
  }
  const x = asNumbers(input, dtype);
  const low = roundTo(dtype, lower);
  const span = roundTo(dtype, upper) - low;
  let i = 0;
  fillWith(noise, dtype, () => ((x[i++] as number) <= 0 ? engine.uniformDouble() * span + low : 1));
}

function checkProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new ValueError(`${op}: p must be in [0, 1], got ${p}`);
}
