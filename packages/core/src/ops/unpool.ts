import { checkInteger, formatShape, RuntimeError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import { numel, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { zeros } from './create.js';
import { checkIndexRange } from './index-range.js';
import { type PoolSize, poolSizes } from './pool-windows.js';
import { scatter } from './scatter.js';
import { reshape } from './view.js';

/** Options of the unpooling functions. */
export interface UnpoolOptions {
  stride?: PoolSize | null;
  padding?: PoolSize;
  /** The size before pooling, where several are possible; with or without the first two dimensions. */
  outputSize?: readonly number[] | null;
}

const unpool =
  (dims: number) =>
  (self: Tensor, indices: Tensor, kernelSize: PoolSize, options: UnpoolOptions = {}): Tensor => {
    const name = `maxUnpool${dims}d`;
    const rank = self.shape.length;
    if (rank !== dims + 1 && rank !== dims + 2) {
      throw new RuntimeError(
        `${name}: Input to max_unpooling${dims}d should be a ${dims + 1}d or ${dims + 2}d Tensor, but got ${formatShape(self.shape)}`,
      );
    }
    if (indices.dtype !== 'int64') {
      throw new RuntimeError(
        `${name}: elements in indices should be type int64 but got: ${indices.dtype}`,
      );
    }
    if (!sameShape(self.shape, indices.shape)) {
      throw new RuntimeError(
        `${name}: Expected shape of indices to be same as that of the input tensor (${formatShape(self.shape)}) but got indices tensor with shape: ${formatShape(indices.shape)}`,
      );
    }
    const kernel = poolSizes(name, 'kernel_size', 2, kernelSize, dims);
    const given = options.stride ?? undefined;
    const none = given === undefined || (Array.isArray(given) && given.length === 0);
    const stride = none ? kernel : poolSizes(name, 'stride', 3, given as PoolSize, dims);
    const padding = poolSizes(name, 'padding', 4, options.padding ?? 0, dims);
    const lead = self.shape.slice(0, rank - dims);
    const natural = self.shape
      .slice(rank - dims)
      .map(
        (size, i) =>
          (size - 1) * (stride[i] as number) - 2 * (padding[i] as number) + (kernel[i] as number),
      );
    const wanted = options.outputSize ?? natural;
    for (const length of wanted) checkInteger(name, 'output_size', 5, length);
    const size = wanted.length === dims + 2 ? wanted.slice(2) : wanted;
    if (size.length !== dims) {
      throw new ValueError(
        `${name}: output_size should be a sequence containing ${dims} or ${dims + 2} elements, but it has a length of '${wanted.length}'`,
      );
    }
    size.forEach((length, i) => {
      const middle = natural[i] as number;
      const step = stride[i] as number;
      if (options.outputSize && !(middle - step < length && length < middle + step)) {
        throw new ValueError(
          `${name}: invalid output_size ${formatShape(size)} (dim ${i} must be between ${middle - step} and ${middle + step})`,
        );
      }
    });
    const negative = size.findIndex((length) => length < 0);
    if (negative >= 0) {
      throw new ValueError(
        `${name}: output_size must contain non-negative spatial dimensions, but got output_size[${negative}]=${size[negative]}`,
      );
    }
    if (stride.some((step) => step <= 0)) {
      throw new RuntimeError(
        `${name}: strides should be greater than zero, but got stride: ${formatShape(stride)}`,
      );
    }
    const outside = (bad: number) =>
      `${name}: Found an invalid max index: ${bad} (output volumes are of size ${size.join('x')})`;
    checkIndexRange(indices, 0, numel(size), outside, RuntimeError);
    const flat = (t: Tensor) => reshape(t, [...lead, numel(t.shape.slice(rank - dims))]);
    const empty = zeros([...lead, numel(size)], { dtype: self.dtype, device: self.device });
    return reshape(scatter(empty, -1, flat(indices), flat(self)), [...lead, ...size]);
  };

type Unpool = ReturnType<typeof unpool>;
/** Puts the values `maxPool1d` found back to their positions, zeros elsewhere. */
export const maxUnpool1d: Unpool = explaining('maxUnpool1d', unpool(1));
/**
 * Puts the values `maxPool2d` found back to their positions, zeros elsewhere.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_unpool2d.html
 */
export const maxUnpool2d: Unpool = explaining('maxUnpool2d', unpool(2));
/** Puts the values `maxPool3d` found back to their positions, zeros elsewhere. */
export const maxUnpool3d: Unpool = explaining('maxUnpool3d', unpool(3));
