import { Tensor } from '@sconce/core';
import { bufferNames, entries, Module } from './module.js';
import { Parameter } from './parameter.js';

/**
 * A module of the same class with the same settings and its own copies of parameters, buffers and submodules.
 * No constructor runs, so that no random numbers are drawn; hooks and `#private` fields are not copied.
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
