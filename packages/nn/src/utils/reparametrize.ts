import { noGrad } from '@sconce/autograd';
import { RuntimeError, type Tensor, ValueError } from '@sconce/core';
import type { ForwardPreHook, Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { propertyNamed, registry, stateKey } from '../registry.js';

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
 * @param parts the parameters and buffers that it is computed from, which go where this is undone.
 * @param initial its value until the first forward.
 * @param present its value as it is, which is the parameter's where this is undone; default by `compute`.
 */
export function recompute(
  kind: string,
  module: Module,
  property: string,
  parts: readonly string[],
  initial: Tensor,
  compute: (module: Module) => Tensor,
  present: (module: Module) => Tensor = compute,
): void {
  const hook: ForwardPreHook = (m) => {
    properties(m)[property] = compute(m);
    return undefined;
  };
  const remove = (m: Module): void => {
    const value = noGrad(() => present(m));
    for (const part of parts) Reflect.deleteProperty(m, part);
    properties(m)[property] = new Parameter(value);
  };
  recomputations.set(hook, { kind, property, remove });
  properties(module)[property] = initial;
  module.registerForwardPreHook(hook);
}

const findHook = (kind: string, module: Module, name: string): ForwardPreHook | undefined =>
  registry(module).preHooks.find((hook) => {
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
  registry(module).preHooks.delete(hook);
  recomputations.get(hook)?.remove(module);
}
