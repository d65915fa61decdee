import type { DeviceBuffer, View } from '@sconce/core';
import { itemSize } from '@sconce/core';
import type { Launch, LoopKernel, LoopPrimitive } from '../kernel.js';
import { CONTIGUOUS } from '../layout.js';

/**
 * Where a kernel finds its numbers: byte offsets in the argument block. Scalars come first, 8 bytes each;
 * all else are 32-bit words.
 */
export interface ArgumentLayout {
  readonly bytes: number;
  /** Offset of the i-th entry of `program.scalars`. */
  scalar(i: number): number;
  /** Extent of a dimension. */
  size(dimension: number): number;
  readonly reducedCount: number;
  /** Of a split reduction: chunks a row, and elements a chunk. */
  readonly chunks: number;
  readonly chunkSize: number;
  readonly workspace: number;
  readonly rows: number;
  /** Address of an operand with memory (streams, then outputs). */
  pointer(operand: number): number;
  /** Stride of an operand: bytes for streams and outputs, units for indices and the position. */
  stride(operand: number, dimension: number): number;
  loadPointer(load: number): number;
  loadStride(load: number, dimension: number): number;
  /** Bytes of an element of each operand with memory. */
  readonly elementBytes: readonly number[];
  /** The strides of a launch with one dimension in which nothing is strided. */
  readonly flatStrides: readonly number[];
  readonly scatterPointer: number;
  scatterStride(dimension: number): number;
}

const layouts: ArgumentLayout[] = [];

/** The layout of a kernel's argument block. */
export function argumentLayout(kernel: LoopKernel): ArgumentLayout {
  let layout = layouts[kernel.id];
  if (!layout) {
    layout = makeLayout(kernel);
    layouts[kernel.id] = layout;
  }
  return layout;
}

function makeLayout(kernel: LoopKernel): ArgumentLayout {
  const rank = kernel.kept + kernel.reduced;
  const withMemory = kernel.streams.length + kernel.outputs.length;
  const operands = withMemory + kernel.indices.length + (kernel.position ? 1 : 0);
  const sizes = kernel.program.scalars.length * 8;
  const counts = sizes + rank * 4;
  const first = counts + 5 * 4;
  const strides = first + withMemory * 4;
  let end = strides + operands * rank * 4;
  const loadOffsets = kernel.loads.map((load) => {
    const at = end;
    end += 4 + load.rank * 4;
    return at;
  });
  const scatterPointer = end;
  if (kernel.scatter) end += 4 + kernel.scatter.output.rank * 4;
  const elementBytes = [...kernel.streams, ...kernel.outputs].map((o) => itemSize(o.dtype));
  return {
    bytes: (end + 15) & ~15,
    elementBytes,
    flatStrides: [
      ...[...kernel.streams, ...kernel.outputs].map((o, i) =>
        o.access === CONTIGUOUS ? (elementBytes[i] as number) : 0,
      ),
      ...kernel.indices.map(() => 1),
    ],
    scalar: (i) => i * 8,
    size: (d) => sizes + d * 4,
    reducedCount: counts,
    chunks: counts + 4,
    chunkSize: counts + 8,
    workspace: counts + 12,
    rows: counts + 16,
    pointer: (o) => first + o * 4,
    stride: (o, d) => strides + (o * rank + d) * 4,
    loadPointer: (l) => loadOffsets[l] as number,
    loadStride: (l, d) => (loadOffsets[l] as number) + 4 + d * 4,
    scatterPointer,
    scatterStride: (d) => scatterPointer + 4 + d * 4,
  };
}

const bits = new DataView(new ArrayBuffer(8));

/** The view of the o-th output of a primitive. */
function outputView(primitive: LoopPrimitive, o: number): View {
  switch (primitive.kind) {
    case 'map':
      return primitive.outputs[o] as View;
    case 'reduce':
      return (primitive.outputs[o] as { view: View }).view;
    case 'scan':
      return (o === 0 ? primitive.output : primitive.indices) as View;
    case 'scatter':
      return primitive.output;
  }
}

/** How a row is divided when few rows are long. */
export interface Chunks {
  readonly count: number;
  readonly size: number;
}

/** A run-time number as an int64: towards zero, and 0 for what is not finite. */
const integer = (value: number | bigint): bigint => {
  if (typeof value === 'bigint') return value;
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
};

/** Writes the argument block of one launch at byte `address`. */
export function writeArguments(
  launch: Launch,
  primitive: LoopPrimitive,
  chunks: Chunks,
  words: Int32Array,
  address: number,
  pointerOf: (buffer: DeviceBuffer) => number,
  workspace: number,
): void {
  const { kernel, sizes, strides } = launch;
  const { program } = kernel;
  let at = address >>> 2;
  if (program.scalars.length > 0) {
    const given = (primitive as { scalars: readonly (number | bigint)[] }).scalars;
    for (const { index, dtype } of program.scalars) {
      const value = given[index] as number | bigint;
      bits.setBigInt64(0, 0n);
      if (dtype === 'float32') bits.setFloat32(0, Number(value), true);
      else if (dtype === 'float64') bits.setFloat64(0, Number(value), true);
      else if (dtype === 'int64') bits.setBigInt64(0, integer(value), true);
      else if (dtype === 'int32') bits.setInt32(0, Number(value), true);
      else bits.setInt32(0, Number(value) !== 0 ? -1 : 0, true);
      words[at++] = bits.getInt32(0, true);
      words[at++] = bits.getInt32(4, true);
    }
  }
  const rank = sizes.length;
  for (let d = 0; d < rank; d++) words[at++] = sizes[d] as number;
  words[at++] = launch.reducedCount;
  words[at++] = chunks.count;
  words[at++] = chunks.size;
  words[at++] = workspace;
  words[at++] = launch.keptCount;
  const backwards = kernel.scan?.reverse === true;
  const inputs = primitive.kind === 'scan' ? [primitive.input] : primitive.inputs;
  const streams = program.streams.length;
  const { elementBytes, flatStrides } = argumentLayout(kernel);
  const withMemory = elementBytes.length;
  for (let o = 0; o < withMemory; o++) {
    const view =
      o < streams
        ? (inputs[program.streams[o] as number] as View)
        : outputView(primitive, o - streams);
    let start = view.offset;
    // Backwards: from the last element with the stride negated.
    if (backwards && strides) {
      start += (strides[o]?.[rank - 1] as number) * ((sizes[rank - 1] as number) - 1);
    }
    words[at++] = pointerOf(view.storage.buffer) + start * (elementBytes[o] as number);
  }
  if (strides) {
    for (let o = 0; o < strides.length; o++) {
      const list = strides[o] as readonly number[];
      const unit = o < withMemory ? (elementBytes[o] as number) : 1;
      for (let d = 0; d < rank; d++) words[at++] = (list[d] as number) * unit;
      if (backwards) words[at - 1] = -(words[at - 1] as number);
    }
  } else {
    for (let o = 0; o < flatStrides.length; o++) words[at++] = flatStrides[o] as number;
  }
  for (let l = 0; l < program.loads.length; l++) {
    at = writeAddressed(inputs[program.loads[l] as number] as View, words, at, pointerOf);
  }
  if (primitive.kind === 'scatter') writeAddressed(primitive.output, words, at, pointerOf);
}

function writeAddressed(
  view: View,
  words: Int32Array,
  start: number,
  pointerOf: (buffer: DeviceBuffer) => number,
): number {
  let at = start;
  const bytes = itemSize(view.dtype);
  words[at++] = pointerOf(view.storage.buffer) + view.offset * bytes;
  for (let d = 0; d < view.strides.length; d++) words[at++] = (view.strides[d] as number) * bytes;
  return at;
}
