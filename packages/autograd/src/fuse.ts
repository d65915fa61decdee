import { type FusedMap, runFused, Tensor, traceElementwise } from '@sconce/core';
import type { Input } from './derivatives/index.js';

/** Formulas that see new numbers at every call are not worth tracing each time. */
const limit = 64;

/**
 * The gradient of an input of an elementwise operation in one kernel, whatever the number of operations its formula is
 * written with: they are traced once to a single expression. For passes that are not recorded themselves.
 *
 * @returns undefined where the formula has to run as it is.
 */
export function fusedGradient(
  { derivative, fused }: Input,
  g: Tensor,
  context: Readonly<Record<string, unknown>>,
): Tensor | undefined {
  if (fused === undefined || fused.size > limit) return undefined;
  const { device } = g.storage;
  const tensors = [g];
  let key = signature(g);
  for (const name of derivative.saves) {
    const value = context[name];
    if (value instanceof Tensor) {
      if (value.storage.device !== device) return undefined;
      tensors.push(value);
      key += signature(value);
    }
  }
  for (const name in context) {
    const value = context[name];
    if (typeof value !== 'object') key += `${name}${String(value)}`;
    else if (value !== null && 'value' in value) key += `${name}float${String(value.value)}`;
  }
  let map: FusedMap | undefined;
  if (fused.has(key)) map = fused.get(key);
  else {
    map = trace(derivative, tensors, context);
    fused.set(key, map);
  }
  return map && runFused(map, tensors, device);
}

/** What promotion looks at. */
const signature = (t: Tensor): string => `${t.dtype}${t.shape.length === 0 ? 0 : 1} `;

function trace(
  { saves, formula }: Input['derivative'],
  tensors: readonly Tensor[],
  context: Readonly<Record<string, unknown>>,
): FusedMap | undefined {
  return traceElementwise((g, ...saved) => {
    const seen = { ...context };
    let next = 0;
    for (const name of saves) if (seen[name] instanceof Tensor) seen[name] = saved[next++];
    return formula(g as never, seen as never);
  }, tensors);
}
