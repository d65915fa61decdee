import type { Tensor } from '@sconce/core';
import { takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import * as F from './functional.js';
import { pairOf, type Size, Transform } from './transform.js';

/** Python's spelling of a pair, as torchvision prints it. */
export const tuple = (list: readonly number[]): string => `(${list.join(', ')})`;

/** The first of a chain may take something else than an image. */
export type Chain<I> = readonly [(image: I) => Tensor, ...((image: Tensor) => Tensor)[]];

/**
 * Transforms one after another.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html
 * @example new Compose([new RandomCrop(32, { padding: 4 }), new RandomHorizontalFlip(), new ToTensor()])
 */
export class Compose<I = Tensor> extends Transform<I> {
  readonly transforms: Chain<I>;

  constructor(transforms: Chain<I>) {
    takes('Compose', signatures.Compose, arguments);
    super();
    this.transforms = transforms;
  }

  override forward(image: I): Tensor {
    takes('Compose', signatures.Compose_forward, arguments);
    const [first, ...rest] = this.transforms;
    let result = first(image);
    for (const transform of rest) result = transform(result);
    return result;
  }

  override toString(): string {
    const lines = this.transforms.map((t) => {
      const text = t instanceof Transform ? String(t) : `${t.name || 'function'}()`;
      return `    ${text.replaceAll('\n', '\n    ')}`;
    });
    return `Compose(\n${lines.join('\n')}\n)`;
  }
}

/** Pixels or bytes 0 to 255 as float32 0 to 1; see `functional.toTensor`. */
export class ToTensor extends Transform<F.Pixels | Tensor> {
  override forward(image: F.Pixels | Tensor): Tensor {
    takes('ToTensor', signatures.ToTensor_forward, arguments);
    return F.toTensor(image);
  }
}

/** Any function as a transform. */
export class Lambda extends Transform {
  readonly lambda: (image: Tensor) => Tensor;

  constructor(lambda: (image: Tensor) => Tensor) {
    takes('Lambda', signatures.Lambda, arguments);
    super();
    this.lambda = lambda;
  }

  override forward(image: Tensor): Tensor {
    takes('Lambda', signatures.Lambda_forward, arguments);
    return this.lambda(image);
  }
}

/**
 * (image - mean) / std for each channel; images of floats.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
 * @example new Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
 */
export class Normalize extends Transform {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly inplace: boolean;

  constructor(
    mean: readonly number[],
    std: readonly number[],
    options: { inplace?: boolean } = {},
  ) {
    takes('Normalize', signatures.Normalize, arguments);
    super();
    this.mean = mean;
    this.std = std;
    this.inplace = options.inplace ?? false;
  }

  override forward(image: Tensor): Tensor {
    takes('Normalize', signatures.Normalize_forward, arguments);
    return F.normalize(image, this.mean, this.std, { inplace: this.inplace });
  }

  protected override describe(): string {
    return `mean=${tuple(this.mean)}, std=${tuple(this.std)}`;
  }
}

/** The image at another resolution: the shorter side, or [height, width]. Averages over the pixels that become one. */
export class Resize extends Transform {
  readonly size: Size;
  readonly options: F.ResizeOptions;

  constructor(size: Size, options: F.ResizeOptions = {}) {
    takes('Resize', signatures.Resize, arguments);
    super();
    this.size = size;
    this.options = options;
  }

  override forward(image: Tensor): Tensor {
    takes('Resize', signatures.Resize_forward, arguments);
    return F.resize(image, this.size, this.options);
  }

  protected override describe(): string {
    const size = typeof this.size === 'number' ? this.size : tuple(this.size);
    return `size=${size}, interpolation=${this.options.interpolation ?? 'bilinear'}`;
  }
}

/** The middle of the image. */
export class CenterCrop extends Transform {
  readonly size: readonly [number, number];

  constructor(size: Size) {
    takes('CenterCrop', signatures.CenterCrop, arguments);
    super();
    this.size = pairOf('CenterCrop', size);
  }

  override forward(image: Tensor): Tensor {
    takes('CenterCrop', signatures.CenterCrop_forward, arguments);
    return F.centerCrop(image, this.size);
  }

  protected override describe(): string {
    return `size=${tuple(this.size)}`;
  }
}

/** The image with a border. */
export class Pad extends Transform {
  readonly padding: F.Padding;
  readonly options: F.PadOptions;

  constructor(padding: F.Padding, options: F.PadOptions = {}) {
    takes('Pad', signatures.Pad, arguments);
    super();
    this.padding = padding;
    this.options = options;
  }

  override forward(image: Tensor): Tensor {
    takes('Pad', signatures.Pad_forward, arguments);
    return F.pad(image, this.padding, this.options);
  }

  protected override describe(): string {
    const { padding } = this;
    return `padding=${typeof padding === 'number' ? padding : tuple(padding)}, padding_mode=${this.options.paddingMode ?? 'constant'}`;
  }
}

/** Shades of gray, in one channel (default) or three. */
export class Grayscale extends Transform {
  readonly numOutputChannels: 1 | 3;

  constructor(numOutputChannels: 1 | 3 = 1) {
    takes('Grayscale', signatures.Grayscale, arguments);
    super();
    this.numOutputChannels = numOutputChannels;
  }

  override forward(image: Tensor): Tensor {
    takes('Grayscale', signatures.Grayscale_forward, arguments);
    return F.rgbToGrayscale(image, this.numOutputChannels);
  }

  protected override describe(): string {
    return `num_output_channels=${this.numOutputChannels}`;
  }
}
