import type {
  DType,
  MapPrimitive,
  ReducePrimitive,
  ScanPrimitive,
  ScatterPrimitive,
} from '@sconce/core';
import type { Access } from './layout.js';
import type { Program } from './program.js';

/** The primitives that are loops over expressions; the others have kernels of their own. */
export type LoopPrimitive = MapPrimitive | ReducePrimitive | ScanPrimitive | ScatterPrimitive;

/** An operand that the loops walk along. */
export interface Operand {
  readonly dtype: DType;
  /** How it moves along the vector dimension. */
  readonly access: Access;
  /** Whether it stays in place while the reduced dimensions are walked. */
  readonly fixed: boolean;
}

/** An operand addressed by computed coordinates. */
export interface AddressedOperand {
  readonly dtype: DType;
  readonly rank: number;
}

/**
 * A loop nest without sizes: what a renderer turns into code. Dimensions are the collapsed ones, the
 * kept dimensions first, then the reduced (or scanned) ones. Coordinates and indices that expressions name are
 * operands with strides but without memory, so any order of loops is right.
 */
export interface LoopKernel {
  /** Dense and unique in this process. */
  readonly id: number;
  readonly kind: 'map' | 'reduce' | 'scan' | 'scatter';
  readonly program: Program;
  readonly kept: number;
  readonly reduced: number;
  /** Which group's innermost dimension runs over vector lanes. */
  readonly vector: 'kept' | 'reduced';
  /** Whether rows are reduced in chunks, whose results a later phase combines. */
  readonly split: boolean;
  /** In the order of `program.streams`. */
  readonly streams: readonly Operand[];
  readonly outputs: readonly (Operand & { readonly per: 'row' | 'element' })[];
  /** In the order of `program.indices`. */
  readonly indices: readonly Operand[];
  /** The row-major index among the reduced axes, for argmax and argmin. */
  readonly position: Operand | undefined;
  /** In the order of `program.loads`. */
  readonly loads: readonly AddressedOperand[];
  /** Of a scan: how it combines, and in which direction. */
  readonly scan:
    | { readonly combine: ScanPrimitive['combine']; readonly reverse: boolean }
    | undefined;
  /** Of a scatter: how it combines, and the dimension that is divided into items. */
  readonly scatter:
    | {
        readonly combine: ScatterPrimitive['combine'];
        readonly output: AddressedOperand;
        readonly hasValid: boolean;
        readonly itemDimension: number;
      }
    | undefined;
  /** The structure as text, equal in every process. */
  readonly key: string;
}

/** One use of a kernel: its loop sizes, and the strides of streams, outputs, indices and position, in that order. */
export interface Launch {
  readonly kernel: LoopKernel;
  /** Extents of the dimensions. */
  readonly sizes: readonly number[];
  /** Strides in elements; undefined in a launch with one dimension where `access` says all. */
  readonly strides: readonly (readonly number[])[] | undefined;
  /** Product of the kept and of the reduced extents. */
  readonly keptCount: number;
  readonly reducedCount: number;
}

let kernels = 0;

/** A kernel before it has a number. */
export type Structure = Omit<LoopKernel, 'id' | 'key'>;

/** Gives a kernel its number. */
export function finish(structure: Structure): LoopKernel {
  const kernel = { ...structure, id: kernels++ };
  Object.defineProperty(kernel, 'key', { enumerable: true, get: () => structureKey(structure) });
  return kernel as unknown as LoopKernel;
}

function structureKey(k: Structure): string {
  const operand = (o: Operand): string => `${o.dtype}/${o.access}${o.fixed ? 'f' : ''}`;
  const addressed = (o: AddressedOperand): string => `${o.dtype}/${o.rank}`;
  return [
    k.kind,
    `${k.kept}+${k.reduced}`,
    k.vector,
    k.split ? 'split' : '',
    k.streams.map(operand).join(),
    k.outputs.map((o) => `${operand(o)}${o.per}`).join(),
    k.indices.map(operand).join(),
    k.position ? operand(k.position) : '',
    k.loads.map(addressed).join(),
    k.scan ? `${k.scan.combine} ${k.scan.reverse}` : '',
    k.scatter
      ? `${k.scatter.combine} ${addressed(k.scatter.output)} ${k.scatter.hasValid} ${k.scatter.itemDimension}`
      : '',
    k.program.key,
  ].join('|');
}
