import {
  gridSample,
  isFloatingPoint,
  linspace,
  onesLike,
  stack,
  type Tensor,
  takes,
} from '@sconce/core';
import * as signatures from '../signatures.js';
import { type Fill, filled } from './geometry.js';
import { sizeOfImage } from './transform.js';

/** Options of `rotate`. */
export interface RotateOptions {
  /** Default `'nearest'`. */
  interpolation?: 'nearest' | 'bilinear';
  /** Whether the image grows to hold all of what is rotated; default false. */
  expand?: boolean;
  /** The point [x, y] to turn about, from the upper left corner; default the middle. */
  center?: readonly [number, number] | null;
  /** What comes into view; default 0. */
  fill?: Fill | null;
}

/** Where positions of a rotated image come from, about the middle of the image. */
function inverseRotation(degrees: number, [cx, cy]: readonly [number, number]): number[] {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [a, b, d, e] = [cos, sin, -sin, cos];
  return [a, b, cx - a * cx - b * cy, d, e, cy - d * cx - e * cy];
}

/** The size that holds a whole rotated image of width x height. */
function expandedSize(matrix: readonly number[], width: number, height: number): [number, number] {
  const [a, b, c, d, e, f] = matrix as [number, number, number, number, number, number];
  const corners = [
    [-0.5 * width, -0.5 * height],
    [-0.5 * width, 0.5 * height],
    [0.5 * width, 0.5 * height],
    [0.5 * width, -0.5 * height],
  ] as const;
  const xs = corners.map(([x, y]) => a * x + b * y + c + width * 0.5);
  const ys = corners.map(([x, y]) => d * x + e * y + f + height * 0.5);
  // What is off by rounding alone takes no pixel more.
  const tidy = (x: number, round: (x: number) => number): number =>
    round(Math.trunc(Math.fround(x) * 1e4) / 1e4);
  const span = (values: readonly number[]): number =>
    tidy(Math.max(...values), Math.ceil) - tidy(Math.min(...values), Math.floor);
  return [span(xs), span(ys)];
}

/**
 * An image turned counter-clockwise.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.rotate.html
 */
export function rotate(image: Tensor, degrees: number, options: RotateOptions = {}): Tensor {
  takes('rotate', signatures.rotate, arguments);
  const { interpolation = 'nearest', expand = false, center, fill } = options;
  const [h, w] = sizeOfImage('rotate', image);
  const about: [number, number] = center ? [center[0] - w * 0.5, center[1] - h * 0.5] : [0, 0];
  const matrix = inverseRotation(-degrees, about);
  const [ow, oh] = expand ? expandedSize(matrix, w, h) : [w, h];
  const { dtype, device } = image;
  const float = isFloatingPoint(dtype) ? image : image.to('float32');
  const type = float.dtype;
  const at = { dtype: type, device };
  const x = linspace(-ow * 0.5 + 0.5, ow * 0.5 - 0.5, ow, at)
    .reshape(1, ow)
    .expand([oh, ow]);
  const y = linspace(-oh * 0.5 + 0.5, oh * 0.5 - 0.5, oh, at)
    .reshape(oh, 1)
    .expand([oh, ow]);
  const place = (row: number, half: number): Tensor => {
    const [a, b, c] = matrix.slice(3 * row, 3 * row + 3).map((v) => v / half) as [
      number,
      number,
      number,
    ];
    return x.mul(a).add(y.mul(b)).add(c);
  };
  const grid = stack([place(0, 0.5 * w), place(1, 0.5 * h)], -1).unsqueeze(0);
  const lead = image.shape.slice(0, -2);
  const flat = float.reshape(1, -1, h, w);
  const sample = (t: Tensor): Tensor => gridSample(t, grid, { mode: interpolation });
  let turned = sample(flat).reshape(...lead, oh, ow);
  if (fill !== undefined && fill !== null && fill !== 0) {
    // How much of each pixel is image, and how much came into view.
    const mask = sample(onesLike(flat.narrow(1, 0, 1))).reshape(oh, ow);
    const colour = filled(float, [...lead, oh, ow], fill);
    turned =
      interpolation === 'nearest'
        ? colour.where(mask.lt(0.5), turned)
        : turned.mul(mask).add(colour.mul(mask.neg().add(1)));
  }
  return isFloatingPoint(dtype) ? turned : turned.round().to(dtype);
}
