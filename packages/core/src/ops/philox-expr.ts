import { cast, constant, type Expr, e, scalar } from '../expr.js';
import type { ScalarValue } from '../primitive.js';
import type { Generator } from '../random/index.js';

const u32 = (x: number): Expr => constant(x | 0, 'int32');

/** The scalars that place a kernel in a Philox stream: offset and seed as two 32-bit halves each. */
export function philoxScalars(generator: Generator, words: number): ScalarValue[] {
  const { seed, offset } = generator.takePhilox(Math.ceil(words / 4));
  const half = (x: bigint, shift: bigint) => Number(BigInt.asIntN(32, x >> shift));
  return [half(offset, 0n), half(offset, 32n), half(seed, 0n), half(seed, 32n)];
}

/** Unsigned a < b on int32. */
const below = (a: Expr, b: Expr): Expr =>
  e.lt(e.xor(a, u32(0x80000000)), e.xor(b, u32(0x80000000)));

/** The four words of block `index`; the first four scalars are those of `philoxScalars`. */
export function philoxBlockExpr(index: Expr): [Expr, Expr, Expr, Expr] {
  const low = scalar(0, 'int32');
  let c0 = e.add(low, index);
  let c1 = e.add(scalar(1, 'int32'), e.where(below(c0, low), u32(1), u32(0)));
  let [c2, c3] = [u32(0), u32(0)];
  const [k0, k1] = [scalar(2, 'int32'), scalar(3, 'int32')];
  for (let round = 0; round < 10; round++) {
    const high0 = e.mulhi(c0, u32(0xd2511f53));
    const low0 = e.mul(c0, u32(0xd2511f53));
    const high1 = e.mulhi(c2, u32(0xcd9e8d57));
    const low1 = e.mul(c2, u32(0xcd9e8d57));
    c0 = e.xor(e.xor(high1, c1), e.add(k0, u32(Math.imul(round, 0x9e3779b9))));
    c2 = e.xor(e.xor(high0, c3), e.add(k1, u32(Math.imul(round, 0xbb67ae85))));
    c1 = low1;
    c3 = low0;
  }
  return [c0, c1, c2, c3];
}

/** Word `index` of the stream. */
export function philoxWordExpr(index: Expr): Expr {
  const block = philoxBlockExpr(e.ushr(index, u32(2)));
  const lane = e.and(index, u32(3));
  return block.reduceRight((rest, word, i) =>
    i === 3 ? word : e.where(e.eq(lane, u32(i)), word, rest),
  );
}

/** A word as a float32 uniform in [0, 1). */
export const uniformExpr = (word: Expr): Expr =>
  e.mul(castFloat(e.and(word, u32(0xffffff))), 2 ** -24);
const castFloat = (x: Expr): Expr => cast(x, 'float32');

/** Element `index` of a stream of standard normals: Box-Muller over pairs of words. */
export function normalExpr(index: Expr): Expr {
  const odd = e.eq(e.and(index, u32(1)), u32(1));
  const block = philoxBlockExpr(e.ushr(index, u32(2)));
  const upper = e.ne(e.and(index, u32(2)), u32(0));
  const first = uniformExpr(e.where(upper, block[2], block[0]));
  const second = uniformExpr(e.where(upper, block[3], block[1]));
  const radius = e.sqrt(e.mul(e.log(e.sub(constant(1, 'float32'), first)), -2));
  const angle = e.mul(second, 2 * Math.PI);
  return e.mul(radius, e.where(odd, e.sin(angle), e.cos(angle)));
}

/** A word modulo a range of at most 2^30, as unsigned. */
export function moduloExpr(word: Expr, range: Expr): Expr {
  const half = e.fmod(e.ushr(word, u32(1)), range);
  return e.fmod(e.add(e.shl(half, u32(1)), e.and(word, u32(1))), range);
}

/** A word modulo a range of more than 2^30, which goes into it three times at most; 2^32 is passed as 0. */
export function wideModuloExpr(word: Expr, range: Expr): Expr {
  let rest = word;
  for (let i = 0; i < 3; i++) {
    rest = e.where(e.or(e.eq(range, u32(0)), below(rest, range)), rest, e.sub(rest, range));
  }
  return rest;
}
