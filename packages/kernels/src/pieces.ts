import {
  cast,
  computeType,
  constant,
  coord,
  type DType,
  type Expr,
  e,
  input,
  load,
  type MapPrimitive,
  nodesOf,
  type ReducePrimitive,
  RuntimeError,
  type ScanPrimitive,
  type ScatterPrimitive,
  Storage,
  scalar,
  stage,
  type View,
} from '@sconce/core';
import type { LoopPrimitive } from './kernel.js';
import { elementCount, rowMajorStrides } from './layout.js';
import { rewritten } from './rewrite.js';

/**
 * Positions that one kernel walks at most. Kernels count in 32 bits, partly signed ones; half of what fits leaves room
 * for what they add.
 */
export const mostPositions = 2 ** 30;

/** Sizes and coordinates that kernels compute with are int32. */
const largest = 2 ** 31;

/** Number of positions that a primitive walks. */
export const positionsOf = (p: LoopPrimitive): number =>
  elementCount(p.kind === 'scan' ? p.input.shape : p.shape);

/**
 * Runs a primitive as several of at most `most` positions each (2 or more), of whatever size it is. Rows of reductions
 * that are longer are combined from partial results.
 *
 * @throws RuntimeError where what it computes with would not fit in 32 bits.
 */
export function runInPieces(
  p: LoopPrimitive,
  most: number,
  run: (piece: LoopPrimitive) => void,
): void {
  switch (p.kind) {
    case 'map':
    case 'scatter':
      split(movable(p), range(p.shape.length), most, run);
      break;
    case 'reduce':
      reduceInPieces(movable(p), most, run);
      break;
    case 'scan':
      scanInPieces(p, most, run);
      break;
  }
}

/** The numbers below `count`. */
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The primitives whose expressions may name positions. */
type Positioned = MapPrimitive | ReducePrimitive | ScatterPrimitive;

/**
 * A primitive ready to be cut. Its scalars from `starts` on say where in the whole it begins, one for each axis, and then the
 * row-major strides of the whole; the first `walked` inputs are walked along, the others are only loaded from.
 */
type Movable<P extends Positioned> = P & { readonly starts: number; readonly walked: number };

const loadOf = (node: Expr, number: number): Expr =>
  load(
    number,
    node.dtype,
    node.args.slice(0, -2),
    node.args.at(-2) as Expr,
    node.args.at(-1) as Expr,
  );

const expressionsOf = (p: Positioned): Expr[] => {
  switch (p.kind) {
    case 'map':
      return [...p.values];
    case 'scatter':
      return [...p.coords, ...(p.valid ? [p.valid] : []), p.value];
    case 'reduce':
      return [...p.stages, ...p.outputs].map((s) => s.value);
  }
};

function withExpressions(p: Positioned, to: (root: Expr) => Expr): Positioned {
  switch (p.kind) {
    case 'map':
      return { ...p, values: p.values.map(to) };
    case 'scatter':
      return {
        ...p,
        coords: p.coords.map(to),
        ...(p.valid && { valid: to(p.valid) }),
        value: to(p.value),
      };
    case 'reduce':
      return {
        ...p,
        stages: p.stages.map((s) => ({ ...s, value: to(s.value) })),
        outputs: p.outputs.map((o) => ({ ...o, value: to(o.value) })),
      };
  }
}

function movable<P extends Positioned>(p: P): Movable<P> {
  const { shape, inputs } = p;
  const walked = inputs.length;
  const starts = p.scalars.length;
  const rank = shape.length;
  const nodes = expressionsOf(p).flatMap(nodesOf);
  const numbers = (op: string): number[] => [
    ...new Set(nodes.filter((node) => node.op === op).map((node) => Number(node.value))),
  ];
  const [streams, loads] = [numbers('input'), numbers('load')];
  const fits = (size: number, what: string): void => {
    if (size <= largest) return;
    throw new RuntimeError(
      `${what} of ${size} positions cannot be numbered in 32 bits (at most ${largest}); split the tensor with narrow() or chunk()`,
    );
  };
  const place = (axis: number): Expr => e.add(coord(axis), scalar(starts + axis, 'int32'));
  const replace = (node: Expr): Expr | undefined => {
    if (node.op === 'load') return loadOf(node, walked + loads.indexOf(Number(node.value)));
    if (node.op === 'coord') {
      const axis = Number(node.value);
      fits(shape[axis] as number, 'a dimension');
      return place(axis);
    }
    if (node.op !== 'linear') return undefined;
    fits(elementCount(shape), 'a shape');
    return range(rank)
      .map((axis) => e.mul(place(axis), scalar(starts + rank + axis, 'int32')))
      .reduce((a, b) => e.add(a, b), constant(0, 'int32'));
  };
  // Where nothing asks for the strides, they need not fit.
  const strides = rowMajorStrides(shape).map((stride) => (stride < largest ? stride : 0));
  return {
    ...withExpressions(p, (root) => rewritten(root, replace)),
    starts,
    walked,
    scalars: [...p.scalars, ...new Array<number>(rank).fill(0), ...strides],
    inputs: [
      ...inputs.map((view, k) =>
        streams.includes(k) ? view : { ...view, shape: [], strides: [] },
      ),
      ...loads.map((k) => inputs[k] as View),
    ],
  } as unknown as Movable<P>;
}

/** The part of a view along an axis of the space it is broadcast to. */
function sliceView(view: View, rank: number, axis: number, start: number, length: number): View {
  const d = axis - (rank - view.shape.length);
  if (d < 0 || view.shape[d] === 1) return view;
  const shape = view.shape.slice();
  (shape as number[])[d] = length;
  return { ...view, shape, offset: view.offset + start * (view.strides[d] as number) };
}

function slice<P extends Positioned>(
  p: Movable<P>,
  axis: number,
  start: number,
  length: number,
): Movable<P> {
  const whole: Movable<Positioned> = p;
  const rank = whole.shape.length;
  const cut = (view: View): View => sliceView(view, rank, axis, start, length);
  const scalars = whole.scalars.slice();
  (scalars[whole.starts + axis] as number) += start;
  const part = {
    ...whole,
    shape: whole.shape.map((size, d) => (d === axis ? length : size)),
    scalars,
    inputs: whole.inputs.map((view, k) => (k < whole.walked ? cut(view) : view)),
  };
  if (part.kind === 'map') part.outputs = part.outputs.map(cut);
  if (part.kind === 'reduce') part.outputs = part.outputs.map((o) => ({ ...o, view: cut(o.view) }));
  return part as Positioned as Movable<P>;
}

/** Cuts along the first of the axes that are not 1 until there are at most `most` positions, in row-major order. */
function split<P extends Positioned>(
  p: Movable<P>,
  axes: readonly number[],
  most: number,
  run: (piece: Movable<P>) => void,
): void {
  const count = elementCount(p.shape);
  const axis = count > most ? axes.find((a) => (p.shape[a] as number) > 1) : undefined;
  if (axis === undefined) {
    run(p);
    return;
  }
  const size = p.shape[axis] as number;
  const step = Math.max(1, Math.floor(most / (count / size)));
  for (let start = 0; start < size; start += step) {
    split(slice(p, axis, start, Math.min(step, size - start)), axes, most, run);
  }
}

function scanInPieces(p: ScanPrimitive, most: number, run: (piece: ScanPrimitive) => void): void {
  const { shape } = p.input;
  const rank = shape.length;
  const count = elementCount(shape);
  const axis = shape.findIndex((size, d) => d !== p.axis && size > 1);
  if (count <= most || axis < 0) {
    if (count > 2 * largest - 1) {
      throw new RuntimeError(
        `a dimension of ${count} elements is too long to be accumulated along (at most ${2 * largest - 1})`,
      );
    }
    run(p);
    return;
  }
  const size = shape[axis] as number;
  const step = Math.max(1, Math.floor(most / (count / size)));
  for (let start = 0; start < size; start += step) {
    const cut = (view: View): View =>
      sliceView(view, rank, axis, start, Math.min(step, size - start));
    const part = { ...p, input: cut(p.input), output: cut(p.output) };
    scanInPieces(p.indices ? { ...part, indices: cut(p.indices) } : part, most, run);
  }
}

function reduceInPieces(
  p: Movable<ReducePrimitive>,
  most: number,
  run: (piece: LoopPrimitive) => void,
): void {
  const kept = range(p.shape.length).filter((axis) => !p.axes.includes(axis));
  split(p, kept, most, (rows) => {
    if (elementCount(rows.shape) <= most) run(rows);
    else reduceRow(rows, most, run);
  });
}

/** A view of one element, whose shape is all ones. */
const single = (storage: Storage, dtype: DType, rank: number, offset = 0): View => ({
  storage,
  dtype,
  shape: new Array(rank).fill(1),
  strides: new Array(rank).fill(0),
  offset,
});

/** One row that is too long: each stage piece by piece, then the outputs, to which the results of stages are inputs. */
function reduceRow(
  p: Movable<ReducePrimitive>,
  most: number,
  run: (piece: LoopPrimitive) => void,
): void {
  const rank = p.shape.length;
  const { device } = (p.outputs[0] as ReducePrimitive['outputs'][number]).view.storage;
  const results: { storage: Storage; dtype: DType }[] = [];
  const owned: Storage[] = [];
  const make = (dtype: DType, length: number): Storage => {
    const storage = new Storage(device, dtype, length);
    owned.push(storage);
    return storage;
  };
  const { walked } = p;
  /** The primitive to which the results of stages so far are inputs that are walked along. */
  const extended = (): Movable<ReducePrimitive> => {
    const more = results.map(({ storage, dtype }) => single(storage, dtype, rank));
    return {
      ...p,
      walked: walked + more.length,
      inputs: [...p.inputs.slice(0, walked), ...more, ...p.inputs.slice(walked)],
    };
  };
  const resolved = (root: Expr): Expr =>
    rewritten(root, (node) => {
      const number = Number(node.value);
      if (node.op === 'load') return loadOf(node, number + results.length);
      if (node.op !== 'stage') return undefined;
      const { dtype } = results[number] as { dtype: DType };
      return cast(input(walked + number, computeType(dtype)), node.dtype);
    });
  try {
    for (const { combine, value } of p.stages) {
      const type = value.dtype;
      const isArgument = combine === 'argmax' || combine === 'argmin';
      const best = combine === 'argmax' ? 'max' : combine === 'argmin' ? 'min' : combine;
      const pieces: Movable<ReducePrimitive>[] = [];
      const here: Movable<ReducePrimitive> = { ...extended(), outputs: [] };
      split<ReducePrimitive>(here, p.axes, most, (piece) => pieces.push(piece));
      const partial = make(type, pieces.length);
      const places = isArgument ? make('int64', pieces.length) : undefined;
      const element = resolved(value);
      let before = 0;
      pieces.forEach((piece, i) => {
        const scalars = [...piece.scalars, BigInt(before)];
        const start = scalar(piece.scalars.length, 'int64');
        before += elementCount(piece.shape);
        run({
          ...piece,
          scalars,
          stages: [
            { combine: best, value: element },
            ...(isArgument ? [{ combine, value: element }] : []),
          ],
          outputs: [
            { per: 'row', value: stage(0, type), view: single(partial, type, rank, i) },
            ...(places
              ? [
                  {
                    per: 'row' as const,
                    value: e.add(stage(1, 'int64'), start),
                    view: single(places, 'int64', rank, i),
                  },
                ]
              : []),
          ],
        });
      });
      const dtype = places ? 'int64' : type;
      const result = make(dtype, 1);
      const all = (storage: Storage, of: DType): View => ({
        ...single(storage, of, 1),
        shape: [pieces.length],
        strides: [1],
      });
      runInPieces(
        {
          kind: 'reduce',
          shape: [pieces.length],
          axes: [0],
          inputs: places ? [all(partial, type), all(places, 'int64')] : [all(partial, type)],
          scalars: [],
          stages: [{ combine, value: input(0, type) }],
          outputs: [
            {
              per: 'row',
              value: places ? load(1, 'int64', [stage(0, 'int32')]) : stage(0, type),
              view: single(result, dtype, 1),
            },
          ],
        },
        most,
        run,
      );
      results.push({ storage: result, dtype });
    }
    const space = extended();
    const store = (where: Movable<ReducePrimitive>, per: 'row' | 'element'): void => {
      const outputs = where.outputs.filter((o) => o.per === per);
      if (outputs.length === 0) return;
      const { shape, inputs, scalars, starts } = where;
      const map: Movable<MapPrimitive> = {
        kind: 'map',
        shape,
        inputs,
        scalars,
        starts,
        walked: where.walked,
        values: outputs.map((o) => resolved(o.value)),
        outputs: outputs.map((o) => o.view),
      };
      split<MapPrimitive>(map, range(rank), most, run);
    };
    // What is stored once a row may read inputs that what is stored for each element overwrites.
    let row = space;
    for (const axis of p.axes) row = slice<ReducePrimitive>(row, axis, 0, 1);
    store(row, 'row');
    store(space, 'element');
  } finally {
    for (const storage of owned) storage.dispose();
  }
}
