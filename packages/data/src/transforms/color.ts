import {
  fmod,
  isFloatingPoint,
  RuntimeError,
  stack,
  type Tensor,
  takes,
  where,
} from '@sconce/core';
import * as signatures from '../signatures.js';
import { sizeOfImage } from './transform.js';

function channelsOf(operation: string, image: Tensor, allowed: readonly number[]): number {
  sizeOfImage(operation, image);
  const channels = image.ndim < 3 ? 1 : image.size(-3);
  if (!allowed.includes(channels))
    throw new RuntimeError(
      `${operation}: expected an image of ${allowed.join(' or ')} channels, got ${channels} in [${image.shape.join(', ')}]`,
    );
  return channels;
}

/** The largest value of an image: 1 for floats, 255 for bytes. */
const bound = (image: Tensor): number => (isFloatingPoint(image.dtype) ? 1 : 255);

const blend = (image: Tensor, other: Tensor | number, ratio: number): Tensor => {
  const rest = typeof other === 'number' ? other * (1 - ratio) : other.mul(1 - ratio);
  const mixed = image.mul(ratio).add(rest);
  return mixed.clamp(0, bound(image)).to(image.dtype);
};

function checkFactor(operation: string, factor: number): void {
  if (!(factor >= 0))
    throw new RuntimeError(`${operation}: the factor (${factor}) must not be negative`);
}

/**
 * Shades of gray, in one channel or in three that are alike.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.rgb_to_grayscale.html
 */
export function rgbToGrayscale(image: Tensor, numOutputChannels: 1 | 3 = 1): Tensor {
  takes('rgbToGrayscale', signatures.rgbToGrayscale, arguments);
  const channels = channelsOf('rgbToGrayscale', image, [1, 3]);
  let gray = image;
  if (channels === 3) {
    const [r, g, b] = image.unbind(-3) as [Tensor, Tensor, Tensor];
    gray = r.mul(0.2989).add(g.mul(0.587)).add(b.mul(0.114)).to(image.dtype).unsqueeze(-3);
  }
  if (numOutputChannels === 1 || image.ndim < 3) return gray;
  return gray.expand([...image.shape.slice(0, -3), 3, image.size(-2), image.size(-1)]);
}

/** Lighter or darker: 0 is black, 1 the image itself. */
export function adjustBrightness(image: Tensor, factor: number): Tensor {
  takes('adjustBrightness', signatures.adjustBrightness, arguments);
  checkFactor('adjustBrightness', factor);
  channelsOf('adjustBrightness', image, [1, 3]);
  return blend(image, 0, factor);
}

/** More or less contrast: 0 is an even gray, 1 the image itself. */
export function adjustContrast(image: Tensor, factor: number): Tensor {
  takes('adjustContrast', signatures.adjustContrast, arguments);
  checkFactor('adjustContrast', factor);
  const channels = channelsOf('adjustContrast', image, [1, 3]);
  const gray = channels === 3 ? rgbToGrayscale(image) : image;
  const float = isFloatingPoint(gray.dtype) ? gray : gray.to('float32');
  const mean = float.mean(image.ndim < 3 ? [-2, -1] : [-3, -2, -1], { keepdim: true });
  return blend(image, mean, factor);
}

/** More or less colour: 0 is gray, 1 the image itself. */
export function adjustSaturation(image: Tensor, factor: number): Tensor {
  takes('adjustSaturation', signatures.adjustSaturation, arguments);
  checkFactor('adjustSaturation', factor);
  if (channelsOf('adjustSaturation', image, [1, 3]) === 1) return image;
  return blend(image, rgbToGrayscale(image), factor);
}

/** An image of another range of numbers: bytes 0 to 255, floats 0 to 1. */
export function convertImageDtype(image: Tensor, dtype: 'float32' | 'float64' | 'uint8'): Tensor {
  takes('convertImageDtype', signatures.convertImageDtype, arguments);
  if (image.dtype === dtype) return image;
  const [from, to] = [isFloatingPoint(image.dtype), dtype !== 'uint8'];
  if (!from && image.dtype !== 'uint8')
    throw new RuntimeError(
      `convertImageDtype: expected an image of floats or uint8, got ${image.dtype}`,
    );
  if (from === to) return image.to(dtype);
  // Just below 256, so that 1 becomes 255.
  return from ? image.mul(255 + 1 - 1e-3).to(dtype) : image.to(dtype).div(255);
}

/**
 * Colours turned around the circle of hues by `factor` of it, from -0.5 to 0.5.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.adjust_hue.html
 */
export function adjustHue(image: Tensor, factor: number): Tensor {
  takes('adjustHue', signatures.adjustHue, arguments);
  if (!(factor >= -0.5 && factor <= 0.5))
    throw new RuntimeError(`adjustHue: the factor (${factor}) is not in [-0.5, 0.5]`);
  if (channelsOf('adjustHue', image, [1, 3]) === 1) return image;
  const float = isFloatingPoint(image.dtype) ? image : convertImageDtype(image, 'float32');
  const [r, g, b] = float.unbind(-3) as [Tensor, Tensor, Tensor];
  const most = float.amax(-3);
  const range = most.sub(float.amin(-3));
  const gray = range.eq(0);
  const one = most.mul(0).add(1);
  const saturation = range.div(where(gray, one, most));
  const divisor = where(gray, one, range);
  const [rc, gc, bc] = [r, g, b].map((c) => most.sub(c).div(divisor)) as [Tensor, Tensor, Tensor];
  const hue = where(
    most.eq(r),
    bc.sub(gc),
    where(most.eq(g), rc.sub(bc).add(2), gc.sub(rc).add(4)),
  );
  const turned = fmod(hue.div(6).add(1), 1).add(factor).remainder(1);
  // For each channel the distance from its own hue decides between the value and what saturation takes off it.
  const channel = (n: number): Tensor => {
    const k = turned.mul(6).add(n).remainder(6);
    const near = k.minimum(k.neg().add(4)).clamp(0, 1);
    return most.sub(most.mul(saturation).mul(near)).clamp(0, 1);
  };
  const result = stack([channel(5), channel(3), channel(1)], -3);
  if (image.dtype === 'uint8') return convertImageDtype(result, 'uint8');
  return result;
}
