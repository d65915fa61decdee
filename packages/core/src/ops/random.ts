import { takes } from '../arguments.js';
import { Device, getDefaultDevice } from '../device.js';
import { category, type DType, getDefaultDtype, type TypedArray, typedArray } from '../dtype.js';
import { checkInteger, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import {
  defaultGenerator,
  fillBinomial,
  fillDropoutMask,
  fillPoisson,
  fillRandomPermutation,
  fillRreluNoise,
  sampleMultinomial,
} from '../random/index.js';
import { decode, readAllSync } from '../read.js';
import { broadcastShapes, isDense } from '../shape.js';
import { signatures } from '../signatures.js';
import { allocate, Tensor, type TensorOptions } from '../tensor.js';
import { multinomialOnDevice } from './category-draws.js';
import { binomialOnDevice, poissonOnDevice } from './count-draws.js';
import { checkShape } from './create.js';
import {
  drawsOnHost,
  generatorFor,
  type RandomOptions,
  type Sampler,
  sampleInto,
} from './random-fill.js';
import { bernoulli_, normal_ } from './random-inplace.js';
import { bernoulliSampler, integerSampler, normalSampler, uniformSampler } from './samplers.js';
import { expand } from './view.js';

/** Options of functions that create random tensors. */
export interface RandomTensorOptions extends TensorOptions, RandomOptions {}

function sampled(
  operation: string,
  shape: readonly number[],
  sampler: Sampler,
  dtype: DType,
  options: RandomTensorOptions,
): Tensor {
  const device = options.device === undefined ? getDefaultDevice() : Device.from(options.device);
  const result = allocate(checkShape(operation, shape), dtype, device);
  sampleInto(result, sampler, options);
  return options.requiresGrad ? result.requiresGrad_() : result;
}

function floatDtypeOf(operation: string, options: TensorOptions): DType {
  const dtype = options.dtype ?? getDefaultDtype();
  if (category(dtype) < 2)
    throw new RuntimeError(
      `${operation}: "${operation}" not implemented for '${dtype}'; use randint for integers`,
    );
  return dtype;
}

/** Numbers uniform in [0, 1). @example manualSeed(0); rand([2]) // tensor([0.4963, 0.7682]) */
export const rand = explaining(
  'rand',
  (shape: readonly number[], options: RandomTensorOptions = {}): Tensor =>
    sampled('rand', shape, uniformSampler(0, 1), floatDtypeOf('rand', options), options),
);

/** Standard normal numbers. */
export const randn = explaining(
  'randn',
  (shape: readonly number[], options: RandomTensorOptions = {}): Tensor =>
    sampled('randn', shape, normalSampler(0, 1), floatDtypeOf('randn', options), options),
);

function checkBounds(name: string, low: number, high: number): void {
  if (low < high) return;
  throw new RuntimeError(
    `${name}: random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`,
  );
}

/**
 * Whole numbers in [low, high), int64 unless told otherwise; called with two arguments, low is 0.
 *
 * @example randint(10, [3]); randint(5, 10, [3])
 */
export function randint(
  high: number,
  shape: readonly number[],
  options?: RandomTensorOptions,
): Tensor;
export function randint(
  low: number,
  high: number,
  shape: readonly number[],
  options?: RandomTensorOptions,
): Tensor;
export function randint(
  a: number,
  b: number | readonly number[],
  c?: readonly number[] | RandomTensorOptions,
  d?: RandomTensorOptions,
): Tensor {
  takes('randint', signatures.randint, arguments);
  const two = typeof b !== 'number';
  const [low, high] = two ? [0, a] : [a, b];
  const shape = (two ? b : c) as readonly number[];
  const options = ((two ? c : d) ?? {}) as RandomTensorOptions;
  checkBounds('randint', low, high);
  return sampled(
    'randint',
    shape,
    integerSampler('randint', low, high),
    options.dtype ?? 'int64',
    options,
  );
}

/** The numbers 0 to n - 1 in random order, int64 unless told otherwise. */
export function randperm(n: number, options: RandomTensorOptions = {}): Tensor {
  takes('randperm', signatures.randperm, arguments);
  checkInteger('randperm', 'n', 0, n);
  const dtype = options.dtype ?? 'int64';
  const device = options.device === undefined ? getDefaultDevice() : Device.from(options.device);
  const result = allocate([n], dtype, device);
  const values = typedArray(dtype, n);
  // An order is sequential work: the host draws it for every device, from the host's stream.
  fillRandomPermutation(values, dtype, (options.generator ?? defaultGenerator('cpu')).engine);
  if (n > 0) device.backend.write(result.storage.buffer, dtype, 0, values);
  return result;
}

/** A sample of the shape of another tensor, and with its dimensions in the same order in memory: so they are filled. */
function sampledLike(
  self: Tensor,
  sampler: Sampler,
  dtype: DType,
  options: RandomTensorOptions,
): Tensor {
  if (self.isContiguous() || !isDense(self.shape, self.strides)) {
    return sampled('like', self.shape, sampler, dtype, { device: self.device, ...options });
  }
  const device = options.device === undefined ? self.device : Device.from(options.device);
  const { storage } = allocate([self.numel()], dtype, device);
  const result = new Tensor(storage, dtype, self.shape, self.strides);
  sampleInto(result, sampler, options);
  return options.requiresGrad ? result.requiresGrad_() : result;
}

/** Uniform numbers of the shape, dtype and device of another tensor. */
export const randLike = explaining(
  'randLike',
  (self: Tensor, options: RandomTensorOptions = {}): Tensor => {
    const dtype = floatDtypeOf('rand', { ...options, dtype: options.dtype ?? self.dtype });
    return sampledLike(self, uniformSampler(0, 1), dtype, options);
  },
);
/** Normal numbers of the shape, dtype and device of another tensor. */
export const randnLike = explaining(
  'randnLike',
  (self: Tensor, options: RandomTensorOptions = {}): Tensor => {
    const dtype = floatDtypeOf('randn', { ...options, dtype: options.dtype ?? self.dtype });
    return sampledLike(self, normalSampler(0, 1), dtype, options);
  },
);
/** Whole numbers in [low, high) of the shape, dtype and device of another tensor. */
export const randintLike = explaining(
  'randintLike',
  (self: Tensor, low: number, high: number, options: RandomTensorOptions = {}): Tensor => {
    checkBounds('randintLike', low, high);
    const dtype = options.dtype ?? self.dtype;
    return sampledLike(self, integerSampler('randint', low, high), dtype, options);
  },
);

/** Normal numbers with a mean and a standard deviation that may be tensors. */
export function normal(
  mean: Tensor | number,
  std: Tensor | number = 1,
  options: RandomOptions & { shape?: readonly number[] } & TensorOptions = {},
): Tensor {
  takes('normal', signatures.normal, arguments);
  if (!(mean instanceof Tensor) && !(std instanceof Tensor)) {
    if (!options.shape)
      throw new RuntimeError('normal: two numbers need a shape: normal(0, 1, { shape: [3] })');
    return sampled(
      'normal',
      options.shape,
      normalSampler(mean, std),
      floatDtypeOf('normal', options),
      options,
    );
  }
  const example = (mean instanceof Tensor ? mean : std) as Tensor;
  const shape =
    mean instanceof Tensor && std instanceof Tensor ? mean.add(std).shape : example.shape;
  if (!(std instanceof Tensor)) return normal_(example.newEmpty(shape), 0, std, options).add(mean);
  return normal_(example.newEmpty(shape), 0, 1, options).mul(std).add(mean);
}

/** 1 with the probability each element of `self` gives, else 0. */
export const bernoulli = explaining(
  'bernoulli',
  (self: Tensor, p?: number, options: RandomOptions = {}): Tensor =>
    bernoulli_(self.newEmpty(self.shape), p ?? self, options),
);

/**
 * Draws `numSamples` positions from each row of weights; [rows] or [rows, categories] gives [..., numSamples].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.multinomial.html
 */
export function multinomial(
  self: Tensor,
  numSamples: number,
  replacement = false,
  options: RandomOptions = {},
): Tensor {
  takes('multinomial', signatures.multinomial, arguments);
  if (self.shape.length < 1 || self.shape.length > 2) {
    throw new RuntimeError(
      `multinomial: prob_dist must be 1 or 2 dim, got shape [${self.shape.join(', ')}]`,
    );
  }
  if (!drawsOnHost(self)) return multinomialOnDevice(self, numSamples, replacement, options);
  const categories = self.shape.at(-1) as number;
  const rows = self.shape.length === 2 ? (self.shape[0] as number) : 1;
  const drawn = sampleMultinomial(
    readAllSync(self, 'multinomial'),
    self.dtype,
    generatorFor(self, options).engine,
    { rows, categories, samples: numSamples, replacement },
  );
  return uploaded(self, drawn, [...self.shape.slice(0, -1), numSamples], 'int64');
}

/** Counts of the Poisson distribution with the rate each element of `self` gives. */
export function poisson(self: Tensor, options: RandomOptions = {}): Tensor {
  takes('poisson', signatures.poisson, arguments);
  if (!drawsOnHost(self)) return poissonOnDevice(self, options);
  const raw = readAllSync(self, 'poisson');
  const out = typedArray(self.dtype, raw.length);
  fillPoisson(
    out,
    self.dtype,
    generatorFor(self, options).engine,
    Float64Array.from(raw as Float32Array, (x) => decode(self.dtype, x)),
  );
  return uploaded(self, out, self.shape, self.dtype);
}

/**
 * The number of successes in `count` trials of the probability `prob`, element by element; the two broadcast, and have one floating dtype.
 *
 * @throws RuntimeError if the dtypes differ.
 * @see https://pytorch.org/docs/stable/distributions.html#binomial
 * @example binomial(full([3], 10), full([3], 0.5))
 */
export function binomial(count: Tensor, prob: Tensor, options: RandomOptions = {}): Tensor {
  takes('binomial', signatures.binomial, arguments);
  if (count.dtype !== prob.dtype) {
    throw new RuntimeError(
      `binomial: Found dtype ${prob.dtype} but expected ${count.dtype}: count and prob must have the same dtype`,
    );
  }
  const shape = broadcastShapes('binomial', count.shape, prob.shape);
  if (!drawsOnHost(count)) return binomialOnDevice(count, prob, shape, options);
  const [counts, probabilities] = [count, prob].map((t) =>
    Float64Array.from(readAllSync(expand(t.detach(), shape), 'binomial') as Float32Array, (x) =>
      decode(t.dtype, x),
    ),
  ) as [Float64Array, Float64Array];
  const out = typedArray(count.dtype, counts.length);
  const { engine } = generatorFor(count, options);
  fillBinomial(out, count.dtype, engine, counts, probabilities);
  return uploaded(count, out, shape, count.dtype);
}

function uploaded(
  self: Tensor,
  values: TypedArray,
  shape: readonly number[],
  dtype: DType,
): Tensor {
  const result = allocate(shape, dtype, self.device);
  if (values.length > 0) self.device.backend.write(result.storage.buffer, dtype, 0, values);
  return result;
}

/** The factors of dropout: 0 with probability p, 1 / (1 - p) elsewhere; of the given shape. */
export function dropoutMask(
  self: Tensor,
  shape: readonly number[],
  p: number,
  options: RandomOptions = {},
): Tensor {
  const mask = allocate(shape, self.dtype, self.device);
  if (drawsOnHost(self)) {
    sampleInto(
      mask,
      { name: 'dropout', host: (out, dtype, engine) => fillDropoutMask(out, dtype, engine, p) },
      options,
    );
    return mask;
  }
  sampleInto(mask, bernoulliSampler(1 - p), options);
  return p === 1 ? mask : mask.mul_(1 / (1 - p));
}

/** The slopes of rrelu in training: 1 where the input is positive, uniform in [lower, upper) elsewhere. */
export function rreluNoise(
  self: Tensor,
  lower: number,
  upper: number,
  options: RandomOptions = {},
): Tensor {
  const noise = allocate(self.shape, self.dtype, self.device);
  if (drawsOnHost(self)) {
    const input = readAllSync(self, 'rrelu');
    sampleInto(
      noise,
      {
        name: 'rrelu',
        host: (out, dtype, engine) => fillRreluNoise(out, dtype, engine, input, lower, upper),
      },
      options,
    );
    return noise;
  }
  sampleInto(noise, uniformSampler(lower, upper), options);
  return self.gt(0).to(self.dtype).lerp(noise, self.le(0).to(self.dtype));
}
