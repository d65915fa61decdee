import type {
  Combiner,
  Expr,
  MapPrimitive,
  ReducePrimitive,
  ScanPrimitive,
  ScatterPrimitive,
  View,
} from '@sconce/core';
import { computeType, input } from '@sconce/core';
import { finish, type Launch, type LoopPrimitive } from './kernel.js';
import { dtypeCodes, launch, loadsOf, scatterCodes, type Variant } from './launch.js';
import {
  type Access,
  BROADCAST,
  broadcastStrides,
  CONTIGUOUS,
  checkAddressed,
  collapse,
  elementCount,
  isContiguous,
  rowMajorStrides,
  sameShape,
} from './layout.js';
import { makeProgram, type Program, type Stage, Trie } from './program.js';
import { Signature } from './recent-launches.js';

/** The numbers of the call under way. */
const signature = new Signature();

const mapPrograms = new Trie<Program>();
const reducePrograms = new Trie<Program>();
const scatterPrograms = new Trie<Program>();
const scanPrograms = new Trie<Program>();

function programOf(root: Trie<Program>, values: readonly Expr[]): Program {
  let node = root;
  for (let i = 0; i < values.length; i++) node = node.child((values[i] as Expr).id);
  node.value ??= makeProgram(values, []);
  return node.value;
}

function checkLoads({ loads }: Program, inputs: readonly View[]): void {
  for (let k = 0; k < loads.length; k++) checkAddressed(inputs[loads[k] as number] as View);
}

/** Lowers a primitive to a kernel and the numbers it runs with. */
export function lower(primitive: LoopPrimitive): Launch {
  switch (primitive.kind) {
    case 'map':
      return lowerMap(primitive);
    case 'reduce':
      return lowerReduce(primitive);
    case 'scan':
      return lowerScan(primitive);
    case 'scatter':
      return lowerScatter(primitive);
  }
}

/** Lowers an elementwise primitive. */
export function lowerMap(p: MapPrimitive): Launch {
  const program = programOf(mapPrograms, p.values);
  checkLoads(program, p.inputs);
  const flat = lowerFlatMap(p, program);
  if (flat) return flat;
  signature.start().list(p.shape).views(p.inputs).views(p.outputs);
  return (
    program.recent.find(signature) ?? program.recent.keep(signature, lowerStridedMap(p, program))
  );
}

/** The common case, decided without allocating: everything contiguous and of one shape, or a single element. */
function lowerFlatMap(p: MapPrimitive, program: Program): Launch | undefined {
  const { streams, indices } = program;
  for (let k = 0; k < indices.length; k++)
    if ((indices[k] as Expr).op !== 'linear') return undefined;
  let node: Trie<unknown> = program.variants;
  let code = 1;
  for (let k = 0; k < p.outputs.length; k++) {
    const view = p.outputs[k] as View;
    if (!isContiguous(p.shape, view.strides)) return undefined;
    code = code * 16 + dtypeCodes[view.dtype];
  }
  const count = elementCount(p.shape);
  for (let k = 0; k < streams.length; k++) {
    const view = p.inputs[streams[k] as number] as View;
    let access: Access;
    if (sameShape(view.shape, p.shape)) {
      if (!isContiguous(p.shape, view.strides)) return undefined;
      access = CONTIGUOUS;
    } else {
      if (elementCount(view.shape) !== 1) return undefined;
      access = BROADCAST;
    }
    code = code * 32 + dtypeCodes[view.dtype] * 2 + access;
    if (code > 2 ** 40) {
      node = node.child(code);
      code = 1;
    }
  }
  for (let k = 0; k < program.loads.length; k++) {
    const view = p.inputs[program.loads[k] as number] as View;
    node = node.child(code);
    code = dtypeCodes[view.dtype] * 16 + view.shape.length;
  }
  node = node.child(code);
  node.value ??= { kernel: undefined };
  const variant = node.value as Variant;
  if (variant.flat?.keptCount === count) return variant.flat;
  variant.kernel ??= finish({
    kind: 'map',
    program,
    kept: 1,
    reduced: 0,
    vector: 'kept',
    split: false,
    streams: streams.map((k) => {
      const view = p.inputs[k] as View;
      const access = sameShape(view.shape, p.shape) ? CONTIGUOUS : BROADCAST;
      return { dtype: view.dtype, access, fixed: true };
    }),
    outputs: p.outputs.map((v) => ({
      dtype: v.dtype,
      access: CONTIGUOUS,
      fixed: true,
      per: 'element',
    })),
    indices: indices.map(() => ({ dtype: 'int32', access: CONTIGUOUS, fixed: true })),
    position: undefined,
    loads: loadsOf(program, p.inputs),
    scan: undefined,
    scatter: undefined,
  });
  variant.flat = {
    kernel: variant.kernel,
    sizes: [count],
    strides: undefined,
    keptCount: count,
    reducedCount: 1,
  };
  return variant.flat;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The strides of a `coord` or `linear` node along the dimensions of the iteration space. */
function indexStrides(node: Expr, shape: readonly number[]): number[] {
  if (node.op === 'linear') return rowMajorStrides(shape);
  const strides = new Array<number>(shape.length).fill(0);
  strides[Number(node.value)] = 1;
  return strides;
}

const streamStrides = (
  program: Program,
  inputs: readonly View[],
  shape: readonly number[],
): number[][] =>
  program.streams.map((k) => {
    const view = inputs[k] as View;
    return broadcastStrides(shape, view.shape, view.strides);
  });

function lowerStridedMap(p: MapPrimitive, program: Program): Launch {
  const { shape } = p;
  const outputs = p.outputs.map((v) => v.strides);
  // Outputs decide the order of the loops: writes should be the contiguous ones.
  const loops = collapse(
    shape,
    range(shape.length),
    [
      ...outputs,
      ...streamStrides(program, p.inputs, shape),
      ...program.indices.map((node) => indexStrides(node, shape)),
    ],
    false,
  );
  const split = outputs.length;
  const strides = [
    ...loops.strides.slice(split, split + program.streams.length),
    ...loops.strides.slice(0, split),
    ...loops.strides.slice(split + program.streams.length),
  ];
  return launch({
    kind: 'map',
    program,
    inputs: p.inputs,
    outputs: p.outputs.map((view) => ({ dtype: view.dtype, per: 'element' })),
    kept: loops.sizes,
    reduced: [],
    strides,
    vector: 'kept',
    split: false,
    hasPosition: false,
    scan: undefined,
    scatter: undefined,
  });
}

const combineCodes: Record<Combiner, number> = {
  sum: 0,
  prod: 1,
  max: 2,
  min: 3,
  argmax: 4,
  argmin: 5,
};

/** Rows with at least this many elements, where there are few of them, are reduced in chunks. */
const SPLIT_ELEMENTS = 1 << 16;
const SPLIT_ROWS = 8;

/** Lowers a row-wise reduction. */
export function lowerReduce(p: ReducePrimitive): Launch {
  let trie = reducePrograms;
  for (const s of p.stages) trie = trie.child(s.value.id * 8 + combineCodes[s.combine]);
  trie = trie.child(-1);
  for (const o of p.outputs) trie = trie.child(o.value.id * 2 + (o.per === 'row' ? 0 : 1));
  trie.value ??= makeProgram(
    p.outputs.map((o) => o.value),
    p.stages,
  );
  const program = trie.value;
  checkLoads(program, p.inputs);
  signature.start().list(p.shape).list(p.axes).views(p.inputs);
  for (const o of p.outputs) signature.view(o.view);
  return program.recent.find(signature) ?? program.recent.keep(signature, reduceAnew(p, program));
}

function reduceAnew(p: ReducePrimitive, program: Program): Launch {
  const { shape } = p;
  const arg = p.stages.some((s: Stage) => s.combine === 'argmax' || s.combine === 'argmin');
  const isReduced = new Array<boolean>(shape.length).fill(false);
  for (const axis of p.axes) isReduced[axis] = true;
  const all = [
    ...streamStrides(program, p.inputs, shape),
    ...p.outputs.map(({ per, view }) =>
      per === 'row' ? view.strides.map((s, d) => (isReduced[d] ? 0 : s)) : view.strides,
    ),
    ...program.indices.map((node) => indexStrides(node, shape)),
  ];
  if (arg) {
    const position = new Array<number>(shape.length).fill(0);
    let stride = 1;
    for (let i = p.axes.length - 1; i >= 0; i--) {
      const axis = p.axes[i] as number;
      position[axis] = stride;
      stride *= shape[axis] as number;
    }
    all.push(position);
  }
  const kept = collapse(
    shape,
    range(shape.length).filter((d) => !isReduced[d]),
    all,
    false,
  );
  // The first best element wins: its search must run in row-major order.
  const reduced = collapse(shape, [...p.axes], all, arg);
  const strides = all.map((_, k) => [
    ...(kept.strides[k] as number[]),
    ...(reduced.strides[k] as number[]),
  ]);
  const memoryOperands = program.streams.length + p.outputs.length;
  const rows = elementCount(kept.sizes);
  const row = elementCount(reduced.sizes);
  const vector = vectorGroup(kept.sizes, reduced.sizes, strides.slice(0, memoryOperands));
  const split =
    vector === 'reduced' && rows < SPLIT_ROWS && row >= SPLIT_ELEMENTS && p.stages.length > 0;
  return launch({
    kind: 'reduce',
    program,
    inputs: p.inputs,
    outputs: p.outputs.map((o) => ({ dtype: o.view.dtype, per: o.per })),
    kept: kept.sizes,
    reduced: reduced.sizes,
    strides,
    vector,
    split,
    hasPosition: arg,
    scan: undefined,
    scatter: undefined,
  });
}

/** Whether lanes are better spent on neighbouring rows or on neighbours within a row. */
function vectorGroup(
  kept: readonly number[],
  reduced: readonly number[],
  strides: readonly (readonly number[])[],
): 'kept' | 'reduced' {
  const inner = { kept: kept.at(-1) as number, reduced: reduced.at(-1) as number };
  const price = (group: 'kept' | 'reduced'): number => {
    const dimension = group === 'kept' ? kept.length - 1 : kept.length + reduced.length - 1;
    const size = inner[group];
    let perVector = 1;
    for (const list of strides) {
      // A gather of four costs several times a load of four.
      const stride = list[dimension] as number;
      perVector += stride === 0 ? 0.3 : stride === 1 ? 1 : 4;
    }
    // Each run along the dimension starts anew, and its last vector is partly empty.
    const startup = group === 'kept' ? 2 / Math.max(1, elementCount(reduced)) : 6;
    return (perVector * Math.ceil(size / 4) + startup) / Math.max(1, size);
  };
  return price('kept') < price('reduced') ? 'kept' : 'reduced';
}

/** Lowers a prefix combination. */
export function lowerScan(p: ScanPrimitive): Launch {
  const compute = computeType(p.input.dtype);
  const value = input(0, compute);
  const trie = scanPrograms.child(value.id);
  trie.value ??= makeProgram([value], []);
  const program = trie.value;
  const { shape } = p.input;
  const outputs = p.indices ? [p.output, p.indices] : [p.output];
  const all = [broadcastStrides(shape, shape, p.input.strides), ...outputs.map((v) => v.strides)];
  const kept = collapse(
    shape,
    range(shape.length).filter((d) => d !== p.axis),
    all,
    false,
  );
  const reduced = collapse(shape, shape.length === 0 ? [] : [p.axis], all, true);
  return launch({
    kind: 'scan',
    program,
    inputs: [p.input],
    outputs: outputs.map((v) => ({ dtype: v.dtype, per: 'element' })),
    kept: kept.sizes,
    reduced: reduced.sizes,
    strides: all.map((_, k) => [
      ...(kept.strides[k] as number[]),
      ...(reduced.strides[k] as number[]),
    ]),
    vector: 'kept',
    split: false,
    hasPosition: false,
    scan: { combine: p.combine, reverse: p.reverse },
    scatter: undefined,
  });
}

/**
 * Lowers a scatter. Positions that differ along an axis which is itself a coordinate of the output never meet,
 * so the longest such axis is divided into items.
 */
export function lowerScatter(p: ScatterPrimitive): Launch {
  const program = programOf(scatterPrograms, [...p.coords, ...(p.valid ? [p.valid] : []), p.value]);
  checkLoads(program, p.inputs);
  checkAddressed(p.output);
  signature.start().list(p.shape).views(p.inputs).view(p.output);
  signature.add(scatterCodes[p.combine]).add(p.valid ? 1 : 0);
  return program.recent.find(signature) ?? program.recent.keep(signature, scatterAnew(p, program));
}

function scatterAnew(p: ScatterPrimitive, program: Program): Launch {
  const { shape } = p;
  const rank = shape.length;
  let item = -1;
  for (let c = 0; c < p.coords.length; c++) {
    const node = program.values[c] as Expr;
    if (node.op !== 'coord') continue;
    const axis = Number(node.value);
    if (item < 0 || (shape[axis] as number) > (shape[item] as number)) item = axis;
  }
  const all = [
    ...streamStrides(program, p.inputs, shape),
    ...program.indices.map((node) => indexStrides(node, shape)),
  ];
  const groups =
    item < 0 ? [range(rank)] : [range(item), [item], range(rank).filter((axis) => axis > item)];
  const sizes: number[] = [];
  const strides: number[][] = all.map(() => []);
  let itemDimension = 15;
  groups.forEach((axes, g) => {
    // Empty groups and groups of size 1 leave no loop; the item dimension always does.
    const isItem = item >= 0 && g === 1;
    if (!isItem && axes.every((axis) => shape[axis] === 1)) return;
    const loops = collapse(shape, axes, all, true);
    if (isItem) itemDimension = sizes.length;
    sizes.push(...loops.sizes);
    for (let k = 0; k < all.length; k++) strides[k]?.push(...(loops.strides[k] as number[]));
  });
  if (sizes.length === 0) {
    sizes.push(1);
    for (const list of strides) list.push(0);
  }
  return launch({
    kind: 'scatter',
    program,
    inputs: p.inputs,
    outputs: [],
    kept: sizes,
    reduced: [],
    strides,
    vector: 'kept',
    split: false,
    hasPosition: false,
    scan: undefined,
    scatter: {
      combine: p.combine,
      output: { dtype: p.output.dtype, rank: p.output.shape.length },
      hasValid: p.valid !== undefined,
      itemDimension,
    },
  });
}
