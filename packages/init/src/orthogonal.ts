import {
  empty,
  formatShape,
  fromTypedArray,
  type RandomOptions,
  randn,
  randperm,
  type Tensor,
  takes,
  ValueError,
} from '@sconce/core';
import * as signatures from './signatures.js';

/**
 * Orthonormalises the columns of a row-major matrix with at least as many rows, by Householder reflections in double
 * precision; the sign of each column makes the triangular factor's diagonal positive, so the result is uniformly distributed.
 */
function orthonormalColumns(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const a = matrix.slice();
  const at = (i: number, j: number): number => a[i * columns + j] as number;
  const reflectors: { v: Float64Array; scale: number }[] = [];
  const signs = new Float64Array(columns);
  for (let j = 0; j < columns; j++) {
    let norm = 0;
    for (let i = j; i < rows; i++) norm += at(i, j) ** 2;
    norm = Math.sqrt(norm);
    const alpha = at(j, j) > 0 ? -norm : norm;
    signs[j] = Math.sign(alpha) || 1;
    const v = new Float64Array(rows);
    for (let i = j; i < rows; i++) v[i] = at(i, j);
    v[j] = (v[j] as number) - alpha;
    const square = v.reduce((s, x) => s + x * x, 0);
    const reflector = { v, scale: square === 0 ? 0 : 2 / square };
    reflectors.push(reflector);
    reflect(a, reflector, rows, columns, j);
  }
  const q = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) q[j * columns + j] = 1;
  for (let j = columns - 1; j >= 0; j--)
    reflect(q, reflectors[j] as { v: Float64Array; scale: number }, rows, columns, 0);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      q[i * columns + j] = (q[i * columns + j] as number) * (signs[j] as number);
  return q;
}

function reflect(
  a: Float64Array,
  { v, scale }: { v: Float64Array; scale: number },
  rows: number,
  columns: number,
  from: number,
): void {
  for (let j = from; j < columns; j++) {
    let dot = 0;
    for (let i = 0; i < rows; i++) dot += (v[i] as number) * (a[i * columns + j] as number);
    dot *= scale;
    for (let i = 0; i < rows; i++)
      a[i * columns + j] = (a[i * columns + j] as number) - dot * (v[i] as number);
  }
}

/**
 * Fills with a (semi-)orthogonal matrix; dimensions after the first count as one.
 *
 * The factorisation runs on the host in double precision, whatever the tensor's device.
 *
 * @throws ValueError if the tensor has fewer than two dimensions.
 * @see Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear neural networks (2013).
 */
export function orthogonal_(
  tensor: Tensor,
  options: RandomOptions & { gain?: number } = {},
): Tensor {
  takes('orthogonal_', signatures.orthogonal_, arguments);
  if (tensor.shape.length < 2) {
    throw new ValueError(
      `orthogonal_: Only tensors with 2 or more dimensions are supported, got shape ${formatShape(tensor.shape)}`,
    );
  }
  if (tensor.numel() === 0) return tensor;
  const rows = tensor.shape[0] as number;
  const columns = tensor.numel() / rows;
  const flat = randn([rows, columns], {
    dtype: tensor.dtype === 'float64' ? 'float64' : 'float32',
    device: 'cpu',
    generator: options.generator,
  });
  const tall = rows < columns ? flat.t() : flat;
  const [m, n] = tall.shape as [number, number];
  const values = Float64Array.from(tall.contiguous().toTypedArraySync() as Float32Array);
  const q = fromTypedArray(orthonormalColumns(values, m, n), [m, n], { device: 'cpu' });
  const result = (rows < columns ? q.t() : q).mul(options.gain ?? 1).to(tensor.dtype);
  tensor.detach().copy_(result.reshape(tensor.shape as number[]));
  return tensor;
}

/**
 * Fills a matrix with normal numbers, then sets the given share of each column to zero.
 *
 * @param sparsity the share of zeros in each column, 0 to 1.
 * @throws ValueError if the tensor is not two-dimensional.
 * @see Martens, Deep learning via Hessian-free optimization (2010).
 */
export function sparse_(
  tensor: Tensor,
  sparsity: number,
  options: RandomOptions & { std?: number } = {},
): Tensor {
  takes('sparse_', signatures.sparse_, arguments);
  if (tensor.shape.length !== 2) {
    throw new ValueError(
      `sparse_: Only tensors with 2 dimensions are supported, got shape ${formatShape(tensor.shape)}`,
    );
  }
  const [rows, columns] = tensor.shape as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  const host = empty([rows, columns], { dtype: tensor.dtype, device: 'cpu' });
  host.normal_(0, options.std ?? 0.01, { generator: options.generator });
  for (let column = 0; column < columns; column++) {
    const order = randperm(rows, {
      device: 'cpu',
      generator: options.generator,
    }).toTypedArraySync() as BigInt64Array;
    for (const row of order.subarray(0, zeros))
      host.select(0, Number(row)).select(0, column).fill_(0);
  }
  tensor.detach().copy_(host);
  return tensor;
}
