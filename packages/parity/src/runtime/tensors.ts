import { Device, numel, Storage, Tensor, typedArray } from '@sconce/core';
import { Decoder, elements, type TensorData } from '../corpus/value.js';
import type { Run } from '../groups/group.js';
import { MissingFeature } from '../mapping/missing.js';

/** Storage elements that a strided tensor reaches, from the start of its memory. */
function reach({ shape, strides, offset }: TensorData): number {
  if (numel(shape) === 0) return offset;
  return (strides ?? []).reduce((n, s, i) => n + ((shape[i] as number) - 1) * s, offset + 1);
}

/**
 * A tensor of the corpus on a device, laid out in memory as PyTorch's was.
 *
 * @throws MissingFeature if the device cannot hold the dtype.
 */
export function place(data: TensorData, device: Device): Tensor {
  const { dtype, shape } = data;
  const { backend } = device;
  if (!backend.supports(dtype)) throw new MissingFeature(`${device} has no ${dtype}`);
  const values = elements(data);
  const strided = data.strides !== undefined || data.offset > 0;
  if (!strided) {
    const storage = new Storage(device, dtype, values.length);
    if (values.length > 0) backend.write(storage.buffer, dtype, 0, values);
    return new Tensor(storage, dtype, shape);
  }
  const memory = typedArray(dtype, reach(data));
  const strides = data.strides ?? new Tensor({} as Storage, dtype, shape).strides;
  const count = numel(shape);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = data.offset;
    for (let d = shape.length - 1; d >= 0; d--) {
      const size = shape[d] as number;
      at += (rest % size) * (strides[d] as number);
      rest = Math.floor(rest / size);
    }
    memory[at] = values[i] as never;
  }
  const storage = new Storage(device, dtype, memory.length);
  if (memory.length > 0) backend.write(storage.buffer, dtype, 0, memory);
  return new Tensor(storage, dtype, shape, strides, data.offset);
}

/** Decodes inputs to tensors of a device, as a variant has them; those that require grad do so, if `gradients`. */
export function inputDecoder(
  { device, variant }: Pick<Run, 'device' | 'variant'>,
  gradients: boolean,
): Decoder<Tensor> {
  const make = (data: TensorData, onHost: boolean): Tensor => {
    const tensor = place(variant?.input(data) ?? data, onHost ? Device.from('cpu') : device);
    return gradients && data.requiresGrad ? tensor.requiresGrad_() : tensor;
  };
  return new Decoder(make, device.toString(), (name) => variant?.dtype(name) ?? name);
}

/** Decodes expected values, tensors as their data. */
export const expectedDecoder = (device: Device): Decoder<TensorData> =>
  new Decoder((data) => data, device.toString());
