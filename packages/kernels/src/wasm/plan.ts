import type { DeviceBuffer } from '@sconce/core';
import type { Launch, LoopKernel, LoopPrimitive } from '../kernel.js';
import { lower } from '../lower.js';
import { argumentLayout, type Chunks, writeArguments } from './arguments.js';
import { phaseCount, phaseName, type RenderOptions, renderKernel } from './render.js';
import { isTiled, TILE_ROWS } from './render-map.js';
import { PARTIAL_BYTES } from './render-split.js';
import { weightOf } from './weights.js';

/** A kernel as the CPU runtime handles it. */
export interface WasmKernel {
  /** Dense small integer: an index for compiled instances. */
  readonly id: number;
  /** The structure as text, for caches that outlive the process. */
  readonly key: string;
  /** The export of each phase. */
  readonly exports: readonly string[];
  /** @internal */
  readonly loops: LoopKernel;
}

/** What one phase of a launch has to do. */
export interface WasmPhase {
  /** Work items are [0, items); any division into ranges is allowed. */
  readonly items: number;
  /** Nanoseconds an item takes on one thread, roughly. */
  readonly itemCost: number;
  /** Ranges should begin at multiples of this. */
  readonly grain: number;
}

/** One launch of a kernel. */
export interface WasmPlan {
  readonly kernel: WasmKernel;
  /** Bytes of the argument block, a multiple of 16. */
  readonly argumentBytes: number;
  /** Temporary memory all threads share during the launch; 0 almost always. */
  readonly workspaceBytes: number;
  /** Run one after the other, all threads done with one before the next. */
  readonly phases: readonly WasmPhase[];
  /** @internal */
  readonly launch: Launch;
  /** @internal */
  readonly chunks: Chunks;
}

interface Costed extends WasmKernel {
  /** Nanoseconds per element of a map or of all stages and outputs of a reduction. */
  readonly elementCost: number;
  readonly argumentBytes: number;
  readonly tiled: boolean;
  latest?: WasmPlan;
}

const wasmKernels: Costed[] = [];

function wasmKernel(loops: LoopKernel): Costed {
  let kernel = wasmKernels[loops.id];
  if (!kernel) {
    let weight = 2;
    for (const e of loops.program.order) weight += weightOf(e);
    kernel = {
      id: loops.id,
      get key() {
        return loops.key;
      },
      exports: Array.from({ length: phaseCount(loops) }, (_, p) => phaseName(p)),
      loops,
      elementCost: weight / 16,
      argumentBytes: argumentLayout(loops).bytes,
      tiled: isTiled(loops),
    };
    wasmKernels[loops.id] = kernel;
  }
  return kernel;
}

const noChunks: Chunks = { count: 0, size: 0 };

/** Chunks are at least this long, and a row has at most `MAX_CHUNKS` of them. */
const CHUNK_ELEMENTS = 1 << 14;
const MAX_CHUNKS = 64;

/**
 * Finds the kernel of a primitive and the numbers to run it with.
 *
 * @example
 * const plan = planWasm(primitive);
 * const module = new WebAssembly.Module(renderWasm(plan.kernel, { shared: true, relaxed: false }));
 */
export function planWasm(primitive: LoopPrimitive): WasmPlan {
  const launch = lower(primitive);
  const kernel = wasmKernel(launch.kernel);
  // Launches of one flat size are one object, and so are their plans.
  if (kernel.latest?.launch === launch) return kernel.latest;
  const { keptCount, reducedCount } = launch;
  const { elementCost, argumentBytes } = kernel;
  if (launch.kernel.split) {
    const size = Math.max(CHUNK_ELEMENTS, (Math.ceil(reducedCount / MAX_CHUNKS) + 1023) & ~1023);
    const count = Math.ceil(reducedCount / size);
    const stages = launch.kernel.program.stages.length;
    const byRow = launch.kernel.outputs.every((o) => o.per === 'row');
    const phases = kernel.exports.map((_, p) =>
      p === stages && byRow
        ? { items: keptCount, itemCost: count * 10, grain: 1 }
        : { items: keptCount * count, itemCost: size * elementCost, grain: 1 },
    );
    const workspaceBytes = keptCount * count * stages * PARTIAL_BYTES;
    return { kernel, argumentBytes, workspaceBytes, phases, launch, chunks: { count, size } };
  }
  let phase: WasmPhase;
  switch (launch.kernel.kind) {
    case 'map':
      if (kernel.tiled) {
        const rows = launch.sizes.at(-2) as number;
        const bands = Math.ceil(rows / TILE_ROWS);
        const items =
          keptCount === 0 ? 0 : (keptCount / rows / (launch.sizes.at(-1) as number)) * bands;
        phase = { items, itemCost: (keptCount / Math.max(1, items)) * elementCost, grain: 1 };
      } else phase = { items: keptCount, itemCost: elementCost, grain: 64 };
      break;
    case 'scatter': {
      const { itemDimension } = launch.kernel.scatter as { itemDimension: number };
      const items =
        itemDimension < launch.sizes.length ? (launch.sizes[itemDimension] as number) : 1;
      const inner = itemDimension === launch.sizes.length - 1;
      const empty = keptCount === 0;
      phase = {
        items: empty ? 0 : items,
        itemCost: empty ? 0 : (keptCount / items) * (elementCost + 1),
        grain: inner ? 16 : 1,
      };
      break;
    }
    default:
      phase = {
        items: keptCount,
        itemCost: 10 + reducedCount * elementCost,
        grain: launch.kernel.vector === 'kept' ? 16 : 1,
      };
  }
  const phases = [phase];
  kernel.latest = { kernel, argumentBytes, workspaceBytes: 0, phases, launch, chunks: noChunks };
  return kernel.latest;
}

/**
 * Writes the argument block of a plan at byte `address`, a multiple of 16.
 *
 * @param words an Int32Array over the memory from its first byte on.
 * @param pointerOf the address of a buffer in that memory.
 */
export function packArguments(
  plan: WasmPlan,
  primitive: LoopPrimitive,
  words: Int32Array,
  address: number,
  pointerOf: (buffer: DeviceBuffer) => number,
  workspace: number,
): void {
  writeArguments(plan.launch, primitive, plan.chunks, words, address, pointerOf, workspace);
}

/** The bytes of a kernel's module; it imports `env.memory` and `math` (see `mathImports`). */
export function renderWasm(kernel: WasmKernel, options: RenderOptions): Uint8Array<ArrayBuffer> {
  return renderKernel(kernel.loops, options);
}
