import {
  type ConvPrimitive,
  computeType,
  input as element,
  type Storage,
  stage,
  type View,
} from '@sconce/core';
import { lowerConv } from '@sconce/kernels';
import { buildConv, convArgumentBytes, convWords } from './conv-module.js';
import type { GemmEngine, GemmShape } from './gemm.js';
import { gemmArgumentBytes } from './gemm-layout.js';
import type { RunLoop } from './loops.js';
import { addressOf, contiguousCopy, contiguousStrides, temporary } from './matmul.js';
import type { LinearMemory } from './memory.js';
import type { ThreadPool } from './threads.js';
import type { Task, WorkerTools } from './worker.js';

type Real = 'float32' | 'float64';
type Three = readonly [number, number, number];

/** Bytes of the matrix of columns that one thread works on: about the second-level cache. */
const blockBytes = 2 ** 18;
/** Floating-point operations that are worth waking other threads for. */
const worthSplitting = 1e6;

interface ConvTasks {
  readonly im2col: number;
  readonly col2im: number;
  readonly bias: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const round64 = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Spatial values as three, with leading ones that change nothing. */
const three = (values: readonly number[], neutral: number): Three =>
  [neutral, neutral, neutral, ...values].slice(-3) as unknown as Three;

/**
 * The script of the task that runs others one after the other on each item. Its word 15, unless 0, is the size of
 * the pieces that items are taken in: the tasks then get the number of the piece in place of the thread's, so that what they
 * sum for each does not depend on who was free.
 */
export function sequence({ memory, tasks }: WorkerTools): Task {
  let heap = new Int32Array(memory.buffer);
  return (args, begin, end, thread) => {
    if (args + 64 > heap.byteLength) heap = new Int32Array(memory.buffer);
    const at = args >>> 2;
    const count = heap[at] as number;
    const piece = heap[at + 15] as number;
    const lane = piece > 0 ? Math.floor(begin / piece) : thread;
    for (let i = begin; i < end; i++) {
      for (let s = 0; s < count; s++) {
        const task = tasks[heap[at + 1 + s * 2] as number] as Task;
        task((heap[at + 2 + s * 2] as number) >>> 0, i, i + 1, lane);
      }
    }
  };
}

/** Convolutions as blocks of columns times weights, block by block on all threads. */
export class ConvEngine {
  readonly #memory: LinearMemory;
  readonly #pool: ThreadPool;
  readonly #gemm: GemmEngine;
  readonly #tasks: Partial<Record<Real, ConvTasks>> = {};
  #sequence: number | undefined;

  constructor(memory: LinearMemory, pool: ThreadPool, gemm: GemmEngine) {
    this.#memory = memory;
    this.#pool = pool;
    this.#gemm = gemm;
  }

  #module(dtype: Real): ConvTasks {
    const known = this.#tasks[dtype];
    if (known) return known;
    const module = new WebAssembly.Module(buildConv(dtype, this.#memory.shared));
    const [im2col, col2im, bias] = this.#pool.addModule(module, ['im2col', 'col2im', 'bias']) as [
      number,
      number,
      number,
    ];
    const made = { im2col, col2im, bias };
    this.#tasks[dtype] = made;
    return made;
  }

  run(p: ConvPrimitive, run: RunLoop): void {
    const target = p[p.compute];
    const type = computeType(target.dtype);
    if (product(target.shape) === 0) return;
    const operands = [p.input, p.weight, p.output];
    if (
      (type !== 'float32' && type !== 'float64') ||
      operands.some((v) => product(v.shape) === 0)
    ) {
      run(lowerConv(p));
      return;
    }
    const temporaries: Storage[] = [];
    const dense = (view: View): View => {
      const expected = contiguousStrides(view.shape);
      const contiguous = view.strides.every((s, d) => s === expected[d] || view.shape[d] === 1);
      if (contiguous && view.dtype === type) return view;
      const made =
        view === target ? temporary(view, type, view.shape) : contiguousCopy(view, type, run);
      temporaries.push(made.storage);
      return made;
    };
    try {
      const q: ConvPrimitive = {
        ...p,
        input: dense(p.input),
        weight: dense(p.weight),
        output: dense(p.output),
        ...(p.bias && { bias: dense(p.bias) }),
      };
      this.#real(q, type, run);
      const made = q[p.compute];
      if (made === target) return;
      run({
        kind: 'map',
        shape: target.shape,
        inputs: [made],
        scalars: [],
        values: [element(0, type)],
        outputs: [target],
      });
    } finally {
      for (const storage of temporaries) storage.dispose();
    }
  }

  #real(p: ConvPrimitive, dtype: Real, run: RunLoop): void {
    const size = dtype === 'float32' ? 4 : 8;
    const { groups, compute } = p;
    const [batch, channels] = p.input.shape as [number, number];
    const [d, h, w] = three(p.input.shape.slice(2), 1);
    const [kd, kh, kw] = three(p.weight.shape.slice(2), 1);
    const [od, oh, ow] = three(p.output.shape.slice(2), 1);
    const [sd, sh, sw] = three(p.stride, 1);
    const [pd, ph, pw] = three(p.padding, 0);
    const [dd, dh, dw] = three(p.dilation, 1);
    const groupChannels = channels / groups;
    const groupOut = (p.weight.shape[0] as number) / groups;
    const taps = groupChannels * kd * kh * kw;
    const places = od * oh * ow;
    const images = batch * groups;
    /** Whether the columns are the image itself. */
    const pointwise =
      kd * kh * kw === 1 && sd * sh * sw === 1 && pd + ph + pw === 0 && places === d * h * w;

    const rows = pointwise ? od * oh : blockRowsFor(od * oh, taps * ow * size);
    const blocks = (od * oh) / rows;
    const columns = rows * ow;
    const items = images * blocks;
    const threads = this.#pool.threads;
    const columnBytes = pointwise ? 0 : round64(taps * columns * size + 64);
    const [inputAt, weightAt, outputAt] = [p.input, p.weight, p.output].map((v) =>
      addressOf(v, size),
    ) as [number, number, number];
    const imageBytes = groupChannels * d * h * w * size;

    const shape = gemmShape(compute, dtype, {
      groupOut,
      taps,
      columns,
      places,
      pointwise,
      biased: !!p.bias,
    });
    const { task: gemmTask, scratch } = this.#gemm.itemsTask(shape);
    const tasks = this.#module(dtype);
    this.#sequence ??= this.#pool.addScript('sequence', undefined) as number;

    // Partial weight gradients, one for each piece of the items.
    const weightBytes = product(p.weight.shape) * size;
    const partials =
      compute === 'weight' && threads > 1
        ? temporary(p.weight, dtype, [threads, product(p.weight.shape)])
        : undefined;
    const sumAt = partials ? addressOf(partials, size) : weightAt;
    const tableAt = round64(64 + gemmArgumentBytes + convArgumentBytes);
    const columnsAt = round64(tableAt + items * 12);
    const scratchAt = columnsAt + threads * columnBytes;
    const block = this.#memory.allocate(scratchAt + threads * scratch);
    try {
      const base = block.pointer;
      const words = new Int32Array(this.#memory.buffer);
      const gemmAt = base + 64;
      const convAt = gemmAt + gemmArgumentBytes;
      const usesColumns = pointwise ? 0 : columnBytes;
      this.#gemm.writeArguments(words, gemmAt, shape, {
        table: base + tableAt,
        scratch: base + scratchAt,
        scratchStride: scratch,
        threadB: compute === 'input' ? 0 : usesColumns,
        threadC:
          compute === 'input' ? usesColumns : compute === 'weight' && partials ? weightBytes : 0,
      });
      const numbers: Record<keyof typeof convWords, number> = {
        image: inputAt,
        column: base + columnsAt,
        threadColumn: columnBytes,
        channels: groupChannels,
        depth: d,
        height: h,
        width: w,
        kernelDepth: kd,
        kernelHeight: kh,
        kernelWidth: kw,
        outHeight: oh,
        outWidth: ow,
        rows,
        blocks,
        strideDepth: sd,
        strideHeight: sh,
        strideWidth: sw,
        padDepth: pd,
        padHeight: ph,
        padWidth: pw,
        dilationDepth: dd,
        dilationHeight: dh,
        dilationWidth: dw,
        imageBytes,
        output: outputAt,
        biases: p.bias ? addressOf(p.bias, size) : 0,
        outChannels: groupOut,
        groups,
      };
      for (const [name, value] of Object.entries(numbers)) {
        words[(convAt >>> 2) + convWords[name as keyof typeof convWords]] = value;
      }
      for (let i = 0; i < items; i++) {
        const image = Math.floor(i / blocks);
        const weight = weightAt + (image % groups) * groupOut * taps * size;
        const column = pointwise ? inputAt + image * imageBytes : base + columnsAt;
        const output = outputAt + (image * groupOut * places + (i % blocks) * columns) * size;
        const sum = sumAt + (image % groups) * groupOut * taps * size;
        const operands =
          compute === 'output'
            ? [weight, column, output]
            : compute === 'input'
              ? [weight, output, column]
              : [output, column, sum];
        words.set(operands, ((base + tableAt) >>> 2) + i * 3);
      }
      if (compute === 'weight') {
        const bytes = new Uint8Array(
          this.#memory.buffer,
          sumAt,
          weightBytes * (partials ? threads : 1),
        );
        bytes.fill(0);
      }
      const steps: number[] = [];
      if (compute === 'output' && p.bias) steps.push(tasks.bias, convAt);
      if (!pointwise && compute !== 'input') steps.push(tasks.im2col, convAt);
      steps.push(gemmTask, gemmAt);
      if (!pointwise && compute === 'input') steps.push(tasks.col2im, convAt);
      words.set([steps.length / 2, ...steps], base >>> 2);

      // Blocks of one image add into the same memory when the input is computed: they stay with one thread.
      const unit = compute === 'input' ? blocks : 1;
      const grain = partials
        ? Math.ceil(items / threads)
        : Math.max(1, Math.floor(items / unit / (threads * 4))) * unit;
      words[(base >>> 2) + 15] = partials ? grain : 0;
      const flops = 2 * groupOut * taps * places * images;
      if (flops < worthSplitting || threads === 1)
        this.#pool.task(this.#sequence)(base, 0, items, 0);
      else this.#pool.run(this.#sequence, base, items, grain);
    } finally {
      this.#memory.release(block);
    }
    if (!partials) return;
    run({
      kind: 'reduce',
      shape: partials.shape,
      axes: [0],
      inputs: [partials],
      scalars: [],
      stages: [{ combine: 'sum', value: element(0, dtype) }],
      outputs: [
        {
          per: 'row',
          value: stage(0, dtype),
          view: { ...p.weight, shape: [1, partials.shape[1] as number], strides: [0, 1] },
        },
      ],
    });
    partials.storage.dispose();
  }
}

/** The most output rows, dividing their number, whose columns fit the cache. */
function blockRowsFor(rows: number, bytesPerRow: number): number {
  const most = Math.max(1, Math.floor(blockBytes / bytesPerRow));
  if (rows <= most) return rows;
  for (let r = most; r > 1; r--) if (rows % r === 0) return r;
  return 1;
}

/** The product behind each of the three computations: of weights, columns and outputs. */
function gemmShape(
  compute: ConvPrimitive['compute'],
  dtype: Real,
  size: {
    groupOut: number;
    taps: number;
    columns: number;
    places: number;
    pointwise: boolean;
    biased: boolean;
  },
): GemmShape {
  const { groupOut, taps, columns, places, pointwise, biased } = size;
  const pitch = pointwise ? places : columns;
  switch (compute) {
    case 'output':
      return {
        dtype,
        m: groupOut,
        n: columns,
        k: taps,
        rowA: taps,
        columnA: 1,
        rowB: pitch,
        columnB: 1,
        rowC: places,
        accumulate: biased,
      };
    case 'input':
      return {
        dtype,
        m: taps,
        n: columns,
        k: groupOut,
        rowA: 1,
        columnA: taps,
        rowB: places,
        columnB: 1,
        rowC: pitch,
      };
    case 'weight':
      return {
        dtype,
        m: groupOut,
        n: taps,
        k: columns,
        rowA: places,
        columnA: 1,
        rowB: 1,
        columnB: pitch,
        rowC: taps,
        accumulate: true,
      };
  }
}
