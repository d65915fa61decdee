import type { DeviceBuffer, DType, View } from '@sconce/core';
import { checkAddressed, rowMajorStrides } from '../layout.js';

/** Memory that lives while a plan runs, in elements of four bytes. */
export class Temporary implements DeviceBuffer {
  readonly bytes: number;
  readonly length: number;

  constructor(length: number) {
    this.length = length;
    this.bytes = length * 4;
  }
}

/** A strided view of device memory: what a `View` is to a plan, which also has temporaries. */
export interface Operand {
  readonly buffer: DeviceBuffer;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** Whether addresses may lie outside of the buffer, at positions whose value is not used. */
  readonly strays?: boolean;
}

/**
 * Stands in an operand for memory that is not there: its elements are int32 and each is its own address, so
 * that an expression gets any whole number that is linear in the position as an input.
 */
export const progression: DeviceBuffer = { bytes: 0 };

/** The operand that a view is. */
export function operandOf(view: View): Operand {
  checkAddressed(view);
  const { storage, dtype, shape, strides, offset } = view;
  return { buffer: storage.buffer, dtype, shape, strides, offset };
}

/** A row-major operand over a whole buffer. */
export function packedOperand(
  buffer: DeviceBuffer,
  dtype: DType,
  shape: readonly number[],
): Operand {
  return { buffer, dtype, shape, strides: rowMajorStrides(shape), offset: 0 };
}

/** A kernel as WGSL with the entry point `main`; one object for each structure in the process. */
export interface WgslKernel {
  /** Small and unique: indexes the compiled pipelines. */
  readonly id: number;
  /** What it is, for error messages: `map exp`. */
  readonly label: string;
  readonly source: string;
  /** For each storage binding of group 1, whether it is written. */
  readonly writes: readonly boolean[];
}

/** One dispatch: group 0 holds `parameters` as a uniform buffer, group 1 the `buffers`. */
export interface WgslDispatch {
  readonly kind: 'dispatch';
  readonly kernel: WgslKernel;
  readonly parameters: readonly number[];
  readonly buffers: readonly DeviceBuffer[];
  /** Workgroups in all; laid out in two dimensions where one is too few. */
  readonly groups: number;
}

/** Elements copied from one buffer to another. */
export interface WgslCopy {
  readonly kind: 'copy';
  readonly from: DeviceBuffer;
  readonly fromElement: number;
  readonly to: DeviceBuffer;
  readonly toElement: number;
  readonly length: number;
}

export type WgslStep = WgslDispatch | WgslCopy;

/** What the device can do. */
export interface WgslLimits {
  /** Storage buffers of one kernel. */
  readonly storageBuffers: number;
  /** Whether shared memory pays: on GPUs, but not where their workgroups are emulated. Default true. */
  readonly tiles?: boolean;
  /** Whether scattered floats are combined in a fixed order, which takes longer. */
  readonly deterministic?: boolean;
}

const kernels = new Map<string, WgslKernel>();

/** The kernel of that structure, rendered when it is first asked for. */
export function kernelFor(
  key: string,
  label: () => string,
  render: () => { source: string; writes: readonly boolean[] },
): WgslKernel {
  let kernel = kernels.get(key);
  if (!kernel) {
    kernel = { id: kernels.size, label: label(), ...render() };
    kernels.set(key, kernel);
  }
  return kernel;
}
