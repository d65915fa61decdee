import { fromTypedArray, isFloatingPoint, RuntimeError, Tensor, takes, tensor } from '@sconce/core';
import * as signatures from '../signatures.js';
import { sizeOfImage } from './transform.js';

export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  convertImageDtype,
  rgbToGrayscale,
} from './color.js';
export {
  centerCrop,
  crop,
  type Fill,
  hflip,
  type Padding,
  type PadMode,
  type PadOptions,
  pad,
  vflip,
} from './geometry.js';
export { type Interpolation, type ResizeOptions, resize } from './resize.js';
export { type RotateOptions, rotate } from './rotate.js';

/** Pixels as they come from a canvas or a decoder: rows of channels, 1 to 4 of them. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** Default: as many as fit the data. */
  readonly channels?: number;
}

/**
 * Pixels [H, W, C] as an image [C, H, W] of bytes.
 *
 * @param channels how many to keep: 3 leaves out an alpha channel, and makes three of one.
 * @throws RuntimeError if sizes do not fit.
 */
export function pixelsToTensor(pixels: Pixels, channels?: 1 | 3 | 4): Tensor {
  takes('pixelsToTensor', signatures.pixelsToTensor, arguments);
  const { data, width, height } = pixels;
  const given = pixels.channels ?? data.length / (width * height);
  if (![1, 2, 3, 4].includes(given) || data.length !== width * height * given)
    throw new RuntimeError(
      `pixelsToTensor: ${data.length} bytes are no image of ${width} x ${height} with 1 to 4 channels`,
    );
  const wanted = channels ?? given;
  const area = width * height;
  const planes = new Uint8Array(wanted * area);
  for (let c = 0; c < wanted; c++) {
    const plane = planes.subarray(c * area, (c + 1) * area);
    // Gray has one channel for the three, and alpha comes last.
    const alpha = c === 3;
    if (alpha && given !== 2 && given !== 4) {
      plane.fill(255);
      continue;
    }
    const from = alpha ? given - 1 : given < 3 ? 0 : c;
    if (wanted === 1 && given >= 3)
      for (let i = 0; i < area; i++) {
        const at = i * given;
        plane[i] = Math.trunc(
          0.299 * (data[at] as number) +
            0.587 * (data[at + 1] as number) +
            0.114 * (data[at + 2] as number) +
            0.5,
        );
      }
    else for (let i = 0; i < area; i++) plane[i] = data[i * given + from] as number;
  }
  return fromTypedArray(planes, [wanted, height, width], { device: 'cpu' });
}

/**
 * Pixels, or an image of bytes, as an image [C, H, W] of float32 from 0 to 1; an image of another dtype is left as it is.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
 */
export function toTensor(image: Pixels | Tensor): Tensor {
  takes('toTensor', signatures.toTensor, arguments);
  const t = image instanceof Tensor ? image : pixelsToTensor(image);
  return t.dtype === 'uint8' ? t.to('float32').div(255) : t;
}

/**
 * (image - mean) / std, with a number for each channel or one for all.
 *
 * @throws RuntimeError for an integer image, a std of 0, or numbers that do not fit the channels.
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.normalize.html
 */
export function normalize(
  image: Tensor,
  mean: readonly number[],
  std: readonly number[],
  options: { inplace?: boolean } = {},
): Tensor {
  takes('normalize', signatures.normalize, arguments);
  sizeOfImage('normalize', image);
  if (!isFloatingPoint(image.dtype))
    throw new RuntimeError(
      `normalize: Input tensor should be a float tensor, got ${image.dtype}; use ToTensor before it`,
    );
  if (std.some((s) => s === 0)) throw new RuntimeError('normalize: std must not hold 0');
  const channels = image.ndim < 3 ? 1 : image.size(-3);
  for (const list of [mean, std]) {
    if (list.length !== 1 && list.length !== channels)
      throw new RuntimeError(
        `normalize: ${list.length} numbers were given for an image of ${channels} channels`,
      );
  }
  const { dtype, device } = image;
  const column = (list: readonly number[]): Tensor =>
    tensor(list as number[], { dtype, device }).reshape(list.length, 1, 1);
  const [m, s] =
    image.ndim < 3 ? [mean[0] as number, std[0] as number] : [column(mean), column(std)];
  return options.inplace ? image.sub_(m).div_(s) : image.sub(m).div(s);
}

/**
 * An image with a rectangle overwritten.
 *
 * @param value a number, or a tensor that broadcasts to [C, height, width].
 */
export function erase(
  image: Tensor,
  top: number,
  left: number,
  height: number,
  width: number,
  value: Tensor | number,
  options: { inplace?: boolean } = {},
): Tensor {
  takes('erase', signatures.erase, arguments);
  sizeOfImage('erase', image);
  const result = options.inplace ? image : image.clone();
  const part = result.narrow(-2, top, height).narrow(-1, left, width);
  if (typeof value === 'number') part.fill_(value);
  else part.copy_(value);
  return result;
}
