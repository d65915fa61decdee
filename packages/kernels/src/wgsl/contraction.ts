import { apply, input } from '@sconce/core';
import { elementCount, rowMajorStrides } from '../layout.js';
import { blocked, blockSize, blockWidth } from './contraction-blocks.js';
import type { Contraction, Extents } from './contraction-space.js';
import { tiled, tileSize } from './contraction-tiles.js';
import { type Operand, progression, Temporary, type WgslLimits, type WgslStep } from './plan.js';
import { planReduce, type ReduceWork } from './reduce.js';

/** Invocations worth having in flight: fewer, and long sums are cut in parts. A CPU needs fewer than a GPU. */
const enoughFor = (limits: WgslLimits): number => (limits.tiles === false ? 1024 : 4096);

/** Adds the dispatches of a contraction, by the schedule that suits its size. */
export function planContraction(work: Contraction, limits: WgslLimits, steps: WgslStep[]): void {
  const [batch, m, n, k] = [work.batch, work.m, work.n, work.k].map(elementCount) as [
    number,
    number,
    number,
    number,
  ];
  if (batch * m * n === 0) return;
  const shape = [...work.batch, ...work.m, ...work.n, ...work.k];
  const extents: Extents = { shape, batch, m, n, k };
  const buffers = new Set([work.output, ...work.inputs].map((o) => o.buffer));
  buffers.delete(progression);
  // One sum a workgroup: a product with a vector whose rows are long. Also what binds too many buffers.
  const enough = enoughFor(limits);
  const rows = batch * m * n;
  if (buffers.size > limits.storageBuffers || (Math.min(m, n) === 1 && k >= 512 && rows < enough)) {
    planReduce(asReduction(work, extents), limits, steps);
    return;
  }
  const large = limits.tiles !== false && m >= 96 && n >= 96 && k >= 64;
  const schedule = large ? tiled : blocked;
  const parts = large ? tileParts(extents) : blockParts(work, extents, enough);
  if (parts === 1) {
    steps.push(schedule(work, extents, 1));
    return;
  }
  // Few long sums: parts of them first, which are then added up.
  const kept = shape.slice(0, shape.length - work.k.length);
  const count = batch * m * n;
  const partials: Operand = {
    buffer: new Temporary(parts * count),
    dtype: work.a.dtype,
    shape: [...kept, parts],
    strides: [...rowMajorStrides(kept), count],
    offset: 0,
  };
  steps.push(schedule(work, extents, parts, partials));
  // Operands of lower rank align with the last axes, so the summed ones are dropped from the right.
  const perRow = (operand: Operand): Operand => {
    const rest = Math.max(0, operand.shape.length - work.k.length);
    return {
      ...operand,
      shape: [...operand.shape.slice(0, rest), 1],
      strides: [...operand.strides.slice(0, rest), 0],
    };
  };
  planReduce(
    {
      shape: [...kept, parts],
      axes: [kept.length],
      inputs: [...work.inputs.map(perRow), partials],
      scalars: work.scalars,
      stages: [{ combine: 'sum', value: input(work.inputs.length, work.a.dtype) }],
      outputs: [{ per: 'row', value: work.value, view: perRow(work.output) }],
    },
    limits,
    steps,
  );
}

/** The contraction as a plain reduction of products. */
function asReduction(work: Contraction, { shape }: Extents): ReduceWork {
  const first = shape.length - work.k.length;
  return {
    shape,
    axes: work.k.map((_, i) => first + i),
    inputs: work.inputs,
    scalars: work.scalars,
    stages: [{ combine: 'sum', value: apply('mul', work.a, work.b) }],
    outputs: [{ per: 'row', value: work.value, view: work.output }],
  };
}

function tileParts({ batch, m, n, k }: Extents): number {
  const tiles = batch * Math.ceil(m / tileSize) * Math.ceil(n / tileSize);
  return tiles >= 64 ? 1 : Math.max(1, Math.min(Math.ceil(64 / tiles), Math.floor(k / 512)));
}

function blockParts(work: Contraction, { batch, m, n, k }: Extents, enough: number): number {
  const invocations = batch * Math.ceil(m / blockSize(m)) * Math.ceil(n / blockWidth(n));
  // The outermost summed axis is what is cut; the others are walked whole.
  const outer = work.k.find((size) => size > 1) ?? 1;
  if (invocations >= enough / 4 || k < 256) return 1;
  return Math.min(outer, Math.ceil(enough / invocations), Math.ceil(k / 128));
}
