import type { DType, ScanPrimitive, ScatterPrimitive, View } from '@sconce/core';
import { dtypes, SconceError } from '@sconce/core';
import {
  type AddressedOperand,
  finish,
  type Launch,
  type LoopKernel,
  type Operand,
} from './kernel.js';
import { type Access, accessOf, BROADCAST, CONTIGUOUS, elementCount } from './layout.js';
import type { Program, Trie } from './program.js';

/** Dtypes as small integers, for keys. */
export const dtypeCodes = Object.fromEntries(dtypes.map((d, i) => [d, i])) as Record<DType, number>;

/** Holds the kernel of one structure. */
export interface Variant {
  kernel: LoopKernel | undefined;
  /** The latest launch, where its element count is all there is to it. */
  flat?: Launch;
}
/** The operands that a program reads at computed coordinates. */
export const loadsOf = (program: Program, inputs: readonly View[]): AddressedOperand[] =>
  program.loads.map((k) => {
    const view = inputs[k] as View;
    return { dtype: view.dtype, rank: view.shape.length };
  });

/** What decides a kernel, and the numbers it runs with. */
export interface LaunchParts {
  kind: LoopKernel['kind'];
  program: Program;
  inputs: readonly View[];
  outputs: readonly { readonly dtype: DType; readonly per: 'row' | 'element' }[];
  kept: readonly number[];
  reduced: readonly number[];
  strides: readonly (readonly number[])[];
  vector: 'kept' | 'reduced';
  split: boolean;
  hasPosition: boolean;
  scan: LoopKernel['scan'];
  scatter: LoopKernel['scatter'];
}

/** Finds or makes the kernel of collapsed loops. */
export function launch(parts: LaunchParts): Launch {
  const { program, kept, reduced, strides, vector } = parts;
  const sizes = [...kept, ...reduced];
  const vectorDimension = (vector === 'kept' ? kept.length : sizes.length) - 1;
  let node: Trie<unknown> = program.variants.child(
    -(
      kept.length +
      16 * reduced.length +
      256 * (vector === 'kept' ? 0 : 1) +
      512 * (parts.split ? 1 : 0) +
      1024 * parts.outputs.length
    ) - 1,
  );
  const accesses: Access[] = [];
  const fixed: boolean[] = [];
  for (const list of strides) {
    let still = true;
    for (let d = kept.length; d < sizes.length; d++) if (list[d] !== 0) still = false;
    accesses.push(accessOf(list[vectorDimension] as number));
    fixed.push(still);
  }
  const streamCount = program.streams.length;
  for (let k = 0; k < streamCount; k++) {
    const view = parts.inputs[program.streams[k] as number] as View;
    node = node.child(
      dtypeCodes[view.dtype] * 8 + (accesses[k] as Access) * 2 + (fixed[k] ? 1 : 0),
    );
  }
  for (let k = 0; k < parts.outputs.length; k++) {
    const at = streamCount + k;
    // An output that does not move has one element there: storing it is storing the first lane.
    if (accesses[at] === BROADCAST) {
      const perRow = parts.outputs[k]?.per === 'row' && vector === 'reduced';
      if (!perRow && (sizes[vectorDimension] as number) > 1) {
        throw new SconceError('elements of an output must not share memory');
      }
      accesses[at] = CONTIGUOUS;
    }
    node = node.child(
      dtypeCodes[(parts.outputs[k] as { dtype: DType }).dtype] * 8 +
        (accesses[at] as Access) * 2 +
        (fixed[at] ? 1 : 0),
    );
  }
  for (let at = streamCount + parts.outputs.length; at < strides.length; at++) {
    node = node.child((accesses[at] as Access) * 2 + (fixed[at] ? 1 : 0));
  }
  for (const k of program.loads) {
    const view = parts.inputs[k] as View;
    node = node.child(dtypeCodes[view.dtype] * 16 + view.shape.length);
  }
  const { scan, scatter } = parts;
  if (scan) node = node.child(scanCodes[scan.combine] * 2 + (scan.reverse ? 1 : 0));
  if (scatter) {
    const { output } = scatter;
    node = node
      .child(scatterCodes[scatter.combine] * 2 + (scatter.hasValid ? 1 : 0))
      .child(dtypeCodes[output.dtype] * 256 + output.rank * 16 + scatter.itemDimension);
  }
  node.value ??= { kernel: undefined };
  const variant = node.value as Variant;
  if (!variant.kernel) {
    const operand = (dtype: DType, at: number): Operand => ({
      dtype,
      access: accesses[at] as Access,
      fixed: fixed[at] as boolean,
    });
    const afterOutputs = streamCount + parts.outputs.length;
    variant.kernel = finish({
      kind: parts.kind,
      program,
      kept: kept.length,
      reduced: reduced.length,
      vector,
      split: parts.split,
      streams: program.streams.map((k, at) => operand((parts.inputs[k] as View).dtype, at)),
      outputs: parts.outputs.map((o, k) => ({ ...operand(o.dtype, streamCount + k), per: o.per })),
      indices: program.indices.map((_, k) => operand('int32', afterOutputs + k)),
      position: parts.hasPosition ? operand('int32', strides.length - 1) : undefined,
      loads: loadsOf(program, parts.inputs),
      scan,
      scatter,
    });
  }
  return {
    kernel: variant.kernel,
    sizes,
    strides,
    keptCount: elementCount(kept),
    reducedCount: elementCount(reduced),
  };
}

const scanCodes: Record<ScanPrimitive['combine'], number> = {
  sum: 0,
  prod: 1,
  max: 2,
  min: 3,
  logaddexp: 4,
};
/** Combinations as small integers, for keys. */
export const scatterCodes: Record<ScatterPrimitive['combine'], number> = {
  set: 0,
  sum: 1,
  prod: 2,
  max: 3,
  min: 4,
};
