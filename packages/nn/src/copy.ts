import { Tensor } from '@sconce/core';
import { bufferNames, entries, hooksOf, Module } from './module.js';
import { Parameter } from './parameter.js';

/**
 * A module of the same class with the same settings and its own copies of parameters, buffers and submodules.
 * No constructor runs, so that no random numbers are drawn; the copy has the same hooks, and no `#private` fields.
 */
export const copyModule = <M extends Module>(module: M): M =>
  copied(module, new Map<object, object>()) as M;

function copied(module: Module, done: Map<object, object>): Module {
  const known = done.get(module);
  if (known) return known as Module;
  const copy = Reflect.construct(Module, [], module.constructor) as Module;
  done.set(module, copy);
  copy.training = module.training;
  const buffers = bufferNames(module);
  for (const [name, value] of entries(module)) {
    const buffer = buffers.get(name);
    const own = copiedValue(value, done);
    if (buffer) copy.registerBuffer(name, own as Tensor | null, buffer);
    else Object.defineProperty(copy, name, { ...propertyOf(module, name), value: own });
  }
  // Those that compute a parametrized weight, and the name that goes with it.
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
    if (property.configurable && !property.enumerable) Object.defineProperty(copy, name, property);
  }
  const [hooks, own] = [hooksOf(module), hooksOf(copy)];
  for (const hook of hooks.preHooks) own.preHooks.add(hook);
  for (const hook of hooks.forwardHooks) own.forwardHooks.add(hook);
  return copy;
}

const propertyOf = (module: Module, name: string): PropertyDescriptor | undefined =>
  Object.getOwnPropertyDescriptor(module, name);

/** Tensors and modules that stand in several places are copied once. */
function copiedValue(value: unknown, done: Map<object, object>): unknown {
  if (value instanceof Module) return copied(value, done);
  if (!(value instanceof Tensor)) return value;
  const known = done.get(value);
  if (known) return known;
  const data = value.detach().clone();
  const copy = value instanceof Parameter ? new Parameter(data, value.requiresGrad) : data;
  done.set(value, copy);
  return copy;
}
