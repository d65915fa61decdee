import { Tensor, takes } from '@sconce/core';
import { Module } from './module.js';
import { Parameter } from './parameter.js';
import { register, registry } from './registry.js';
import * as signatures from './signatures.js';

/**
 * A deep copy: a module of the same class with the same settings and its own parameters (with their gradients), buffers and
 * submodules; what stands in several places is copied once. Arrays, plain objects, Maps, Sets and typed arrays among
 * the properties are copied too, functions and instances of other classes are shared. No constructor runs, so
 * no random numbers are drawn; the copy has the same hooks, but no `#private` fields. `structuredClone` throws on a module.
 *
 * @see https://docs.python.org/3/library/copy.html#copy.deepcopy
 * @example const average = copyModule(model).requiresGrad_(false);
 */
export function copyModule<M extends Module>(module: M): M {
  takes('copyModule', signatures.copyModule, arguments);
  if (!(module instanceof Module)) {
    throw new TypeError(`copyModule: expected a module, got ${typeof module}`);
  }
  return copied(module, new Map<object, object>()) as M;
}

function copied(module: Module, done: Map<object, object>): Module {
  const known = done.get(module);
  if (known) return known as Module;
  const copy = Reflect.construct(Module, [], module.constructor) as Module;
  done.set(module, copy);
  const [from, to] = [registry(module), registry(copy)];
  to.training = from.training;
  for (const kind of ['parameters', 'buffers', 'modules'] as const) {
    for (const [name, value] of from[kind]) register(to, kind, name, copiedValue(value, done));
  }
  for (const name of from.transient) to.transient.add(name);
  // Settings; and what computes a parametrized weight, with the name that goes with it.
  for (const key of Reflect.ownKeys(module)) {
    const property = Reflect.getOwnPropertyDescriptor(module, key) as PropertyDescriptor;
    if (!property.configurable || Object.hasOwn(copy, key)) continue;
    if ('value' in property) property.value = copiedValue(property.value, done);
    Object.defineProperty(copy, key, property);
  }
  for (const hook of from.preHooks) to.preHooks.add(hook);
  for (const hook of from.forwardHooks) to.forwardHooks.add(hook);
  for (const hook of from.loadHooks) to.loadHooks.add(hook);
  Object.assign(to.stateMetadata, from.stateMetadata);
  return copy;
}

/** Tensors, modules and collections that stand in several places are copied once. */
function copiedValue(value: unknown, done: Map<object, object>): unknown {
  if (value instanceof Module) return copied(value, done);
  if (typeof value !== 'object' || value === null) return value;
  const known = done.get(value);
  if (known) return known;
  if (value instanceof Tensor) {
    const copy = copiedTensor(value);
    done.set(value, copy);
    return copy;
  }
  const keep = <T extends object>(copy: T, fill: (copy: T) => void): T => {
    done.set(value, copy);
    fill(copy);
    return copy;
  };
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Array.prototype) {
    const items = value as unknown[];
    return keep(new Array<unknown>(items.length), (copy) => {
      for (const i of items.keys()) copy[i] = copiedValue(items[i], done);
    });
  }
  if (prototype === Map.prototype) {
    return keep(new Map<unknown, unknown>(), (copy) => {
      for (const [k, v] of value as Map<unknown, unknown>)
        copy.set(copiedValue(k, done), copiedValue(v, done));
    });
  }
  if (prototype === Set.prototype) {
    return keep(new Set<unknown>(), (copy) => {
      for (const v of value as Set<unknown>) copy.add(copiedValue(v, done));
    });
  }
  if (prototype === Object.prototype || prototype === null) {
    return keep(Object.create(prototype) as Record<string, unknown>, (copy) => {
      for (const [k, v] of Object.entries(value)) copy[k] = copiedValue(v, done);
    });
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const copy = (value as Uint8Array).slice();
    done.set(value, copy);
    return copy;
  }
  return value;
}

function copiedTensor(value: Tensor): Tensor {
  const data = value.detach().clone();
  const copy = value instanceof Parameter ? new Parameter(data, value.requiresGrad) : data;
  if (!(value instanceof Parameter) && value.isLeaf && value.requiresGrad) copy.requiresGrad_();
  if (value.grad) copy.grad = value.grad.detach().clone();
  return copy;
}
