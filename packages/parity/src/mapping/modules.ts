import type { Tensor } from '@sconce/core';
import { ModuleValue, type Value } from '../corpus/value.js';
import { packages } from './library.js';
import { MissingFeature } from './missing.js';
import { moduleSignatures } from './module-signatures.js';
import { bind, parseSignature } from './signature.js';

type Constructor = new (...args: Value[]) => Value;

function constructorOf(holder: Record<string, unknown>, name: string): Constructor {
  const found = holder[name];
  if (typeof found !== 'function')
    throw new MissingFeature(`nn.${name}: Sconce has no such module`);
  return found as Constructor;
}

/**
 * Builds our counterpart of a module of PyTorch's.
 *
 * @throws MissingFeature if there is none.
 */
export function buildModule({ name, args, kwargs }: ModuleValue): Value {
  const short = name.replace(/^nn\./, '');
  const module = constructorOf(packages.nn as Record<string, unknown>, short);
  const given = args.map(buildInside);
  const keywords = new Map([...kwargs].map(([k, v]) => [k, buildInside(v)] as const));
  const signature = moduleSignatures[short];
  return new module(
    ...bind(name, signature === undefined ? undefined : parseSignature(signature), given, keywords),
  );
}

/** Modules among arguments are built too. */
function buildInside(value: Value): Value {
  if (value instanceof ModuleValue) return buildModule(value);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([k, v]) => [String(k), buildInside(v)]));
  }
  return Array.isArray(value) ? value.map(buildInside) : value;
}

/** A parameter of ours. */
export function parameter(data: Tensor): Value {
  return new (constructorOf(packages.nn as Record<string, unknown>, 'Parameter'))(data);
}
