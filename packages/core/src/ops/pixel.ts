import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { permute, reshape } from './view.js';

/**
 * [..., C * r², H, W] as [..., C, H * r, W * r]: channels become pixels.
 *
 * @throws RuntimeError if the channels cannot be divided.
 * @see https://arxiv.org/abs/1609.05158
 */
export const pixelShuffle = explaining(
  'pixelShuffle',
  (self: Tensor, upscaleFactor: number): Tensor => {
    const r = upscaleFactor;
    if (self.shape.length < 3) {
      throw new RuntimeError(
        `pixelShuffle: expects input to have at least 3 dimensions, but got input with ${self.shape.length} dimension(s)`,
      );
    }
    if (!(r > 0))
      throw new RuntimeError(`pixelShuffle: expects a positive upscale_factor, but got ${r}`);
    const lead = self.shape.slice(0, -3);
    const [c, h, w] = self.shape.slice(-3) as [number, number, number];
    if (c % (r * r) !== 0) {
      throw new RuntimeError(
        `pixelShuffle: expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`,
      );
    }
    const n = numel(lead);
    const out = c / (r * r);
    const apart = permute(reshape(self, [n, out, r, r, h, w]), [0, 1, 4, 2, 5, 3]);
    return reshape(apart, [...lead, out, h * r, w * r]);
  },
);

/**
 * [..., C, H * r, W * r] as [..., C * r², H, W]: the inverse of `pixelShuffle`.
 *
 * @throws RuntimeError if height or width cannot be divided.
 */
export const pixelUnshuffle = explaining(
  'pixelUnshuffle',
  (self: Tensor, downscaleFactor: number): Tensor => {
    const r = downscaleFactor;
    if (self.shape.length < 3) {
      throw new RuntimeError(
        `pixelUnshuffle: expects input to have at least 3 dimensions, but got input with ${self.shape.length} dimension(s)`,
      );
    }
    if (!(r > 0)) {
      throw new RuntimeError(`pixelUnshuffle: expects a positive downscale_factor, but got ${r}`);
    }
    const lead = self.shape.slice(0, -3);
    const [c, h, w] = self.shape.slice(-3) as [number, number, number];
    for (const [what, size] of [
      ['height', h],
      ['width', w],
    ] as const) {
      if (size % r !== 0) {
        throw new RuntimeError(
          `pixelUnshuffle: expects ${what} to be divisible by downscale_factor, but input ${formatShape(self.shape)} is not divisible by ${r}`,
        );
      }
    }
    const n = numel(lead);
    const apart = permute(reshape(self, [n, c, h / r, r, w / r, r]), [0, 1, 3, 5, 2, 4]);
    return reshape(apart, [...lead, c * r * r, h / r, w / r]);
  },
);

/**
 * Channels of [N, C, ...] dealt out to `groups` and collected again, so that groups mix.
 *
 * @throws RuntimeError if the channels cannot be divided.
 */
export const channelShuffle = explaining(
  'channelShuffle',
  (self: Tensor, groups: number): Tensor => {
    if (self.shape.length < 3) {
      throw new RuntimeError(
        `channelShuffle: channel_shuffle expects input with > 2 dims, but got input with sizes ${formatShape(self.shape)}`,
      );
    }
    const [n, c, ...rest] = self.shape as [number, number, ...number[]];
    if (!(groups > 0) || c % groups !== 0) {
      throw new RuntimeError(
        `channelShuffle: Number of channels must be divisible by groups. Got ${c} channels and ${groups} groups.`,
      );
    }
    const apart = reshape(self, [n, groups, c / groups, ...rest]).transpose(1, 2);
    return reshape(apart, self.shape);
  },
);
