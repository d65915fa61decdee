import { InPlace, methodGuard, unguarded } from './arguments.js';
import { explained } from './explain.js';
import { hardshrink, prelu, relu } from './ops/activation.js';
import * as aliases from './ops/aliases.js';
import * as arranging from './ops/arranging.js';
import * as binary from './ops/binary.js';
import * as closeness from './ops/closeness.js';
import * as converting from './ops/convert.js';
import * as copying from './ops/copy.js';
import { corrcoef, cov } from './ops/covariance.js';
import * as creating from './ops/create-like.js';
import * as floatBits from './ops/float-bits.js';
import { floatPower } from './ops/float-power.js';
import * as integers from './ops/integers.js';
import * as linear from './ops/linalg/methods.js';
import * as products from './ops/matmul.js';
import { max, min } from './ops/max.js';
import { median, nanmedian } from './ops/median.js';
import * as overwriting from './ops/overwriting.js';
import type { ValuesIndices } from './ops/pair.js';
import { polygamma } from './ops/polygamma.js';
import { bernoulli, multinomial } from './ops/random.js';
import type { RandomOptions } from './ops/random-fill.js';
import * as drawing from './ops/random-inplace.js';
import * as reducing from './ops/reduce.js';
import { renorm } from './ops/renorm.js';
import { resize_, resizeAs_ } from './ops/resize.js';
import * as selecting from './ops/selecting.js';
import { logSoftmax, type SoftmaxOptions, softmax } from './ops/softmax.js';
import { igamma, igammac } from './ops/special/incomplete-gamma.js';
import { mvlgamma } from './ops/special/multivariate-gamma.js';
import * as ternary from './ops/ternary.js';
import * as unary from './ops/unary.js';
import {
  type UniqueConsecutiveOptions,
  type UniqueOptions,
  type UniqueResult,
  unique,
  uniqueConsecutive,
} from './ops/unique.js';
import * as values from './ops/values.js';
import * as viewing from './ops/view.js';
import * as reviewing from './ops/view-inplace.js';
import type { Scalar } from './scalar.js';
import { Tensor } from './tensor.js';

type Fn = (...args: never[]) => unknown;

/** The functions of a module, all of which take a tensor first, as methods. */
export type Methods<M> = {
  [K in keyof M]: M[K] extends (self: Tensor, ...rest: infer R) => infer O
    ? (...rest: R) => O
    : never;
};

/** The same with `_`: methods that replace the tensor's own values, and return it. */
export type InplaceMethods<M> = {
  [K in keyof M & string as `${K}_`]: M[K] extends (self: Tensor, ...rest: infer R) => unknown
    ? (...rest: R) => Tensor
    : never;
};

/** Functions of modules that are not attached whole. */
const others = {
  corrcoef,
  cov,
  floatPower: (self: Tensor, exponent: Tensor | Scalar) => floatPower(self, exponent),
  igamma,
  igammac,
  mvlgamma,
  polygamma: (self: Tensor, n: number) => polygamma(n, self),
  renorm,
  resize_,
  resizeAs_,
  where: (self: Tensor, condition: Tensor, other: Tensor | Scalar) =>
    ternary.where(condition, self, other),
};

declare module './tensor.js' {
  interface Tensor
    extends Methods<typeof unary>,
      InplaceMethods<typeof unary>,
      Methods<typeof binary>,
      InplaceMethods<typeof binary>,
      Methods<typeof aliases>,
      InplaceMethods<typeof aliases>,
      Methods<typeof overwriting>,
      Methods<typeof reviewing>,
      InplaceMethods<Pick<typeof others, 'igamma' | 'igammac'>>,
      Methods<Omit<typeof ternary, 'where'>>,
      InplaceMethods<Omit<typeof ternary, 'where'>>,
      Methods<typeof viewing>,
      Methods<typeof copying>,
      Methods<typeof converting>,
      Methods<typeof values>,
      InplaceMethods<Pick<typeof values, 'round' | 'sgn' | 'logit' | 'nanToNum' | 'i0'>>,
      Methods<typeof integers>,
      InplaceMethods<typeof integers>,
      Methods<typeof closeness>,
      Methods<typeof floatBits>,
      InplaceMethods<Pick<typeof floatBits, 'nextafter'>>,
      Methods<typeof drawing>,
      Methods<typeof creating>,
      Methods<typeof reducing>,
      Methods<Omit<typeof selecting, 'nonzero'>>,
      Methods<typeof arranging>,
      Methods<typeof others>,
      Methods<typeof linear>,
      Methods<typeof products> {
    /** 1 with the probability each element gives, else 0. */
    bernoulli(p?: number, options?: RandomOptions): Tensor;
    /** Draws positions from each row of weights. */
    multinomial(numSamples: number, replacement?: boolean, options?: RandomOptions): Tensor;
    /** The greatest element; along a dimension also their positions; or the elementwise maximum. */
    max(): Tensor;
    max(dim: number, options?: { keepdim?: boolean }): ValuesIndices;
    max(other: Tensor): Tensor;
    /** The smallest element; along a dimension also their positions; or the elementwise minimum. */
    min(): Tensor;
    min(dim: number, options?: { keepdim?: boolean }): ValuesIndices;
    min(other: Tensor): Tensor;
    /** max(x, 0). */
    relu(): Tensor;
    /** Negative elements become 0, in place. */
    relu_(): Tensor;
    /** x, or weight * x for negative x. */
    prelu(weight: Tensor): Tensor;
    /** x, or 0 where |x| is at most `lambd` (0.5). */
    hardshrink(options?: { lambd?: number }): Tensor;
    /** e^x / sum(e^x) along a dimension. */
    softmax(dim: number, options?: SoftmaxOptions): Tensor;
    /** The logarithm of `softmax`. */
    logSoftmax(dim: number, options?: SoftmaxOptions): Tensor;
    /** The coordinates of the elements that are not zero, one row each; as one vector a dimension with `asTuple`. */
    nonzero(): Tensor;
    nonzero(options: { asTuple: true }): Tensor[];
    /** The lower median of all elements, or along a dimension with its position. */
    median(): Tensor;
    median(dim: number, options?: { keepdim?: boolean }): ValuesIndices;
    /** `median` with NaN left out. */
    nanmedian(): Tensor;
    nanmedian(dim: number, options?: { keepdim?: boolean }): ValuesIndices;
    /** The distinct elements in ascending order; on request also where each went and how many there were. */
    unique<O extends UniqueOptions>(options?: O): UniqueResult<O>;
    /** As `unique`, but only neighbours are compared and the order is kept. */
    uniqueConsecutive<O extends UniqueConsecutiveOptions>(options?: O): UniqueResult<O>;
  }
}

const prototype = Tensor.prototype as unknown as Record<string, Fn>;

/** Attaches the functions of a module to `Tensor` as methods. */
export function attach(module: Readonly<Record<string, unknown>>): void {
  for (const [name, fn] of Object.entries(module)) {
    if (typeof fn !== 'function') continue;
    const run = unguarded(fn as Fn) as (...args: unknown[]) => unknown;
    const guard = methodGuard(name);
    prototype[name] = function (this: Tensor, ...args: unknown[]) {
      // Nothing, or one tensor, is most calls: told without a look at the signature.
      const { length } = args;
      const usual =
        length < 2 && length === guard?.tensors && (length === 0 || args[0] instanceof Tensor);
      if (!usual) guard?.checkFor(run, [this], args);
      try {
        return run(this, ...args);
      } catch (error) {
        throw explained(name, [this, ...args], error);
      }
    } as Fn;
  }
}

/** Attaches `name_` methods; `arity` counts the operands, behind which the options stand. */
export function attachInplace(
  module: Readonly<Record<string, unknown>>,
  arity: (name: string) => number,
): void {
  for (const [name, fn] of Object.entries(module)) {
    if (typeof fn !== 'function') continue;
    const operands = arity(name) - 1;
    const run = unguarded(fn as Fn) as (...args: unknown[]) => unknown;
    const guard = methodGuard(`${name}_`);
    prototype[`${name}_`] = function (this: Tensor, ...args: unknown[]) {
      guard?.check(args);
      const options = new InPlace(this, args[operands] as object | undefined);
      const padded = Array.from({ length: operands }, (_, i) => args[i]);
      return run(this, ...padded, options);
    } as Fn;
  }
}

/** Lets the methods that the class itself has look at their arguments. */
function guardOwn(): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
    const guard = methodGuard(name);
    if (typeof value !== 'function' || guard === undefined) continue;
    prototype[name] = function (this: Tensor, ...args: unknown[]) {
      guard.check(args);
      return (value as (...a: unknown[]) => unknown).apply(this, args);
    } as Fn;
  }
}
guardOwn();

const { where: _, ...ternaryMethods } = ternary;
const ternaryArity: Record<string, number> = { fill: 2, clampMin: 2, clampMax: 2 };

const aliasArity: Readonly<Record<string, number>> = {
  arctan2: 2,
  clip: 3,
  divide: 2,
  greater: 2,
  greaterEqual: 2,
  less: 2,
  lessEqual: 2,
  multiply: 2,
  notEqual: 2,
  subtract: 2,
};

attach(unary);
attachInplace(unary, () => 1);
attach(binary);
attachInplace(binary, () => 2);
attach(ternaryMethods);
attachInplace(ternaryMethods, (name) => ternaryArity[name] ?? 3);
attach(selecting);
attach(arranging);
attach(others);
attach(linear);
attachInplace({ igamma, igammac }, () => 2);
attach(aliases);
attachInplace(aliases, (name) => aliasArity[name] ?? 1);
attach(overwriting);
attach(reviewing);
attach({ median, nanmedian, unique, uniqueConsecutive });
attach(viewing);
attach(copying);
attach(converting);
attach(values);
const { round, sgn, logit, nanToNum, i0 } = values;
attachInplace(
  { round, sgn, logit, nanToNum, i0 },
  (name) => ({ logit: 2, nanToNum: 4 })[name] ?? 1,
);
attach(integers);
attachInplace(integers, () => 2);
attach(closeness);
attach(floatBits);
attachInplace({ nextafter: floatBits.nextafter }, () => 2);
attach(drawing);
attach({ bernoulli, multinomial });
attach(creating);
attach(reducing);
attach(products);
attach({ max, min });
attach({ hardshrink, prelu, relu, logSoftmax, softmax });
attach({ relu_: (self: Tensor) => relu(self, { inplace: true }) });

// As methods of classes are: loops over a tensor's keys, which deep comparisons make, do not see them.
for (const name of Object.keys(prototype)) {
  Object.defineProperty(prototype, name, { enumerable: false });
}
