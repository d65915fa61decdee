import type { Tensor } from '@sconce/core';
import { type Module, utils } from '@sconce/nn';
import { ModuleValue, PackedValue, TorchPath, type Value } from '../corpus/value.js';
import { callTorch } from './call.js';
import { classNamed } from './library.js';
import { moduleSignatures } from './module-signatures.js';
import { bind, parseSignature, type Signature } from './signature.js';

const signatureNamed = (name: string): Signature | undefined => {
  const text = moduleSignatures[name];
  return text === undefined ? undefined : parseSignature(text);
};

const shortName = (name: string): string => name.replace(/^(torch\.)?nn\./, '');

/**
 * Builds our counterpart of a module of PyTorch's.
 *
 * @throws MissingFeature if there is none.
 */
export function buildModule({ name, args, kwargs }: ModuleValue): Module {
  const short = shortName(name);
  const module = classNamed('nn', short);
  const given = args.map(buildInside);
  const keywords = new Map([...kwargs].map(([k, v]) => [k, buildInside(v)] as const));
  return new module(...bind(name, signatureNamed(short), given, keywords)) as Module;
}

/** Calls a module as its `forward` of PyTorch's is called. */
export function callModule(
  name: string,
  module: Module,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value {
  const signature = signatureNamed(`${shortName(name)}.forward`);
  const given = bind(name, signature, args.map(packed), kwargs);
  return (module as unknown as (...a: Value[]) => Value)(...given);
}

/** Our packed sequence for one of PyTorch's; other values as they are. */
export function packed(value: Value): Value {
  if (!(value instanceof PackedValue)) return value;
  const [data, batchSizes, sorted, unsorted] = value.fields as Tensor[];
  return new utils.rnn.PackedSequence(data as Tensor, batchSizes as Tensor, sorted, unsorted);
}

/** Modules among arguments are built too; callables of PyTorch's become ours. */
function buildInside(value: Value): Value {
  if (value instanceof ModuleValue) return buildModule(value);
  if (value instanceof TorchPath) {
    return (...args: Value[]) => callTorch(value.path, args, new Map());
  }
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([k, v]) => [String(k), buildInside(v)]));
  }
  return Array.isArray(value) ? Array.from(value, buildInside) : value;
}

/** A parameter of ours. */
export const parameter = (data: Tensor): Value => new (classNamed('nn', 'Parameter'))(data);
