import { RuntimeError, type Tensor, takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { type Pixels, pixelsToTensor } from '../transforms/functional.js';

/** Options of `decodeImage`. */
export interface DecodeImageOptions {
  /** 3 for colour (default), 1 for shades of gray, 4 with alpha. */
  channels?: 1 | 3 | 4;
  /** The most pixels of an image; default 100 million. */
  maxPixels?: number;
}

/**
 * Decodes a PNG or JPEG (in a browser also what else it shows) to an image [C, H, W] of bytes.
 *
 * In Node the decoders are `fast-png` and `jpeg-js`, in plain JavaScript; browsers use their own.
 *
 * @throws RuntimeError if the bytes are no such image, are damaged, or hold too many pixels.
 * @see https://pytorch.org/vision/stable/generated/torchvision.io.decode_image.html
 * @example const image = await decodeImage(await readFile('cat.png')); // uint8 [3, H, W]
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeImageOptions = {},
): Promise<Tensor> {
  takes('decodeImage', signatures.decodeImage, arguments);
  const { channels = 3, maxPixels = 100e6 } = options;
  const kind = kindOf(bytes);
  try {
    if (kind === 'png') checkPixels(pngSize(bytes), maxPixels);
    const own = typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function';
    if (own) return pixelsToTensor(await decodeByBrowser(bytes, maxPixels), channels);
    if (kind === 'png') return pixelsToTensor(await decodePng(bytes), channels);
    if (kind === 'jpeg') return pixelsToTensor(await decodeJpeg(bytes, maxPixels), channels);
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError(`decodeImage: the image is damaged (${(error as Error).message})`);
  }
  throw new RuntimeError('decodeImage: the bytes are neither PNG nor JPEG');
}

function kindOf(b: Uint8Array): 'png' | 'jpeg' | undefined {
  if (b[0] === 0x89 && b[1] === 0x50 && b[2] === 0x4e && b[3] === 0x47) return 'png';
  if (b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff) return 'jpeg';
  return undefined;
}

function pngSize(bytes: Uint8Array): [number, number] {
  if (bytes.length < 24) throw new RuntimeError('decodeImage: the PNG ends in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(16), view.getUint32(20)];
}

function checkPixels([width, height]: readonly [number, number], most: number): void {
  if (width * height > most)
    throw new RuntimeError(
      `decodeImage: ${width} x ${height} pixels are more than maxPixels (${most})`,
    );
}

async function decodePng(bytes: Uint8Array): Promise<Pixels> {
  const { decode, convertIndexedToRgb } = await import('fast-png');
  const image = decode(bytes, { checkCrc: true });
  const { width, height, depth, palette } = image;
  if (palette) {
    const data = convertIndexedToRgb(image) as Uint8Array;
    return { data, width, height };
  }
  if (depth === 8) return { data: image.data as Uint8Array, width, height };
  if (depth === 16) return { data: Uint8Array.from(image.data, (x) => x >> 8), width, height };
  return { data: unpackBits(image.data as Uint8Array, width, height, depth), width, height };
}

/** Shades of gray of less than eight bits, several to a byte, as bytes from 0 to 255. */
function unpackBits(packed: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  const most = 2 ** depth - 1;
  const rowBytes = Math.ceil((width * depth) / 8);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = packed[y * rowBytes + (bit >> 3)] as number;
      data[y * width + x] = (((byte >> (8 - depth - (bit & 7))) & most) * 255) / most;
    }
  }
  return data;
}

async function decodeJpeg(bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  const jpeg = await import('jpeg-js');
  const { decode } = (jpeg as unknown as { default?: typeof jpeg }).default ?? jpeg;
  const { data, width, height } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: maxPixels / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  return { data, width, height };
}

async function decodeByBrowser(bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
    // The numbers of the file, as in Node.
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
  try {
    const { width, height } = bitmap;
    checkPixels([width, height], maxPixels);
    const context = new OffscreenCanvas(width, height).getContext('2d', {
      willReadFrequently: true,
    });
    if (!context) throw new RuntimeError('decodeImage: the browser gives no canvas to decode on');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { data, width, height };
  } finally {
    bitmap.close();
  }
}
