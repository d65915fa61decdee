import {
  cast,
  computeType,
  constant,
  type DType,
  type Expr,
  e,
  input,
  type MatmulPrimitive,
  Storage,
  stage,
  type View,
} from '@sconce/core';
import type { GemmEngine, GemmShape } from './gemm.js';
import type { RunLoop } from './loops.js';
import type { CpuBuffer } from './memory.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Row-major strides of a shape. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d] as number;
  }
  return strides;
}

/** A fresh contiguous view of a dtype and shape on the device of `like`. */
export function temporary(like: View, dtype: DType, shape: readonly number[]): View {
  const storage = new Storage(like.storage.device, dtype, product(shape));
  return { storage, dtype, shape, strides: contiguousStrides(shape), offset: 0 };
}

/** Copies a view into fresh contiguous memory, as another dtype if need be. */
export function contiguousCopy(view: View, dtype: DType, run: RunLoop): View {
  const copy = temporary(view, dtype, view.shape);
  const value = cast(input(0, computeType(view.dtype)), computeType(dtype));
  run({
    kind: 'map',
    shape: view.shape,
    inputs: [view],
    scalars: [],
    values: [value],
    outputs: [copy],
  });
  return copy;
}

/** The byte address of a view's first element. */
export const addressOf = ({ storage, offset }: View, size: number): number =>
  (storage.buffer as CpuBuffer).pointer + offset * size;

/** Executes `matmul`: float32 and float64 by the engine, all else by conversion or as a reduction. */
export function runMatmul(p: MatmulPrimitive, engine: GemmEngine, run: RunLoop): void {
  const type = computeType(p.out.dtype);
  if (product(p.out.shape) === 0) return;
  if ((type !== 'float32' && type !== 'float64') || (!engine.blas && isVector(p))) {
    reduceMatmul(p, run);
    return;
  }
  const temporaries: Storage[] = [];
  const own = (view: View): View => {
    temporaries.push(view.storage);
    return view;
  };
  try {
    const a = p.a.dtype === type ? p.a : own(contiguousCopy(p.a, type, run));
    const b = p.b.dtype === type ? p.b : own(contiguousCopy(p.b, type, run));
    const accumulate = accumulates(p);
    const aliased = p.epilogue?.inputs.some((v) => v.storage === p.out.storage) ?? false;
    const direct =
      p.out.dtype === type &&
      (accumulate || !aliased) &&
      p.out.storage !== a.storage &&
      p.out.storage !== b.storage &&
      isWritable(p.out);
    const target = direct ? p.out : own(temporary(p.out, type, p.out.shape));
    multiply(a, b, target, accumulate && direct, engine, run, own);
    if (direct && (accumulate || !p.epilogue)) return;
    const value = p.epilogue?.value ?? input(0, type);
    run({
      kind: 'map',
      shape: p.out.shape,
      inputs: [target, ...(p.epilogue?.inputs ?? [])],
      scalars: p.epilogue?.scalars ?? [],
      values: [value],
      outputs: [p.out],
    });
  } finally {
    for (const storage of temporaries) storage.dispose();
  }
}

/** Whether the product is of a matrix and a vector: as sums, with nothing packed, it reads the matrix once. */
function isVector({ a, b, out }: MatmulPrimitive): boolean {
  const rank = out.shape.length;
  if (a.shape[rank - 1] === 0) return false;
  // Rows over one B are the rows of a matrix.
  const joins = rank > 2 && b.strides[rank - 3] === 0 && (out.shape[rank - 3] as number) > 1;
  return out.shape[rank - 1] === 1 || (out.shape[rank - 2] === 1 && !joins);
}

/** Whether the engine can write there: rows or columns contiguous, nothing overlapping. */
function isWritable({ shape, strides }: View): boolean {
  const [m, n] = shape.slice(-2) as [number, number];
  const [row, column] = strides.slice(-2) as [number, number];
  if (strides.slice(0, -2).some((s, d) => s === 0 && (shape[d] as number) > 1)) return false;
  return (
    ((column === 1 || n === 1) && (row >= n || m === 1)) ||
    ((row === 1 || m === 1) && (column >= m || n === 1))
  );
}

/** Whether the epilogue is `product + out`. */
function accumulates({ out, epilogue }: MatmulPrimitive): boolean {
  if (epilogue?.inputs.length !== 1 || epilogue.value.op !== 'add') return false;
  const [x, y] = epilogue.value.args as [Expr, Expr];
  if (x.op !== 'input' || y.op !== 'input' || x === y) return false;
  const view = epilogue.inputs[0] as View;
  return (
    view.storage === out.storage &&
    view.offset === out.offset &&
    view.shape.length === out.shape.length &&
    view.shape.every(
      (n, d) => n === out.shape[d] && (n === 1 || view.strides[d] === out.strides[d]),
    )
  );
}

function multiply(
  a: View,
  b: View,
  out: View,
  accumulate: boolean,
  engine: GemmEngine,
  run: RunLoop,
  own: (view: View) => View,
): void {
  const rank = out.shape.length;
  const [columnStride, rowStride] = [
    out.strides[rank - 1] as number,
    out.strides[rank - 2] as number,
  ];
  const n = out.shape[rank - 1] as number;
  if (columnStride !== 1 && n > 1 && rowStride >= 0) {
    // Columns of C are contiguous: the transposed product has contiguous rows.
    multiply(turned(b), turned(a), turned(out), accumulate, engine, run, own);
    return;
  }
  const k = a.shape[rank - 1] as number;
  const dtype = out.dtype as 'float32' | 'float64';
  if (k === 0) {
    if (accumulate) return;
    const zero = constant(0, dtype);
    run({ kind: 'map', shape: out.shape, inputs: [], scalars: [], values: [zero], outputs: [out] });
    return;
  }
  const m = out.shape[rank - 2] as number;
  const stride = (v: View, d: number) => v.strides[d] as number;
  if (engine.needsCopy(m, k, stride(a, rank - 2), stride(a, rank - 1))) {
    multiply(own(contiguousCopy(a, dtype, run)), b, out, accumulate, engine, run, own);
    return;
  }
  if (engine.needsCopy(k, n, stride(b, rank - 2), stride(b, rank - 1))) {
    multiply(a, own(contiguousCopy(b, dtype, run)), out, accumulate, engine, run, own);
    return;
  }
  const size = dtype === 'float32' ? 4 : 8;
  const [aAt, bAt, cAt] = [addressOf(a, size), addressOf(b, size), addressOf(out, size)];
  const shape: { -readonly [K in keyof GemmShape]: GemmShape[K] } = {
    dtype,
    m,
    n,
    k,
    rowA: stride(a, rank - 2),
    columnA: stride(a, rank - 1),
    rowB: stride(b, rank - 2),
    columnB: stride(b, rank - 1),
    rowC: m === 1 ? n : stride(out, rank - 2),
    accumulate,
  };
  // Batch dimensions over which B stays the same and A and C go on row after row are rows themselves.
  let outer = rank - 2;
  if (m === 1 && outer > 0 && stride(b, outer - 1) === 0) {
    shape.rowA = stride(a, outer - 1);
    shape.rowC = stride(out, outer - 1);
  }
  while (
    outer > 0 &&
    stride(b, outer - 1) === 0 &&
    stride(a, outer - 1) === shape.m * shape.rowA &&
    stride(out, outer - 1) === shape.m * shape.rowC
  ) {
    outer--;
    shape.m *= out.shape[outer] as number;
  }
  if (shape.m !== m && engine.needsCopy(shape.m, k, shape.rowA, shape.columnA)) {
    outer = rank - 2;
    shape.m = m;
    shape.rowA = stride(a, rank - 2);
    shape.rowC = m === 1 ? n : stride(out, rank - 2);
  }
  const batch = out.shape.slice(0, outer);
  if (product(batch) === 1) {
    engine.single(shape, aAt, bAt, cAt);
    return;
  }
  engine.batch(shape, addresses(batch, [a, b, out], [aAt, bAt, cAt], size));
}

/** The addresses of the three operands of each product of a batch. */
function addresses(
  batch: readonly number[],
  views: readonly View[],
  first: readonly number[],
  size: number,
): Uint32Array {
  const table = new Uint32Array(product(batch) * 3);
  const index = new Array<number>(batch.length).fill(0);
  const at = [...first];
  for (let i = 0; i < table.length; i += 3) {
    table.set(at, i);
    for (let d = batch.length - 1; d >= 0; d--) {
      const next = ((index[d] as number) + 1) % (batch[d] as number);
      const moved = (next - (index[d] as number)) * size;
      index[d] = next;
      views.forEach((view, v) => {
        (at[v] as number) += moved * (view.strides[d] as number);
      });
      if (next !== 0) break;
    }
  }
  return table;
}

/** The view with its last two dimensions exchanged. */
export function turned(view: View): View {
  const swap = (list: readonly number[]): number[] => [
    ...list.slice(0, -2),
    list.at(-1) as number,
    list.at(-2) as number,
  ];
  return { ...view, shape: swap(view.shape), strides: swap(view.strides) };
}

/** Integers, booleans and vectors: the sum of products over a third dimension, through the general kernels. */
function reduceMatmul({ a, b, out, epilogue }: MatmulPrimitive, run: RunLoop): void {
  const type = computeType(out.dtype);
  const rank = out.shape.length;
  const batch = out.shape.slice(0, -2);
  const [m, n] = out.shape.slice(-2) as [number, number];
  const k = a.shape.at(-1) as number;
  const [rowA, columnA] = a.strides.slice(-2) as [number, number];
  const [rowB, columnB] = b.strides.slice(-2) as [number, number];
  const [rowC, columnC] = out.strides.slice(-2) as [number, number];
  const left: View = {
    ...a,
    shape: [...batch, m, n, k],
    strides: [...a.strides.slice(0, -2), rowA, 0, columnA],
  };
  const right: View = {
    ...b,
    shape: [...batch, m, n, k],
    strides: [...b.strides.slice(0, -2), 0, columnB, rowB],
  };
  const x = cast(input(0, computeType(a.dtype)), type);
  const y = cast(input(1, computeType(b.dtype)), type);
  const bool = type === 'bool';
  const aliased = epilogue !== undefined || out.storage === a.storage || out.storage === b.storage;
  const target = aliased ? temporary(out, type, out.shape) : out;
  const strides = aliased
    ? contiguousStrides(out.shape)
    : [...out.strides.slice(0, -2), rowC, columnC];
  try {
    run({
      kind: 'reduce',
      shape: [...batch, m, n, k],
      axes: [rank],
      inputs: [left, right],
      scalars: [],
      stages: [{ combine: bool ? 'max' : 'sum', value: bool ? e.and(x, y) : e.mul(x, y) }],
      outputs: [
        {
          per: 'row',
          value: stage(0, type),
          view: { ...target, shape: [...batch, m, n, 1], strides: [...strides, 0] },
        },
      ],
    });
    if (!aliased) return;
    run({
      kind: 'map',
      shape: out.shape,
      inputs: [target, ...(epilogue?.inputs ?? [])],
      scalars: epilogue?.scalars ?? [],
      values: [epilogue?.value ?? input(0, type)],
      outputs: [out],
    });
  } finally {
    if (aliased) target.storage.dispose();
  }
}
