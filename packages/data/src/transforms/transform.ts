import {
  empty,
  type Generator,
  RuntimeError,
  rand,
  randint,
  type Tensor,
  takes,
} from '@sconce/core';
import * as signatures from '../signatures.js';

/** Options of transforms that draw. */
export interface RandomTransformOptions {
  /** The stream to draw from; default: the default generator, which a `DataLoader` seeds in its workers. */
  generator?: Generator | null;
}

export interface Transform<I = Tensor> {
  /** What the transform does to an image; every subclass defines it. */
  forward(image: I): Tensor;
  /** Runs `forward`. */
  (image: I): Tensor;
}

/**
 * The base of transforms of images [..., C, H, W]. Instances are callable; a subclass says in `forward` what it does.
 *
 * @example
 * class Invert extends Transform { forward(image: Tensor) { return image.neg().add(1); } }
 * const inverted = new Invert()(image);
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface gives instances their call signature
export abstract class Transform<I = Tensor> {
  constructor() {
    takes(new.target.name, signatures.Transform, arguments);
    const self = ((image: I) => (self as unknown as Transform<I>).forward(image)) as object;
    Object.setPrototypeOf(self, new.target.prototype);
    // A function's own `name` and `length` would hide properties of these names.
    Reflect.deleteProperty(self, 'name');
    Reflect.deleteProperty(self, 'length');
    // biome-ignore lint/correctness/noConstructorReturn: instances are functions
    return self as this;
  }

  /** What stands in the parentheses of the text; default nothing. */
  protected describe(): string {
    return '';
  }

  /** As torchvision prints: `RandomCrop(size=(32, 32), padding=4)`. */
  toString(): string {
    return `${this.constructor.name}(${this.describe()})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** A height and width, as one number for both or as a pair. */
export type Size = number | readonly [number, number];

/** @throws RuntimeError if a size is no positive integer or pair of such. */
export function pairOf(operation: string, size: Size): readonly [number, number] {
  const pair = typeof size === 'number' ? ([size, size] as const) : size;
  if (pair.length !== 2 || pair.some((n) => !Number.isInteger(n) || n < 1))
    throw new RuntimeError(
      `${operation}: expected a size as a positive integer or [height, width], got ${JSON.stringify(size)}`,
    );
  return pair;
}

/** Height and width of an image. @throws RuntimeError if it has less than two dimensions. */
export function sizeOfImage(operation: string, image: Tensor): readonly [number, number] {
  if (image.ndim < 2)
    throw new RuntimeError(
      `${operation}: expected an image [..., C, H, W], got a tensor of shape [${image.shape.join(', ')}]`,
    );
  return [image.size(-2), image.size(-1)];
}

/** The number of an element, whose tensor nobody else uses. */
function take(t: Tensor): number {
  const value = t.itemSync();
  t.dispose();
  return value;
}

/** A number from `low` to `high`, drawn as torchvision draws it: a float32. */
export const drawUniform = (low: number, high: number, generator?: Generator | null): number =>
  take(empty([1], { dtype: 'float32', device: 'cpu' }).uniform_(low, high, { generator }));

/** A whole number below `end`. */
export const drawInteger = (end: number, generator?: Generator | null): number =>
  take(randint(0, end, [1], { generator, device: 'cpu' }));

/** Whether something of probability `p` happens. */
export const drawChance = (p: number, generator?: Generator | null): boolean =>
  take(rand([1], { generator, device: 'cpu', dtype: 'float32' })) < p;

/** @throws RuntimeError unless `p` is a probability. */
export function checkProbability(operation: string, p: number): number {
  if (!(p >= 0 && p <= 1))
    throw new RuntimeError(`${operation}: expected a probability from 0 to 1, got ${p}`);
  return p;
}

/** Python's `round`: halves to the even neighbour. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}
