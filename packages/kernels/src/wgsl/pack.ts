import { type DeviceBuffer, NotImplementedError } from '@sconce/core';
import { elementCount } from '../layout.js';
import {
  type Operand,
  packedOperand,
  progression,
  Temporary,
  type WgslLimits,
  type WgslStep,
} from './plan.js';

/**
 * Copies read-only operands into one buffer, so that no more buffers are bound than the device takes.
 *
 * @param spare how many bindings the inputs may use
 */
export function packInputs(
  inputs: readonly Operand[],
  outputs: readonly Operand[],
  limits: WgslLimits,
  steps: WgslStep[],
): readonly Operand[] {
  const written = new Set(outputs.map((o) => o.buffer));
  const read = new Set(
    inputs.map((o) => o.buffer).filter((b) => b !== progression && !written.has(b)),
  );
  if (written.size + read.size <= limits.storageBuffers) return inputs;
  const spare = limits.storageBuffers - written.size - 1;
  if (spare < 0) {
    throw new NotImplementedError(
      `since it writes ${written.size} tensors at once, and this device takes ${limits.storageBuffers} buffers`,
    );
  }
  const packed = new Set([...read].slice(spare));
  const places = new Map<DeviceBuffer, { low: number; high: number; at: number }>();
  for (const input of inputs) {
    if (!packed.has(input.buffer)) continue;
    const [first, end] = reach(input);
    const place = places.get(input.buffer);
    places.set(input.buffer, {
      low: Math.min(place?.low ?? first, first),
      high: Math.max(place?.high ?? end, end),
      at: 0,
    });
  }
  let length = 0;
  for (const place of places.values()) {
    place.at = length;
    length += place.high - place.low;
  }
  const together = new Temporary(length);
  for (const [buffer, { low, high, at }] of places) {
    if (high === low) continue;
    steps.push({
      kind: 'copy',
      from: buffer,
      fromElement: low,
      to: together,
      toElement: at,
      length: high - low,
    });
  }
  return inputs.map((input) => {
    const place = places.get(input.buffer);
    return place
      ? { ...input, buffer: together, offset: input.offset - place.low + place.at }
      : input;
  });
}

/** The first element of its buffer that an operand reads, and one past the last. */
function reach({ buffer, shape, strides, offset }: Operand): [number, number] {
  let [first, last] = [offset, offset];
  shape.forEach((size, d) => {
    if (size === 0) last = Number.NEGATIVE_INFINITY;
    const far = (size - 1) * (strides[d] as number);
    if (far < 0) first += far;
    else last += far;
  });
  if (last < first) return [0, 0];
  // Operands that stray reach beyond their buffer, or lie beside it whole, where nothing is to be had.
  const low = Math.max(0, first);
  return [low, Math.max(low, Math.min(buffer.bytes / 4, last + 1))];
}

/**
 * Plans outputs one by one where they are too many to be written by one kernel: each goes to memory of its own, and
 * to its place when all are computed, since it may lie where the others read.
 *
 * @param view the operand that an output is written to
 * @param plan plans the primitive with that one output at another place
 * @returns whether it was necessary.
 */
export function planSeparately<T>(
  outputs: readonly T[],
  view: (output: T) => Operand,
  plan: (output: T, into: Operand) => void,
  copy: (from: Operand, to: Operand) => void,
  limits: WgslLimits,
): boolean {
  const written = new Set(outputs.map((o) => view(o).buffer)).size;
  if (written <= 1 || written < limits.storageBuffers) return false;
  const results = outputs.map((output) => {
    const { dtype, shape } = view(output);
    return packedOperand(new Temporary(elementCount(shape)), dtype, shape);
  });
  outputs.forEach((output, i) => {
    plan(output, results[i] as Operand);
  });
  outputs.forEach((output, i) => {
    copy(results[i] as Operand, view(output));
  });
  return true;
}
