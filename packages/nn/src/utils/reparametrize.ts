import { RuntimeError, type Tensor, ValueError } from '@sconce/core';
import { type ForwardPreHook, hooksOf, type Module, propertyNamed, stateKey } from '../module.js';
import { Parameter } from '../parameter.js';

/** What recomputes a parameter from others before every forward. */
interface Recomputation {
  /** Such as `weightNorm`. */
  readonly kind: string;
  readonly property: string;
  readonly remove: (module: Module) => void;
}

const recomputations = new WeakMap<ForwardPreHook, Recomputation>();

/** Own properties by name: what parametrizations replace. */
export const properties = (module: Module): Record<string, unknown> =>
  module as unknown as Record<string, unknown>;

/**
 * The property that holds a parameter, and the parameter.
 *
 * @throws ValueError if the module has none of that name.
 */
export function parameterNamed(
  operation: string,
  module: Module,
  name: string,
): { property: string; key: string; parameter: Parameter } {
  const property = propertyNamed(module, name);
  const parameter = property === undefined ? undefined : properties(module)[property];
  if (property === undefined || !(parameter instanceof Parameter)) {
    throw new ValueError(`${operation}: ${module.getName()} has no parameter '${name}'`);
  }
  return { property, key: stateKey(module, property), parameter };
}

/**
 * Replaces a parameter by a tensor that `compute` gives before every forward.
 *
 * @param initial its value until then.
 * @param remove puts a parameter back.
 */
export function recompute(
  kind: string,
  module: Module,
  property: string,
  initial: Tensor,
  compute: (module: Module) => Tensor,
  remove: (module: Module) => void,
): void {
  const hook: ForwardPreHook = (m) => {
    properties(m)[property] = compute(m);
    return undefined;
  };
  recomputations.set(hook, { kind, property, remove });
  properties(module)[property] = initial;
  module.registerForwardPreHook(hook);
}

const findHook = (kind: string, module: Module, name: string): ForwardPreHook | undefined =>
  hooksOf(module).preHooks.find((hook) => {
    const found = recomputations.get(hook);
    if (found?.kind !== kind) return false;
    return found.property === name || stateKey(module, found.property) === name;
  });

/** @throws RuntimeError if the parameter is recomputed in this way already. */
export function checkOnce(kind: string, module: Module, name: string): void {
  if (findHook(kind, module, name)) {
    throw new RuntimeError(
      `${kind}: Cannot register two ${kind} hooks on the same parameter ${name}`,
    );
  }
}

/**
 * Undoes `recompute`.
 *
 * @throws ValueError if the parameter is not recomputed in this way.
 */
export function restore(kind: string, module: Module, name: string): void {
  const hook = findHook(kind, module, name);
  if (!hook) throw new ValueError(`${kind} of '${name}' not found in ${module.getName()}`);
  hooksOf(module).preHooks.delete(hook);
  recomputations.get(hook)?.remove(module);
}
