import { e, scalar } from '../expr.js';
import {
  fillBernoulli,
  fillNormal,
  fillNormalScalar,
  fillRandomInt,
  fillUniform,
} from '../random/index.js';
import {
  moduloExpr,
  normalExpr,
  philoxWordExpr,
  uniformExpr,
  wideModuloExpr,
} from './philox-expr.js';
import type { Sampler } from './random-fill.js';

/** Uniform numbers in [from, to). */
export const uniformSampler = (from: number, to: number): Sampler => ({
  name: 'uniform',
  host: (out, dtype, engine) => fillUniform(out, dtype, engine, from, to),
  device: {
    value: (i) =>
      e.add(e.mul(uniformExpr(philoxWordExpr(i)), scalar(4, 'float32')), scalar(5, 'float32')),
    scalars: [to - from, from],
    words: 1,
  },
});

/** Normal numbers. */
export const normalSampler = (mean: number, std: number): Sampler => ({
  name: 'normal',
  // Only what is contiguous takes PyTorch's vectorised path.
  host: (out, dtype, engine, contiguous) =>
    (contiguous ? fillNormal : fillNormalScalar)(out, dtype, engine, mean, std),
  device: {
    value: (i) => e.add(e.mul(normalExpr(i), scalar(4, 'float32')), scalar(5, 'float32')),
    scalars: [std, mean],
    words: 1,
  },
});

/** Whole numbers in [from, to); bigints are bounds that numbers cannot tell exactly. */
export function integerSampler(name: string, from: number | bigint, to: number | bigint): Sampler {
  const [least, range] = [Number(from), Number(to) - Number(from)];
  return {
    name,
    host: (out, dtype, engine) => fillRandomInt(out, dtype, engine, from, to),
    // Elsewhere whole numbers are drawn as int32.
    device:
      least >= -(2 ** 31) && to <= 2 ** 31
        ? {
            value: (i) => {
              const modulo = range <= 2 ** 30 ? moduloExpr : wideModuloExpr;
              return e.add(modulo(philoxWordExpr(i), scalar(4, 'int32')), scalar(5, 'int32'));
            },
            scalars: [range | 0, least],
            words: 1,
          }
        : undefined,
  };
}

/** 1 with probability p, else 0. */
export const bernoulliSampler = (p: number): Sampler => ({
  name: 'bernoulli',
  host: (out, dtype, engine) => fillBernoulli(out, dtype, engine, p),
  device: {
    value: (i) => e.lt(uniformExpr(philoxWordExpr(i)), scalar(4, 'float32')),
    scalars: [p],
    words: 1,
  },
});
