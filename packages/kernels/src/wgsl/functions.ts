import { basic } from './functions/basic.js';
import { exponential } from './functions/exponential.js';
import type { WgslFunction } from './functions/function.js';
import { special } from './functions/special.js';
import { trigonometric } from './functions/trigonometric.js';

/**
 * The scalar functions of the expression language in WGSL, for float32. WGSL promises little of its
 * builtins (`sin` to 2^-11, `log` near 1 to 2^-21 absolute) and lets a compiler assume that no NaN or
 * infinity occurs, so all but `sqrt` and the roundings are spelled out: range reduction in parts, a
 * minimax polynomial (fitted with mpmath's chebyfit), and bit tests for the special values.
 */
const library: Record<string, WgslFunction> = {
  ...basic,
  ...exponential,
  ...trigonometric,
  ...special,
};

/** The WGSL of the named functions and of what they call, each once, in order. */
export function functionSource(names: Iterable<string>): string {
  const done = new Set<string>();
  let source = '';
  const add = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const entry = library[name] as WgslFunction;
    entry.needs?.forEach(add);
    source += `${entry.code}\n`;
  };
  for (const name of names) add(name);
  return source;
}

/** Whether the library spells out `name`. */
export const hasFunction = (name: string): boolean => name in library;
