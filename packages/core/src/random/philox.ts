/**
 * Philox 4x32-10, the counter-based generator of every device but the CPU: each block of four words
 * is a function of seed and position alone, so any number of threads can make any part of a stream.
 *
 * The functions here are the plain reference of what device kernels compute:
 *
 * - key: the two halves of the 64-bit seed, low first;
 * - block b of a fill that starts at `offset`: counter words
 *   (low and high half of offset + b, 0, 0);
 * - 32-bit samples: element i takes word i % 4 of block floor(i / 4);
 * - 64-bit samples: element i takes words 2 (i % 2) (high) and 2 (i % 2) + 1 (low) of block
 *   floor(i / 2);
 * - normals: elements 2k and 2k + 1 are the cosine and sine of the Box-Muller pair of words 2k and
 *   2k + 1: radius from the first, angle from the second.
 *
 * @see Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11
 */

/** Four 32-bit words: a counter, or the random block that belongs to it. */
export type PhiloxBlock = readonly [number, number, number, number];

/** Where a run of blocks starts: the seed is the key, the offset counts blocks of four words. */
export interface PhiloxPosition {
  readonly seed: bigint;
  readonly offset: bigint;
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** The upper 32 bits of the 64-bit product of two 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = ah * bl + ((al * bl) >>> 16);
  const cross = al * bh + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/**
 * The random block of a counter under a key, by ten rounds.
 *
 * @example philox4x32([0, 0, 0, 0], [0, 0]); // [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
 */
export function philox4x32(counter: PhiloxBlock, key: readonly [number, number]): PhiloxBlock {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

const low32 = (x: bigint): number => Number(x & 0xffffffffn);
const high32 = (x: bigint): number => Number((x >> 32n) & 0xffffffffn);

/** Block `index` of the run that starts at `position`. */
export function philoxBlock({ seed, offset }: PhiloxPosition, index: number): PhiloxBlock {
  const at = BigInt.asUintN(64, offset + BigInt(index));
  return philox4x32([low32(at), high32(at), 0, 0], [low32(seed), high32(seed)]);
}

/** Blocks that `count` samples of `wordsEach` words (1 or 2) take. */
export const philoxBlocks = (count: number, wordsEach: 1 | 2): number =>
  Math.ceil((count * wordsEach) / 4);

/** Fills `out` with the words of a run. */
export function philoxWords(out: Uint32Array, position: PhiloxPosition): void {
  for (let i = 0; i < out.length; i += 4) {
    out.set(philoxBlock(position, i / 4).slice(0, out.length - i), i);
  }
}

/** The float32 in [0, 1) that a word stands for: its low 24 bits, as on the CPU. */
export const wordToUniform = (word: number): number => (word & 0xffffff) * 2 ** -24;

/** The float64 in [0, 1) that two words stand for: the low 53 of 64 bits, as on the CPU. */
export const wordsToUniform = (high: number, low: number): number =>
  ((high & 0x1fffff) * 4294967296 + low) * 2 ** -53;

/** Fills `out` with uniforms in [from, to): one word an element of float32, two of float64. */
export function philoxUniform(
  out: Float32Array | Float64Array,
  position: PhiloxPosition,
  from = 0,
  to = 1,
): void {
  const unit = unitUniforms(out, position);
  for (let i = 0; i < out.length; i++) out[i] = (unit[i] as number) * (to - from) + from;
}

/** Fills `out` with normals by Box-Muller: one uniform an element, rounded up to whole pairs. */
export function philoxNormal(
  out: Float32Array | Float64Array,
  position: PhiloxPosition,
  mean = 0,
  std = 1,
): void {
  const even = out.length + (out.length % 2);
  const unit = unitUniforms(
    out instanceof Float64Array ? new Float64Array(even) : new Float32Array(even),
    position,
  );
  for (let i = 0; i < out.length; i++) {
    const pair = i - (i % 2);
    const radius = Math.sqrt(-2 * Math.log(1 - (unit[pair] as number)));
    const angle = 2 * Math.PI * (unit[pair + 1] as number);
    out[i] = radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)) * std + mean;
  }
}

/** Fills `out` with integers in [from, from + range), range up to 2^32: a word modulo the range. */
export function philoxInt(
  out: Int32Array | Uint8Array | Int8Array | Int16Array | Float32Array | Float64Array,
  position: PhiloxPosition,
  from: number,
  range: number,
): void {
  const words = new Uint32Array(out.length);
  philoxWords(words, position);
  for (let i = 0; i < out.length; i++) out[i] = ((words[i] as number) % range) + from;
}

function unitUniforms<A extends Float32Array | Float64Array>(like: A, position: PhiloxPosition): A {
  const out = like.slice() as A;
  const double = out instanceof Float64Array;
  const words = new Uint32Array(out.length * (double ? 2 : 1));
  philoxWords(words, position);
  for (let i = 0; i < out.length; i++) {
    out[i] = double
      ? wordsToUniform(words[2 * i] as number, words[2 * i + 1] as number)
      : wordToUniform(words[i] as number);
  }
  return out;
}
