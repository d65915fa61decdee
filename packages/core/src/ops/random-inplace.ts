import { category } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { e, scalar } from '../expr.js';
import {
  fillBernoulliFrom,
  fillCauchy,
  fillExponential,
  fillGeometric,
  fillLogNormal,
  fillRandomBits,
  greatestRandom,
} from '../random/index.js';
import { readAllSync } from '../read.js';
import { sameShape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { copyInto } from './copy.js';
import { normalExpr, philoxWordExpr, uniformExpr } from './philox-expr.js';
import { drawsOnHost, type RandomOptions, sample_ } from './random-fill.js';
import { bernoulliSampler, integerSampler, normalSampler, uniformSampler } from './samplers.js';

const checkFloat = (operation: string, self: Tensor): void => {
  if (category(self.dtype) < 2)
    throw new NotImplementedError(
      `${operation}: "${operation}" not implemented for '${self.dtype}'`,
    );
};

/** Fills the tensor with numbers uniform in [from, to). */
export const uniform_ = explaining(
  'uniform_',
  (self: Tensor, from = 0, to = 1, options: RandomOptions = {}): Tensor => {
    checkFloat('uniform_', self);
    if (from > to)
      throw new RuntimeError(
        `uniform_: expects to return a [from, to) range, but found from=${from} > to=${to}`,
      );
    return sample_(self, uniformSampler(from, to), options);
  },
);

/** Fills the tensor with normal numbers. */
export const normal_ = explaining(
  'normal_',
  (self: Tensor, mean = 0, std = 1, options: RandomOptions = {}): Tensor => {
    checkFloat('normal_', self);
    if (!(std >= 0)) throw new RuntimeError(`normal_: expects std >= 0.0, but found std ${std}`);
    return sample_(self, normalSampler(mean, std), options);
  },
);

/**
 * Fills the tensor with whole numbers in [from, to); with one bound in [0, to), with none over all the dtype holds exactly (on
 * devices that hold int64 as int32, over those that are not negative).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.random_.html
 */
export const random_ = explaining(
  'random_',
  (
    self: Tensor,
    from?: number | bigint | null,
    to?: number | bigint | null,
    options: RandomOptions = {},
  ): Tensor => {
    if (from === undefined || from === null) {
      const most = self.dtype === 'int64' ? 2 ** 31 - 1 : greatestRandom(self.dtype);
      const { device } = integerSampler('random', 0, most + 1);
      return sample_(self, { name: 'random', host: fillRandomBits, device }, options);
    }
    const [low, high] = to === undefined || to === null ? [0, from] : [from, to];
    if (low >= high)
      throw new RuntimeError(
        `random_: expects 'from' to be less than 'to', but got from=${low} >= to=${high}`,
      );
    return sample_(self, integerSampler('random', low, high), options);
  },
);

/** Fills the tensor with numbers of the exponential distribution of rate `lambda`. */
export const exponential_ = explaining(
  'exponential_',
  (self: Tensor, lambda = 1, options: RandomOptions = {}): Tensor => {
    checkFloat('exponential_', self);
    return sample_(
      self,
      {
        name: 'exponential',
        host: (out, dtype, engine) => fillExponential(out, dtype, engine, lambda),
        device: {
          value: (i) =>
            e.div(e.neg(e.log1p(e.neg(uniformExpr(philoxWordExpr(i))))), scalar(4, 'float32')),
          scalars: [lambda],
          words: 1,
        },
      },
      options,
    );
  },
);

/** Fills the tensor with numbers of the Cauchy distribution. */
export const cauchy_ = explaining(
  'cauchy_',
  (self: Tensor, median = 0, sigma = 1, options: RandomOptions = {}): Tensor => {
    checkFloat('cauchy_', self);
    return sample_(
      self,
      {
        name: 'cauchy',
        host: (out, dtype, engine) => fillCauchy(out, dtype, engine, median, sigma),
        device: {
          value: (i) =>
            e.add(
              e.mul(
                e.tan(e.mul(e.sub(uniformExpr(philoxWordExpr(i)), 0.5), Math.PI)),
                scalar(4, 'float32'),
              ),
              scalar(5, 'float32'),
            ),
          scalars: [sigma, median],
          words: 1,
        },
      },
      options,
    );
  },
);

/** Fills the tensor with exp of normal numbers. */
export const logNormal_ = explaining(
  'logNormal_',
  (self: Tensor, mean = 1, std = 2, options: RandomOptions = {}): Tensor => {
    checkFloat('logNormal_', self);
    return sample_(
      self,
      {
        name: 'logNormal',
        host: (out, dtype, engine) => fillLogNormal(out, dtype, engine, mean, std),
        device: {
          value: (i) =>
            e.exp(e.add(e.mul(normalExpr(i), scalar(4, 'float32')), scalar(5, 'float32'))),
          scalars: [std, mean],
          words: 1,
        },
      },
      options,
    );
  },
);

/** Fills the tensor with the number of trials up to the first success of probability p. */
export const geometric_ = explaining(
  'geometric_',
  (self: Tensor, p: number, options: RandomOptions = {}): Tensor =>
    sample_(
      self,
      {
        name: 'geometric',
        host: (out, dtype, engine) => fillGeometric(out, dtype, engine, p),
        device: {
          value: (i) =>
            e.ceil(e.div(e.log1p(e.neg(uniformExpr(philoxWordExpr(i)))), scalar(4, 'float32'))),
          scalars: [Math.log1p(-p)],
          words: 1,
        },
      },
      options,
    ),
);

/**
 * Fills the tensor with 1 and 0: 1 with probability `p`, a number or a tensor of the same shape.
 *
 * @throws RuntimeError if a probability is outside [0, 1].
 */
export const bernoulli_ = explaining(
  'bernoulli_',
  (self: Tensor, p: number | Tensor = 0.5, options: RandomOptions = {}): Tensor => {
    if (!(p instanceof Tensor)) {
      if (!(p >= 0 && p <= 1))
        throw new RuntimeError(`bernoulli_: expects p to be in [0, 1], but got p=${p}`);
      return sample_(self, bernoulliSampler(p), options);
    }
    if (!sameShape(p.shape, self.shape))
      return bernoulli_(self, p.expand(self.shape).contiguous(), options);
    if (drawsOnHost(self)) {
      const probabilities = readAllSync(p, 'bernoulli_');
      return sample_(
        self,
        {
          name: 'bernoulli',
          host: (out, dtype, engine) =>
            fillBernoulliFrom(out, dtype, engine, probabilities, p.dtype),
        },
        options,
      );
    }
    const drawn = self.newEmpty(self.shape, { dtype: 'float32' });
    sample_(drawn, uniformSampler(0, 1), options);
    copyInto(self, drawn.lt(p));
    self.counter.version++;
    return self;
  },
);
