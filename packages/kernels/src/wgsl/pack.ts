import { type DeviceBuffer, NotImplementedError } from '@sconce/core';
import { type Operand, progression, Temporary, type WgslLimits, type WgslStep } from './plan.js';

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
      `webgpu: ${written.size} outputs in one kernel; this device takes ${limits.storageBuffers} buffers`,
    );
  }
  const packed = new Set([...read].slice(spare));
  const places = new Map<DeviceBuffer, { low: number; high: number; at: number }>();
  for (const input of inputs) {
    if (!packed.has(input.buffer)) continue;
    const high =
      input.offset +
      input.shape.reduce((sum, n, d) => sum + (n - 1) * (input.strides[d] as number), 1);
    const place = places.get(input.buffer);
    places.set(input.buffer, {
      low: Math.min(place?.low ?? input.offset, input.offset),
      high: Math.max(place?.high ?? 0, high),
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
