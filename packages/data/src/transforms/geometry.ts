import { checking, full, RuntimeError, type Tensor, takes, tensor } from '@sconce/core';
import * as signatures from '../signatures.js';
import { pairOf, roundHalfEven, type Size, sizeOfImage } from './transform.js';

/** How `pad` fills: one value, the edge, or a mirror image without (`reflect`) or with (`symmetric`) the edge itself. */
export type PadMode = 'constant' | 'edge' | 'reflect' | 'symmetric';

/** Amounts of padding: for all sides, for [left and right, top and bottom], or for [left, top, right, bottom]. */
export type Padding =
  | number
  | readonly [number]
  | readonly [number, number]
  | readonly [number, number, number, number];

/** What to fill with: one value, or one a channel. */
export type Fill = number | readonly number[];

/** Options of `pad`. */
export interface PadOptions {
  /** Default 0. */
  fill?: Fill;
  /** Default `'constant'`. */
  paddingMode?: PadMode;
}

export function paddingOf(padding: Padding): [number, number, number, number] {
  if (typeof padding === 'number') return [padding, padding, padding, padding];
  if (padding.length === 1) return [padding[0], padding[0], padding[0], padding[0]];
  if (padding.length === 2) return [padding[0], padding[1], padding[0], padding[1]];
  if (padding.length === 4) return [...padding];
  throw new RuntimeError(
    `pad: Padding must be a number or a list of 1, 2 or 4, got ${JSON.stringify(padding)}`,
  );
}

/** An image of one colour. @throws RuntimeError if a fill does not have a value for each channel. */
export function filled(image: Tensor, shape: readonly number[], fill: Fill): Tensor {
  const { dtype, device } = image;
  if (typeof fill === 'number') return full(shape, fill, { dtype, device });
  const channels = shape.length < 3 ? 1 : (shape[shape.length - 3] as number);
  if (fill.length !== 1 && fill.length !== channels)
    throw new RuntimeError(
      `fill: the number of elements (${fill.length}) does not match the number of channels of the image (${channels})`,
    );
  return tensor(fill as number[], { dtype, device })
    .reshape(fill.length, 1, 1)
    .expand([...shape])
    .clone({ memoryFormat: 'contiguous' });
}

/** Where each position of a padded dimension comes from. */
function sources(mode: PadMode, size: number, before: number, after: number): number[] {
  const period = mode === 'reflect' ? 2 * (size - 1) : 2 * size;
  return Array.from({ length: before + size + after }, (_, i) => {
    const at = i - before;
    if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1);
    const folded = ((at % period) + period) % period;
    if (folded < size) return folded;
    return mode === 'reflect' ? period - folded : period - 1 - folded;
  });
}

/**
 * An image with a border added; negative amounts cut.
 *
 * @throws RuntimeError if reflecting needs more than the image has.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.pad.html
 */
export function pad(image: Tensor, padding: Padding, options: PadOptions = {}): Tensor {
  takes('pad', signatures.pad, arguments);
  const { fill = 0, paddingMode = 'constant' } = options;
  const [height, width] = sizeOfImage('pad', image);
  const [left, top, right, bottom] = paddingOf(padding);
  if (paddingMode === 'constant')
    return window(image, -top, -left, height + top + bottom, width + left + right, fill);
  const limit = paddingMode === 'reflect' ? 1 : 0;
  if (
    paddingMode !== 'edge' &&
    (Math.max(left, right) > width - limit || Math.max(top, bottom) > height - limit)
  )
    throw new RuntimeError(
      `pad: padding [${left}, ${top}, ${right}, ${bottom}] is more than an image of ${height} x ${width} can be mirrored (${paddingMode})`,
    );
  const cut = window(
    image,
    Math.max(-top, 0),
    Math.max(-left, 0),
    height + Math.min(top, 0) + Math.min(bottom, 0),
    width + Math.min(left, 0) + Math.min(right, 0),
    0,
  );
  const pick = (dim: number, before: number, after: number, from: Tensor): Tensor => {
    if (before <= 0 && after <= 0) return from;
    const places = sources(paddingMode, from.size(dim), Math.max(before, 0), Math.max(after, 0));
    return from.indexSelect(dim, tensor(places, { dtype: 'int64', device: from.device }));
  };
  return pick(-1, left, right, pick(-2, top, bottom, cut));
}

/** The part of an image that begins at (top, left), filled where it reaches beyond. */
function window(
  image: Tensor,
  top: number,
  left: number,
  height: number,
  width: number,
  fill: Fill,
): Tensor {
  const [h, w] = [image.size(-2), image.size(-1)];
  const [y0, x0] = [Math.max(top, 0), Math.max(left, 0)];
  const [y1, x1] = [Math.min(top + height, h), Math.min(left + width, w)];
  const inside = (): Tensor => image.narrow(-2, y0, y1 - y0).narrow(-1, x0, x1 - x0);
  if (top >= 0 && left >= 0 && y1 === top + height && x1 === left + width) return inside();
  const result = filled(image, [...image.shape.slice(0, -2), height, width], fill);
  if (y1 > y0 && x1 > x0)
    result
      .narrow(-2, y0 - top, y1 - y0)
      .narrow(-1, x0 - left, x1 - x0)
      .copy_(inside());
  return result;
}

/**
 * The part of an image of `height` x `width` that begins at (top, left); zeros where it reaches beyond.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.crop.html
 */
export function crop(
  image: Tensor,
  top: number,
  left: number,
  height: number,
  width: number,
): Tensor {
  takes('crop', signatures.crop, arguments);
  sizeOfImage('crop', image);
  return window(image, top, left, height, width, 0);
}

/**
 * The middle of an image; zeros around it where the size is larger.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.center_crop.html
 */
export function centerCrop(image: Tensor, size: Size): Tensor {
  takes('centerCrop', signatures.centerCrop, arguments);
  const [height, width] = pairOf('centerCrop', size);
  const [h, w] = sizeOfImage('centerCrop', image);
  const dy = Math.max(height - h, 0);
  const dx = Math.max(width - w, 0);
  const padded =
    dy > 0 || dx > 0 ? pad(image, [dx >> 1, dy >> 1, (dx + 1) >> 1, (dy + 1) >> 1]) : image;
  const top = roundHalfEven((padded.size(-2) - height) / 2);
  const left = roundHalfEven((padded.size(-1) - width) / 2);
  return crop(padded, top, left, height, width);
}

/** The mirror image, left to right. */
export const hflip = checking('hflip', signatures.hflip, (image: Tensor): Tensor => {
  sizeOfImage('hflip', image);
  return image.flip([-1]);
});

/** The mirror image, top to bottom. */
export const vflip = checking('vflip', signatures.vflip, (image: Tensor): Tensor => {
  sizeOfImage('vflip', image);
  return image.flip([-2]);
});
