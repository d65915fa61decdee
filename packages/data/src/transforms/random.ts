import {
  type Generator,
  log,
  normal,
  RuntimeError,
  type Tensor,
  takes,
  tensor,
} from '@sconce/core';
import * as signatures from '../signatures.js';
import { tuple } from './deterministic.js';
import * as F from './functional.js';
import {
  checkProbability,
  drawChance,
  drawInteger,
  drawUniform,
  pairOf,
  type RandomTransformOptions,
  roundHalfEven,
  type Size,
  sizeOfImage,
  Transform,
} from './transform.js';

/** Options of `RandomCrop`. */
export interface RandomCropOptions extends RandomTransformOptions, F.PadOptions {
  /** A border to add before cutting. */
  padding?: F.Padding;
  /** Whether an image that is too small is padded instead of being an error; default false. */
  padIfNeeded?: boolean;
}

/**
 * A part of the image, anywhere in it.
 *
 * @throws RuntimeError if the image is smaller, and `padIfNeeded` is not set.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html
 * @example new RandomCrop(32, { padding: 4 })
 */
export class RandomCrop extends Transform {
  readonly size: readonly [number, number];
  readonly options: RandomCropOptions;

  constructor(size: Size, options: RandomCropOptions = {}) {
    takes('RandomCrop', signatures.RandomCrop, arguments);
    super();
    this.size = pairOf('RandomCrop', size);
    this.options = options;
  }

  override forward(image: Tensor): Tensor {
    takes('RandomCrop', signatures.RandomCrop_forward, arguments);
    const { padding, padIfNeeded, generator, fill, paddingMode } = this.options;
    const border = { fill, paddingMode };
    const [height, width] = this.size;
    let whole = padding === undefined ? image : F.pad(image, padding, border);
    let [h, w] = sizeOfImage('RandomCrop', whole);
    if (padIfNeeded && w < width) whole = F.pad(whole, [width - w, 0], border);
    if (padIfNeeded && h < height) whole = F.pad(whole, [0, height - h], border);
    [h, w] = sizeOfImage('RandomCrop', whole);
    if (h < height || w < width)
      throw new RuntimeError(
        `RandomCrop: Required crop size ${tuple(this.size)} is larger than input image size ${tuple([h, w])}; pad it (padIfNeeded)`,
      );
    if (h === height && w === width) return whole;
    const top = drawInteger(h - height + 1, generator);
    const left = drawInteger(w - width + 1, generator);
    return F.crop(whole, top, left, height, width);
  }

  protected override describe(): string {
    const { padding } = this.options;
    const text =
      padding === undefined ? 'None' : typeof padding === 'number' ? padding : tuple(padding);
    return `size=${tuple(this.size)}, padding=${text}`;
  }
}

/** What happens to an image with a probability. */
abstract class Chance extends Transform {
  readonly p: number;
  readonly generator: Generator | null | undefined;

  constructor(p: number, options: RandomTransformOptions) {
    super();
    this.p = checkProbability(this.constructor.name, p);
    this.generator = options.generator;
  }

  override forward(image: Tensor): Tensor {
    takes(this.constructor.name, signatures.Chance_forward, arguments);
    return drawChance(this.p, this.generator) ? this.change(image) : image;
  }

  protected abstract change(image: Tensor): Tensor;

  protected override describe(): string {
    return `p=${this.p}`;
  }
}

/** The mirror image, left to right, with probability `p` (0.5). */
export class RandomHorizontalFlip extends Chance {
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    takes('RandomHorizontalFlip', signatures.RandomHorizontalFlip, arguments);
    super(p, options);
  }

  protected override change(image: Tensor): Tensor {
    return F.hflip(image);
  }
}

/** The mirror image, top to bottom, with probability `p` (0.5). */
export class RandomVerticalFlip extends Chance {
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    takes('RandomVerticalFlip', signatures.RandomVerticalFlip, arguments);
    super(p, options);
  }

  protected override change(image: Tensor): Tensor {
    return F.vflip(image);
  }
}

/** A range of ratios of sides, in logarithms as float32 holds them. */
const logarithms = ([low, high]: readonly [number, number]): readonly [number, number] =>
  log(tensor([low, high], { dtype: 'float32', device: 'cpu' })).toArraySync() as [number, number];

const exponential = (x: number): number => {
  const t = tensor([x], { dtype: 'float32', device: 'cpu' }).exp();
  return t.itemSync();
};

/** Options of `RandomResizedCrop`. */
export interface RandomResizedCropOptions extends RandomTransformOptions, F.ResizeOptions {
  /** The share of the image's area that is cut out; default [0.08, 1]. */
  scale?: readonly [number, number];
  /** Its width over its height; default [3/4, 4/3]. */
  ratio?: readonly [number, number];
}

/**
 * A part of the image, of random size and proportions, at a given resolution.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomResizedCrop.html
 */
export class RandomResizedCrop extends Transform {
  readonly size: readonly [number, number];
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
  readonly options: RandomResizedCropOptions;

  constructor(size: Size, options: RandomResizedCropOptions = {}) {
    takes('RandomResizedCrop', signatures.RandomResizedCrop, arguments);
    super();
    this.size = pairOf('RandomResizedCrop', size);
    this.scale = options.scale ?? [0.08, 1];
    this.ratio = options.ratio ?? [3 / 4, 4 / 3];
    this.options = options;
    for (const [low, high] of [this.scale, this.ratio])
      if (!(low > 0 && low <= high))
        throw new RuntimeError(
          `RandomResizedCrop: scale and ratio should be of kind [min, max], above 0, got [${low}, ${high}]`,
        );
  }

  override forward(image: Tensor): Tensor {
    takes('RandomResizedCrop', signatures.RandomResizedCrop_forward, arguments);
    const [top, left, height, width] = this.#draw(...sizeOfImage('RandomResizedCrop', image));
    const { interpolation, maxSize, antialias } = this.options;
    const crop = F.crop(image, top, left, height, width);
    return F.resize(crop, this.size, { interpolation, maxSize, antialias });
  }

  #draw(height: number, width: number): [number, number, number, number] {
    const { generator } = this.options;
    const [low, high] = logarithms(this.ratio);
    for (let tries = 0; tries < 10; tries++) {
      const area = height * width * drawUniform(...this.scale, generator);
      const ratio = exponential(drawUniform(low, high, generator));
      const w = roundHalfEven(Math.sqrt(area * ratio));
      const h = roundHalfEven(Math.sqrt(area / ratio));
      if (w < 1 || h < 1 || w > width || h > height) continue;
      const top = drawInteger(height - h + 1, generator);
      return [top, drawInteger(width - w + 1, generator), h, w];
    }
    // The largest middle of allowed proportions.
    const whole = width / height;
    const [narrow, broad] = this.ratio;
    const w = whole > broad ? roundHalfEven(height * broad) : width;
    const h = whole < narrow ? roundHalfEven(width / narrow) : height;
    return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
  }

  protected override describe(): string {
    return `size=${tuple(this.size)}, scale=${tuple(this.scale)}, ratio=${tuple(this.ratio.map((r) => Number(r.toFixed(4))))}, interpolation=${this.options.interpolation ?? 'bilinear'}`;
  }
}

/** Options of `RandomRotation`. */
export interface RandomRotationOptions extends RandomTransformOptions, F.RotateOptions {}

/**
 * The image turned by a random angle.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html
 */
export class RandomRotation extends Transform {
  readonly degrees: readonly [number, number];
  readonly options: RandomRotationOptions;

  /** @param degrees a range, or one number for as much to both sides. */
  constructor(degrees: number | readonly [number, number], options: RandomRotationOptions = {}) {
    takes('RandomRotation', signatures.RandomRotation, arguments);
    super();
    if (typeof degrees === 'number' && !(degrees >= 0))
      throw new RuntimeError(
        `RandomRotation: If degrees is a single number, it must be positive, got ${degrees}`,
      );
    this.degrees = typeof degrees === 'number' ? [-degrees, degrees] : degrees;
    this.options = options;
  }

  override forward(image: Tensor): Tensor {
    takes('RandomRotation', signatures.RandomRotation_forward, arguments);
    const angle = drawUniform(...this.degrees, this.options.generator);
    const { interpolation, expand, center, fill } = this.options;
    return F.rotate(image, angle, { interpolation, expand, center, fill });
  }

  protected override describe(): string {
    return `degrees=${tuple(this.degrees)}, interpolation=${this.options.interpolation ?? 'nearest'}, expand=${this.options.expand ? 'True' : 'False'}`;
  }
}

/** Options of `RandomErasing`. */
export interface RandomErasingOptions extends RandomTransformOptions {
  /** How often; default 0.5. */
  p?: number;
  /** The share of the image's area that is erased; default [0.02, 0.33]. */
  scale?: readonly [number, number];
  /** Its height over its width; default [0.3, 3.3]. */
  ratio?: readonly [number, number];
  /** What it is overwritten with: a number, one a channel, or normal noise (`'random'`); default 0. */
  value?: number | readonly number[] | 'random';
  /** Whether the image itself is changed; default false. */
  inplace?: boolean;
}

/**
 * The image with a random rectangle erased.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomErasing.html
 */
export class RandomErasing extends Transform {
  readonly options: Required<Omit<RandomErasingOptions, 'generator'>> & RandomTransformOptions;

  constructor(options: RandomErasingOptions = {}) {
    takes('RandomErasing', signatures.RandomErasing, arguments);
    super();
    const defaults = {
      p: 0.5,
      scale: [0.02, 0.33],
      ratio: [0.3, 3.3],
      value: 0,
      inplace: false,
    } as const;
    this.options = { ...defaults, ...options };
    checkProbability('RandomErasing', this.options.p);
  }

  override forward(image: Tensor): Tensor {
    takes('RandomErasing', signatures.RandomErasing_forward, arguments);
    const { p, scale, ratio, value, inplace, generator } = this.options;
    if (!drawChance(p, generator)) return image;
    const [height, width] = sizeOfImage('RandomErasing', image);
    const channels = image.ndim < 3 ? 1 : image.size(-3);
    if (Array.isArray(value) && value.length !== 1 && value.length !== channels)
      throw new RuntimeError(
        `RandomErasing: value holds ${value.length} numbers, but the image has ${channels} channels`,
      );
    const [low, high] = logarithms(ratio);
    for (let tries = 0; tries < 10; tries++) {
      const area = height * width * drawUniform(...scale, generator);
      const proportion = exponential(drawUniform(low, high, generator));
      const h = roundHalfEven(Math.sqrt(area * proportion));
      const w = roundHalfEven(Math.sqrt(area / proportion));
      if (!(h < height && w < width)) continue;
      const { dtype, device } = image;
      const paint =
        value === 'random'
          ? normal(0, 1, { shape: [channels, h, w], generator, device: 'cpu' }).to({
              dtype,
              device,
            })
          : typeof value === 'number'
            ? value
            : tensor(value as number[], { dtype, device }).reshape(value.length, 1, 1);
      const top = drawInteger(height - h + 1, generator);
      const left = drawInteger(width - w + 1, generator);
      return F.erase(image, top, left, h, w, paint, { inplace });
    }
    return image;
  }

  protected override describe(): string {
    const { p, scale, ratio, value, inplace } = this.options;
    const text = Array.isArray(value) ? tuple(value) : value;
    return `p=${p}, scale=${tuple(scale)}, ratio=${tuple(ratio)}, value=${text}, inplace=${inplace ? 'True' : 'False'}`;
  }
}
