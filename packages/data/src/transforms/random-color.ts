import { RuntimeError, randperm, type Tensor, takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { tuple } from './deterministic.js';
import * as F from './functional.js';
import {
  checkProbability,
  drawChance,
  drawUniform,
  type RandomTransformOptions,
  Transform,
} from './transform.js';

/** How much something may change: a range of factors, or one number x for [1 - x, 1 + x] (hues: [-x, x]). */
export type Jitter = number | readonly [number, number];

/** Options of `ColorJitter`; what is left out does not change. */
export interface ColorJitterOptions extends RandomTransformOptions {
  brightness?: Jitter;
  contrast?: Jitter;
  saturation?: Jitter;
  /** In shares of the circle of hues, at most 0.5. */
  hue?: Jitter;
}

/**
 * Random changes of brightness, contrast, saturation and hue, in random order.
 *
 * @throws RuntimeError if a range is negative, or hues go beyond half the circle.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html
 * @example new ColorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 })
 */
export class ColorJitter extends Transform {
  readonly options: ColorJitterOptions;
  readonly #ranges: readonly (readonly [number, number] | undefined)[];

  constructor(options: ColorJitterOptions = {}) {
    takes('ColorJitter', signatures.ColorJitter, arguments);
    super();
    this.options = options;
    const { brightness, contrast, saturation, hue } = options;
    this.#ranges = [
      range('brightness', brightness, 1, 0, Number.POSITIVE_INFINITY),
      range('contrast', contrast, 1, 0, Number.POSITIVE_INFINITY),
      range('saturation', saturation, 1, 0, Number.POSITIVE_INFINITY),
      range('hue', hue, 0, -0.5, 0.5),
    ];
  }

  override forward(image: Tensor): Tensor {
    takes('ColorJitter', signatures.ColorJitter_forward, arguments);
    const { generator } = this.options;
    const drawn = randperm(4, { generator, device: 'cpu' });
    const order = Array.from(drawn.toTypedArraySync(), Number);
    drawn.dispose();
    const factors = this.#ranges.map((r) => r && drawUniform(...r, generator));
    let result = image;
    for (const which of order) {
      const factor = factors[which];
      if (factor !== undefined) result = (adjust[which] as (typeof adjust)[0])(result, factor);
    }
    return result;
  }

  protected override describe(): string {
    return ['brightness', 'contrast', 'saturation', 'hue']
      .map((name, i) => {
        const r = this.#ranges[i];
        return `${name}=${r ? tuple(r) : 'None'}`;
      })
      .join(', ');
  }
}

const adjust = [F.adjustBrightness, F.adjustContrast, F.adjustSaturation, F.adjustHue] as const;

function range(
  name: string,
  given: Jitter | undefined,
  center: number,
  low: number,
  high: number,
): readonly [number, number] | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'number' && !(given >= 0))
    throw new RuntimeError(`ColorJitter: If ${name} is a single number, it must be non negative.`);
  const [from, to] =
    typeof given === 'number'
      ? [center === 1 ? Math.max(1 - given, 0) : -given, center + given]
      : given;
  if (!(low <= from && from <= to && to <= high))
    throw new RuntimeError(
      `ColorJitter: ${name} values should be between ${low} and ${high}, got [${from}, ${to}]`,
    );
  // What cannot change draws nothing.
  return from === center && to === center ? undefined : [from, to];
}

/** Shades of gray in as many channels, with probability `p` (0.1). */
export class RandomGrayscale extends Transform {
  readonly p: number;
  readonly options: RandomTransformOptions;

  constructor(p = 0.1, options: RandomTransformOptions = {}) {
    takes('RandomGrayscale', signatures.RandomGrayscale, arguments);
    super();
    this.p = checkProbability('RandomGrayscale', p);
    this.options = options;
  }

  override forward(image: Tensor): Tensor {
    takes('RandomGrayscale', signatures.RandomGrayscale_forward, arguments);
    if (!drawChance(this.p, this.options.generator)) return image;
    const three = image.ndim >= 3 && image.size(-3) === 3;
    return F.rgbToGrayscale(image, three ? 3 : 1);
  }

  protected override describe(): string {
    return `p=${this.p}`;
  }
}
