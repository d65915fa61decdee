import type { DType } from '../../dtype.js';
import { execute } from '../../execute.js';
import type { LinalgCall, View } from '../../primitive.js';
import { contiguousStrides, isContiguous, numel } from '../../shape.js';
import { Storage } from '../../storage.js';
import { allocate, Tensor } from '../../tensor.js';
import { detach } from '../view.js';

/** A fresh tensor on the device of `like` whose matrices lie column after column: what LAPACK writes in place. */
export function columns(like: Tensor, shape: readonly number[], dtype: DType = like.dtype): Tensor {
  const swapped = [...shape.slice(0, -2), shape.at(-1) as number, shape.at(-2) as number];
  return turned(new Tensor(new Storage(like.device, dtype, numel(shape)), dtype, swapped));
}

/** A fresh tensor on the device of `like`. */
export const fresh = (like: Tensor, shape: readonly number[], dtype: DType = like.dtype): Tensor =>
  allocate(shape, dtype, like.device);

/** The transposed matrices over the same memory, unknown to autograd. */
export function turned(t: Tensor): Tensor {
  const swap = (list: readonly number[]): number[] => [
    ...list.slice(0, -2),
    list.at(-1) as number,
    list.at(-2) as number,
  ];
  return new Tensor(t.storage, t.dtype, swap(t.shape), swap(t.strides), t.offset);
}

/** The first `count` columns of matrices over the same memory, unknown to autograd. */
export const firstColumns = (t: Tensor, count: number): Tensor =>
  new Tensor(t.storage, t.dtype, [...t.shape.slice(0, -1), count], t.strides, t.offset);

/** The first `count` rows of matrices over the same memory, unknown to autograd. */
export const firstRows = (t: Tensor, count: number): Tensor =>
  turned(firstColumns(turned(t), count));

/** Items of the last `rank` dimensions, repeated over a batch they broadcast to; over the same memory, unknown to autograd. */
export function stretched(t: Tensor, batch: readonly number[], rank: number): Tensor {
  const own = t.shape.length - rank;
  const lead = batch.map((size, d) => {
    const at = d - (batch.length - own);
    return at < 0 || (t.shape[at] === 1 && size !== 1) ? 0 : (t.strides[at] as number);
  });
  return new Tensor(
    t.storage,
    t.dtype,
    [...batch, ...t.shape.slice(own)],
    [...lead, ...t.strides.slice(own)],
    t.offset,
  );
}

/** Where the diagonals of matrices are first 0, counted from 1; 0 where they never are. */
export function firstZero(a: Tensor): Tensor {
  const zero = detach(a).diagonal({ dim1: -2, dim2: -1 }).eq(0);
  const before = zero.cumsum(-1).eq(0).sum(-1);
  return before.add(1).mul(zero.any(-1)).to('int32');
}

/** Identity matrices of one size and the batch dimensions of `like`, as a view of one. */
export function identities(like: Tensor, size: number): Tensor {
  const one = fresh(like, [size, size]).fill_(0);
  const diagonal = new Tensor(one.storage, one.dtype, [size], [size + 1]);
  diagonal.fill_(1);
  const batch = like.shape.slice(0, -2);
  return new Tensor(
    one.storage,
    one.dtype,
    [...batch, size, size],
    [...batch.map(() => 0), ...contiguousStrides([size, size])],
  );
}

/** Runs a routine; tensors are views. */
export const run = (call: LinalgCall<View>): void => execute({ kind: 'linalg', ...call });

const batchOf = (a: Tensor): number[] => a.shape.slice(0, -2);
const sizesOf = (a: Tensor): [number, number] => a.shape.slice(-2) as [number, number];

/** As the routine `lu`. */
export function factorLu(a: Tensor, pivot = true): { lu: Tensor; pivots: Tensor; info: Tensor } {
  const [m, n] = sizesOf(a);
  const lu = columns(a, a.shape);
  const pivots = fresh(a, [...batchOf(a), Math.min(m, n)], 'int32');
  const info = fresh(a, batchOf(a), 'int32');
  run({ routine: 'lu', inputs: [a], outputs: [lu, pivots, info], flags: { pivot } });
  return { lu, pivots, info };
}

/**
 * Whether matrices lie row after row. Then the transposed ones are what routines take as they are, so these are factored in
 * their place: the results are PyTorch's to the last digits, which does the same.
 */
export const liesInRows = (a: Tensor): boolean => isContiguous(a.shape, a.strides);

/** As the routine `luSolve`; `left` false solves x a = b. */
export function solveLu(
  lu: Tensor,
  pivots: Tensor,
  b: Tensor,
  left = true,
  adjoint = false,
): Tensor {
  if (!left) return turned(solveLu(lu, pivots, turned(b), true, !adjoint));
  const x = columns(b, b.shape);
  run({ routine: 'luSolve', inputs: [lu, pivots, b], outputs: [x], flags: { adjoint } });
  return x;
}

/** As the routine `triangularSolve`; `left` false solves x a = b. */
export function solveTriangles(
  a: Tensor,
  b: Tensor,
  upper: boolean,
  left = true,
  unitriangular = false,
): Tensor {
  if (!left) return turned(solveTriangles(turned(a), turned(b), !upper, true, unitriangular));
  const x = columns(b, b.shape);
  run({
    routine: 'triangularSolve',
    inputs: [a, b],
    outputs: [x],
    flags: { upper, unitriangular },
  });
  return x;
}

/** As the routine `qr`. */
export function factorQr(a: Tensor): { packed: Tensor; tau: Tensor } {
  const packed = columns(a, a.shape);
  const tau = fresh(a, [...batchOf(a), Math.min(...sizesOf(a))]);
  run({ routine: 'qr', inputs: [a], outputs: [packed, tau], flags: {} });
  return { packed, tau };
}

/** As the routine `householderProduct`. */
export function reflectorsProduct(packed: Tensor, tau: Tensor): Tensor {
  const q = columns(packed, packed.shape);
  run({ routine: 'householderProduct', inputs: [packed, tau], outputs: [q], flags: {} });
  return q;
}

/** As the routine `householderMultiply`; `left` false gives c Q or c Q^T. */
export function multiplyReflectors(
  packed: Tensor,
  tau: Tensor,
  c: Tensor,
  left: boolean,
  transpose: boolean,
): Tensor {
  if (!left) return turned(multiplyReflectors(packed, tau, turned(c), true, !transpose));
  const product = columns(c, c.shape);
  const flags = { transpose };
  run({ routine: 'householderMultiply', inputs: [packed, tau, c], outputs: [product], flags });
  return product;
}

/** As the routine `eigh`; without `vectors`, an empty tensor stands for them. */
export function decomposeSymmetric(
  a: Tensor,
  upper: boolean,
  vectors: boolean,
): { values: Tensor; vectors: Tensor; info: Tensor } {
  const values = fresh(a, a.shape.slice(0, -1));
  const info = fresh(a, batchOf(a), 'int32');
  const basis = vectors ? columns(a, a.shape) : fresh(a, [0]);
  const outputs = vectors ? ([values, info, basis] as const) : ([values, info] as const);
  run({ routine: 'eigh', inputs: [a], outputs, flags: { upper } });
  return { values, vectors: basis, info };
}

/** As the routine `svd`. */
export function decomposeSingular(
  a: Tensor,
  vectors: 'none' | 'reduced' | 'full',
): { u: Tensor; s: Tensor; vh: Tensor; info: Tensor } {
  const [m, n] = sizesOf(a);
  const k = Math.min(m, n);
  const s = fresh(a, [...batchOf(a), k]);
  const info = fresh(a, batchOf(a), 'int32');
  if (vectors === 'none') {
    run({ routine: 'svd', inputs: [a], outputs: [s, info], flags: {} });
    return { u: fresh(a, [0]), s, vh: fresh(a, [0]), info };
  }
  const full = vectors === 'full';
  const u = columns(a, [...batchOf(a), m, full ? m : k]);
  const vh = columns(a, [...batchOf(a), full ? n : k, n]);
  run({ routine: 'svd', inputs: [a], outputs: [s, info, u, vh], flags: {} });
  return { u, s, vh, info };
}
