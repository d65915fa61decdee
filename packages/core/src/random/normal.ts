import type { DType, TypedArray } from '../dtype.js';
import { ValueError } from '../errors.js';
import { cos, fma32, fma64, log, sin } from './exact-arithmetic.js';
import type { Mt19937 } from './mt19937.js';
import {
  fillWith,
  fromHalfBits,
  type HalfDType,
  requireFloating,
  roundToHalf,
  toHalfBits,
} from './samples.js';
import { fillUniform } from './uniform.js';
import { boxMullerFloat } from './vector-box-muller.js';

/**
 * Fills a contiguous tensor's elements with normals of the given mean and standard deviation, as
 * PyTorch's CPU `normal_`: from 16 elements on by its vectorised Box-Muller over blocks of 16 (the
 * AVX2 code for float32), with fewer by `fillNormalScalar`.
 *
 * float32 equals PyTorch in every bit; float64 does but for the last bit of one number in about a
 * thousand, where the C library does not round correctly.
 *
 * @throws NotImplementedError if `dtype` is not floating; ValueError if std < 0.
 * @example fillNormal(new Float32Array(2), 'float32', new Mt19937(0n)); // 1.5410, -0.2934
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.normal_.html
 */
export function fillNormal(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  mean = 0,
  std = 1,
): void {
  if (out.length < 16) {
    fillNormalScalar(out, dtype, engine, mean, std);
    return;
  }
  check(dtype, std);
  fillUniform(out, dtype, engine);
  const transform = blockTransform(out, dtype, mean, std);
  for (let i = 0; i + 16 <= out.length; i += 16) transform(i);
  if (out.length % 16 !== 0) {
    // The last 16 are drawn anew, over numbers that are already normal.
    const last = out.length - 16;
    fillUniform(out.subarray(last) as TypedArray, dtype, engine);
    transform(last);
  }
}

/**
 * Fills elements one after another with normals, as PyTorch's CPU `normal_` does for fewer than 16
 * elements and for tensors that are not contiguous: double Box-Muller pairs, of which the second
 * number waits in the engine for the next call.
 *
 * @param out elements in the order PyTorch visits them: memory order.
 * @throws NotImplementedError if `dtype` is not floating; ValueError if std < 0.
 */
export function fillNormalScalar(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  mean = 0,
  std = 1,
): void {
  check(dtype, std);
  fillWith(out, dtype, () => nextNormal(engine, mean, std));
}

/** One double normal by the scalar Box-Muller of PyTorch's `normal_distribution<double>`. */
export function nextNormal(engine: Mt19937, mean: number, std: number): number {
  let z = engine.cachedNormal;
  if (z === undefined) {
    const theta = 2 * Math.PI * engine.uniformDouble();
    const radius = Math.sqrt(-2 * log(1 - engine.uniformDouble()));
    engine.cachedNormal = radius * sin(theta);
    z = radius * cos(theta);
  } else {
    engine.cachedNormal = undefined;
  }
  return fma64(z, std, mean);
}

function check(dtype: DType, std: number): void {
  requireFloating('normal_', dtype);
  if (!(std >= 0)) throw new ValueError(`normal_: std must be at least 0, got ${std}`);
}

/** Turns 16 uniforms from element `i` on into normals: 8 radii, then 8 angles. */
function blockTransform(
  out: TypedArray,
  dtype: DType,
  mean: number,
  std: number,
): (i: number) => void {
  if (out instanceof Float32Array) {
    const m = Math.fround(mean);
    const s = Math.fround(std);
    return (i) => {
      boxMullerFloat(out, i);
      if (m !== 0) {
        for (let j = i; j < i + 16; j++) out[j] = fma32(out[j] as number, s, m);
      } else if (s !== 1) {
        for (let j = i; j < i + 16; j++) out[j] = (out[j] as number) * s + 0;
      }
    };
  }
  if (out instanceof Float64Array) {
    return (i) => {
      for (let j = i; j < i + 8; j++) {
        const radius = Math.sqrt(-2 * log(1 - (out[j] as number)));
        const theta = 2 * Math.PI * (out[j + 8] as number);
        out[j] = fma64(radius * cos(theta), std, mean);
        out[j + 8] = fma64(radius * sin(theta), std, mean);
      }
    };
  }
  return halfTransform(out as Uint16Array, dtype as HalfDType, mean, std);
}

/**
 * PyTorch computes float16 with float32 functions and rounds only what it stores; bfloat16 has
 * functions of its own, which round every single result.
 */
function halfTransform(
  out: Uint16Array,
  dtype: HalfDType,
  mean: number,
  std: number,
): (i: number) => void {
  const m = roundToHalf(dtype, mean);
  const s = roundToHalf(dtype, std);
  const brain = dtype === 'bfloat16';
  const step = brain ? (x: number) => roundToHalf(dtype, x) : Math.fround;
  const place = (j: number, radius: number, x: number): void => {
    const z = step(radius * step(x)) * s;
    out[j] = toHalfBits(dtype, (brain ? step(z) : z) + m);
  };
  return (i) => {
    for (let j = i; j < i + 8; j++) {
      const u1 = roundToHalf(dtype, 1 - fromHalfBits(dtype, out[j] as number));
      const radius = roundToHalf(dtype, Math.sqrt(step(-2 * step(Math.log(u1)))));
      const theta = roundToHalf(dtype, 2 * Math.PI * fromHalfBits(dtype, out[j + 8] as number));
      place(j, radius, Math.cos(theta));
      place(j + 8, radius, Math.sin(theta));
    }
  };
}
