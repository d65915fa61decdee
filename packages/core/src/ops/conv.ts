import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { op } from '../op.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { add } from './binary.js';
import { constantPadNd } from './pad.js';
import { select, unsqueeze, view } from './view.js';

/** A size for each spatial dimension, or one for all. */
export type Spatial = number | readonly number[];

interface Geometry {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

const outputSize = (g: Geometry, size: number, kernel: number, i: number): number =>
  Math.floor(
    (size + 2 * (g.padding[i] as number) - (g.dilation[i] as number) * (kernel - 1) - 1) /
      (g.stride[i] as number),
  ) + 1;

/** Convolution of checked arguments: `bias` may be null, sizes are one a spatial dimension. */
export const convolution: (
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  groups: number,
) => Tensor = op(
  'convolution',
  'input weight bias stride padding dilation groups',
  (input: Tensor, weight: Tensor, bias: Tensor | null, stride, padding, dilation, groups) => {
    const g: Geometry = { stride, padding, dilation, groups };
    const space = input.shape
      .slice(2)
      .map((size, i) => outputSize(g, size, weight.shape[i + 2] as number, i));
    const shape = [input.shape[0] as number, weight.shape[0] as number, ...space];
    const output = allocate(shape, input.dtype, input.device);
    if (numel(shape) === 0) return output;
    const bound = bias ? { bias } : {};
    execute({ kind: 'conv', compute: 'output', input, weight, output, ...bound, ...g });
    return output;
  },
);

/** The gradient of `convolution` to its input, of shape `inputShape`; also what transposed convolution is. */
export const convolutionInputGrad: (
  grad: Tensor,
  weight: Tensor,
  inputShape: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  groups: number,
) => Tensor = op(
  'convolutionInputGrad',
  'grad weight inputShape stride padding dilation groups',
  (grad: Tensor, weight: Tensor, inputShape, stride, padding, dilation, groups) => {
    const input = allocate(inputShape, grad.dtype, grad.device);
    if (numel(inputShape) === 0) return input;
    const g: Geometry = { stride, padding, dilation, groups };
    execute({ kind: 'conv', compute: 'input', input, weight, output: grad, ...g });
    return input;
  },
);

/** The gradient of `convolution` to its weight, of shape `weightShape`. */
export const convolutionWeightGrad: (
  grad: Tensor,
  input: Tensor,
  weightShape: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  groups: number,
) => Tensor = op(
  'convolutionWeightGrad',
  'grad input weightShape stride padding dilation groups',
  (grad: Tensor, input: Tensor, weightShape, stride, padding, dilation, groups) => {
    const weight = allocate(weightShape, grad.dtype, grad.device);
    if (numel(weightShape) === 0) return weight;
    const g: Geometry = { stride, padding, dilation, groups };
    execute({ kind: 'conv', compute: 'weight', input, weight, output: grad, ...g });
    return weight;
  },
);

/** Options of `conv1d`, `conv2d` and `conv3d`. */
export interface ConvOptions {
  /** Default 1. */
  stride?: Spatial;
  /** Zeros on both sides; `'same'` keeps the size (stride 1 only), `'valid'` is 0. Default 0. */
  padding?: Spatial | 'same' | 'valid';
  /** Distance between the taps of the kernel; default 1. */
  dilation?: Spatial;
  /** Blocks of channels that are convolved apart; default 1. */
  groups?: number;
}

/** Options of the transposed convolutions. */
export interface ConvTransposeOptions {
  /** Default 1. */
  stride?: Spatial;
  /** What the convolution this one transposes would pad; default 0. */
  padding?: Spatial;
  /** Added to one side of the output's size; default 0. */
  outputPadding?: Spatial;
  /** Default 1. */
  groups?: number;
  /** Default 1. */
  dilation?: Spatial;
}

/** One number a spatial dimension, checked. */
export function spatial(
  operation: string,
  name: string,
  value: Spatial,
  rank: number,
  least: number,
): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  if (list.length === 1 && rank > 1)
    list.push(...new Array<number>(rank - 1).fill(list[0] as number));
  if (list.length !== rank) {
    throw new RuntimeError(
      `${operation}: expected ${name} to be a single integer value or a list of ${rank} values to match the convolution dimensions, but got ${name}=${formatShape(list)}`,
    );
  }
  if (list.some((x) => !Number.isInteger(x) || x < least)) {
    throw new RuntimeError(
      least > 0
        ? `${operation}: non-positive ${name} is not supported, got ${formatShape(list)}`
        : `${operation}: negative ${name} is not supported, got ${formatShape(list)}`,
    );
  }
  if (name !== 'kernelSize' && list.some((x) => x > mostSpatial)) {
    throw new RuntimeError(
      `${operation}: ${name} ${formatShape(list)} is too large: positions are computed in 32 bits, which takes at most ${mostSpatial}`,
    );
  }
  return list;
}

const mostSpatial = 2 ** 29;

function checkOperands(
  name: string,
  rank: number,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
) {
  if (weight.shape.length !== rank + 2) {
    throw new RuntimeError(
      `${name}: expected a ${rank + 2}-dimensional weight, but got weight of size ${formatShape(weight.shape)}`,
    );
  }
  if (input.shape.length !== rank + 2 && input.shape.length !== rank + 1) {
    throw new RuntimeError(
      `${name}: Expected ${rank + 1}D (unbatched) or ${rank + 2}D (batched) input, but got input of size: ${formatShape(input.shape)}`,
    );
  }
  for (const [what, t] of [
    ['weight', weight],
    ['bias', bias],
  ] as const) {
    if (t && t.dtype !== input.dtype) {
      throw new RuntimeError(
        `${name}: expected scalar type ${input.dtype} but found ${t.dtype}: Input type (${input.dtype}) and ${what} type (${t.dtype}) should be the same; convert one with .to(...)`,
      );
    }
  }
  if (input.dtype === 'bool') {
    throw new NotImplementedError(`${name}: not implemented for 'bool'`);
  }
}

/** Runs `body` on a batch, and takes the batch away again if there was none. */
function batched(rank: number, input: Tensor, body: (input: Tensor) => Tensor): Tensor {
  return input.shape.length === rank + 2 ? body(input) : select(body(unsqueeze(input, 0)), 0, 0);
}

function convNd(
  name: string,
  rank: number,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvOptions,
): Tensor {
  checkOperands(name, rank, input, weight, bias);
  const groups = options.groups ?? 1;
  const stride = spatial(name, 'stride', options.stride ?? 1, rank, 1);
  const dilation = spatial(name, 'dilation', options.dilation ?? 1, rank, 1);
  const [outputs, perGroup] = weight.shape as readonly [number, number];
  if (!Number.isInteger(groups) || groups < 1) {
    throw new RuntimeError(`${name}: non-positive groups is not supported, got ${groups}`);
  }
  if (outputs < groups || outputs % groups !== 0) {
    throw new RuntimeError(
      `${name}: Given groups=${groups}, expected weight to be at least ${groups} at dimension 0 and divisible by ${groups}, but got weight of size ${formatShape(weight.shape)} instead`,
    );
  }
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs)) {
    throw new RuntimeError(
      `${name}: Given weight of size ${formatShape(weight.shape)}, expected bias to be 1-dimensional with ${outputs} elements, but got bias of size ${formatShape(bias.shape)} instead`,
    );
  }
  return batched(rank, input, (batch) => {
    const channels = batch.shape[1] as number;
    if (channels !== perGroup * groups) {
      throw new RuntimeError(
        `${name}: Given groups=${groups}, weight of size ${formatShape(weight.shape)}, expected input${formatShape(batch.shape)} to have ${perGroup * groups} channels, but got ${channels} channels instead`,
      );
    }
    let x = batch;
    let padding: number[];
    if (typeof options.padding === 'string') {
      padding = new Array<number>(rank).fill(0);
      if (options.padding === 'same') {
        if (stride.some((s) => s !== 1)) {
          throw new RuntimeError(
            `${name}: padding='same' is not supported for strided convolutions`,
          );
        }
        // An even reach needs one more on the right than the primitive's symmetric padding gives.
        const extra: number[] = [];
        for (let i = 0; i < rank; i++) {
          const total = (dilation[i] as number) * ((weight.shape[i + 2] as number) - 1);
          padding[i] = Math.floor(total / 2);
          extra.unshift(0, total % 2);
        }
        if (extra.some((n) => n > 0)) x = constantPadNd(x, extra, 0);
      } else if (options.padding !== 'valid') {
        throw new RuntimeError(
          `${name}: Invalid padding string: '${options.padding}'; expected 'valid' or 'same'`,
        );
      }
    } else padding = spatial(name, 'padding', options.padding ?? 0, rank, 0);
    for (let i = 0; i < rank; i++) {
      const padded = (x.shape[i + 2] as number) + 2 * (padding[i] as number);
      const reach = (dilation[i] as number) * ((weight.shape[i + 2] as number) - 1) + 1;
      if (padded < reach) {
        const sizes = (f: (i: number) => number) =>
          Array.from({ length: rank }, (_, j) => f(j)).join(' x ');
        throw new RuntimeError(
          `${name}: Calculated padded input size per channel: (${sizes((j) => (x.shape[j + 2] as number) + 2 * (padding[j] as number))}). Kernel size: (${sizes((j) => (dilation[j] as number) * ((weight.shape[j + 2] as number) - 1) + 1)}). Kernel size can't be greater than actual input size`,
        );
      }
    }
    return convolution(x, weight, bias, stride, padding, dilation, groups);
  });
}

function convTransposeNd(
  name: string,
  rank: number,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvTransposeOptions,
): Tensor {
  checkOperands(name, rank, input, weight, bias);
  const groups = options.groups ?? 1;
  const stride = spatial(name, 'stride', options.stride ?? 1, rank, 1);
  const padding = spatial(name, 'padding', options.padding ?? 0, rank, 0);
  const dilation = spatial(name, 'dilation', options.dilation ?? 1, rank, 1);
  const more = spatial(name, 'outputPadding', options.outputPadding ?? 0, rank, 0);
  const [inputs, perGroup] = weight.shape as readonly [number, number];
  const channels = perGroup * groups;
  if (!Number.isInteger(groups) || groups < 1) {
    throw new RuntimeError(`${name}: non-positive groups is not supported, got ${groups}`);
  }
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels)) {
    throw new RuntimeError(
      `${name}: Given transposed=1, weight of size ${formatShape(weight.shape)}, expected bias to be 1-dimensional with ${channels} elements, but got bias of size ${formatShape(bias.shape)} instead`,
    );
  }
  more.forEach((extra, i) => {
    if (extra >= Math.max(stride[i] as number, dilation[i] as number)) {
      throw new RuntimeError(
        `${name}: output padding must be smaller than either stride or dilation, but got outputPadding ${formatShape(more)}, stride ${formatShape(stride)}, dilation ${formatShape(dilation)}`,
      );
    }
  });
  return batched(rank, input, (batch) => {
    if (batch.shape[1] !== inputs || inputs % groups !== 0) {
      throw new RuntimeError(
        `${name}: Given transposed=1, weight of size ${formatShape(weight.shape)}, expected input${formatShape(batch.shape)} to have ${inputs} channels, but got ${batch.shape[1]} channels instead`,
      );
    }
    const space = batch.shape
      .slice(2)
      .map(
        (size, i) =>
          (size - 1) * (stride[i] as number) -
          2 * (padding[i] as number) +
          (dilation[i] as number) * ((weight.shape[i + 2] as number) - 1) +
          (more[i] as number) +
          1,
      );
    if (space.some((size) => size <= 0)) {
      throw new RuntimeError(
        `${name}: Given input size per channel: ${formatShape(batch.shape.slice(2))}. Calculated output size per channel: ${formatShape(space)}. Output size is too small`,
      );
    }
    // An output padding of a whole stride is a position the input lacks: one of zeros.
    const missing = more.map((extra, i) => Math.floor(extra / (stride[i] as number)));
    const x = missing.some((n) => n > 0)
      ? constantPadNd(batch, missing.flatMap((n) => [n, 0]).reverse(), 0)
      : batch;
    const shape = [batch.shape[0] as number, channels, ...space];
    const out = convolutionInputGrad(x, weight, shape, stride, padding, dilation, groups);
    return bias ? add(out, view(bias, [channels, ...new Array<number>(rank).fill(1)])) : out;
  });
}

type Conv = (input: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions) => Tensor;
type ConvTranspose = (
  input: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvTransposeOptions,
) => Tensor;

const conv =
  (rank: number): Conv =>
  (input, weight, bias, options = {}) =>
    convNd(`conv${rank}d`, rank, input, weight, bias ?? null, options);
const convTranspose =
  (rank: number): ConvTranspose =>
  (input, weight, bias, options = {}) =>
    convTransposeNd(`convTranspose${rank}d`, rank, input, weight, bias ?? null, options);

/**
 * Convolution of signals: input [N, C, L] or [C, L], weight [O, C / groups, K], result [N, O, L'].
 *
 * @throws RuntimeError if channels, sizes or dtypes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 */
export const conv1d: Conv = explaining('conv1d', conv(1));
/**
 * Convolution of images: input [N, C, H, W] or [C, H, W], weight [O, C / groups, KH, KW].
 *
 * @throws RuntimeError if channels, sizes or dtypes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 * @example conv2d(images, weight, bias, { padding: 1 })
 */
export const conv2d: Conv = explaining('conv2d', conv(2));
/** Convolution of volumes: input [N, C, D, H, W], weight [O, C / groups, KD, KH, KW]. */
export const conv3d: Conv = explaining('conv3d', conv(3));
/** Transposed convolution of signals: weight [C, O / groups, K]. */
export const convTranspose1d: ConvTranspose = explaining('convTranspose1d', convTranspose(1));
/**
 * Transposed convolution of images, the gradient of `conv2d` as an operation: weight [C, O / groups, KH, KW].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 */
export const convTranspose2d: ConvTranspose = explaining('convTranspose2d', convTranspose(2));
/** Transposed convolution of volumes. */
export const convTranspose3d: ConvTranspose = explaining('convTranspose3d', convTranspose(3));
