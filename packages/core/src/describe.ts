import type { TypedArray } from './dtype.js';
import { formatShape } from './errors.js';
import { formatTensor } from './format/index.js';
import { decode, readAll, readAllSync } from './read.js';
import type { Tensor } from './tensor.js';

function format(t: Tensor, data: TypedArray): string {
  return formatTensor({
    dtype: t.dtype,
    shape: t.shape,
    data: (i) => (t.dtype === 'int64' ? (data[i] as bigint) : decode(t.dtype, data[i] as number)),
    device: t.device.toString(),
    requiresGrad: t.requiresGrad,
    gradFn: t.gradFn?.name,
  });
}

/** The text PyTorch prints; where the device cannot be read at once, shape and place without values. */
export function describeTensor(t: Tensor): string {
  if (t.storage.disposed)
    return `tensor(<disposed>, size=${formatShape(t.shape)}, dtype=${t.dtype})`;
  if (t.storage.backend.synchronous) return format(t, readAllSync(t, 'toString'));
  return `tensor(<await t.text()>, size=${formatShape(t.shape)}, dtype=${t.dtype}, device='${t.device}')`;
}

/** The text PyTorch prints, on every device. */
export async function describeTensorAsync(t: Tensor): Promise<string> {
  return format(t, await readAll(t));
}
