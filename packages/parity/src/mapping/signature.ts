import { Float, Tensor } from '@sconce/core';
import { PackedValue, type Value } from '../corpus/value.js';
import { PyFunction } from '../python/objects.js';
import { classNamed } from './library.js';
import { camelCase } from './names.js';

/** One parameter of a PyTorch function, and how ours takes it. */
interface Parameter {
  /** PyTorch's name. */
  readonly name: string;
  /** Ours: the key in the options, where it stands there. */
  readonly key: string;
  /**
   * `operand` keeps whole floats apart from ints; `exact` makes ints bigints, which mean int64; `word` is a string
   * that we write in camelCase; `nullable` has a meaning of its own for None.
   */
  readonly kind: 'plain' | 'operand' | 'exact' | 'word' | 'nullable';
  /** Takes all the positional arguments that are left, as one array. */
  readonly rest: boolean;
}

/** PyTorch's parameters in order, of which those from `options` on stand in our trailing options object. */
export interface Signature {
  /** Our function, where it is not PyTorch's name in camelCase. */
  readonly target: string | undefined;
  readonly parameters: readonly Parameter[];
  readonly positional: number;
}

/**
 * Reads a signature of the mapping: `input dim | keepdim dtype` are two positional parameters and two options.
 * `other~` is an operand that promotes, `value!` a value whose ints are int64, `*tensors` takes what is left,
 * `dim?` may be null, which is more than absent, `dim:axis` has another name in our options, and `vectorNorm(...)` names our function.
 */
export function parseSignature(text: string): Signature {
  const found = /^([\w.]+)\((.*)\)$/.exec(text.trim());
  const [before, after] = (found ? (found[2] as string) : text).split('|');
  const list = (part: string | undefined) => (part ?? '').split(/\s+/).filter(Boolean);
  const positional = list(before);
  return {
    target: found?.[1],
    parameters: [...positional, ...list(after)].map(parseParameter),
    positional: positional.length,
  };
}

const kinds: Record<string, Parameter['kind']> = {
  '~': 'operand',
  '!': 'exact',
  '^': 'word',
  '?': 'nullable',
};

function parseParameter(text: string): Parameter {
  const [, star, name, flag, key] = /^(\*?)(\w+)([~!^?]?)(?::(\w+))?$/.exec(text) as unknown as [
    string,
    string,
    string,
    string,
    string | undefined,
  ];
  return {
    name,
    key: key ?? camelCase(name),
    kind: kinds[flag] ?? 'plain',
    rest: star === '*',
  };
}

/** Arguments that say where and how PyTorch allocates, which have no counterpart. */
const withoutCounterpart = new Set(['layout', 'pin_memory', 'non_blocking']);

/** Names of PyTorch's parameters that are positional where no signature says more. */
const usuallyPositional = new Set(
  'input self other dim dims index src source mask target weight bias tensors size shape repeats value exponent'.split(
    ' ',
  ),
);

/** The arguments of a call as ours takes them. */
export function bind(
  path: string,
  signature: Signature | undefined,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value[] {
  return signature ? bindTo(path, signature, args, kwargs) : bindFreely(args, kwargs);
}

function bindTo(
  path: string,
  { parameters, positional }: Signature,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): Value[] {
  const bound = new Map<Parameter, Value>();
  const restAt = parameters.findIndex((p) => p.rest);
  for (const [i, arg] of args.entries()) {
    const parameter = parameters[i];
    if (i === restAt) {
      const rest = args.slice(i);
      bound.set(parameters[i] as Parameter, rest.length === 1 && Array.isArray(arg) ? arg : rest);
      break;
    }
    if (parameter) bound.set(parameter, arg);
  }
  if (restAt < 0 && args.length > parameters.length) {
    throw new UnmappedArgument(
      `${path}: ${args.length} positional arguments, the mapping knows ${parameters.length}`,
    );
  }
  for (const [name, value] of kwargs) {
    if (withoutCounterpart.has(name)) continue;
    const parameter =
      parameters.find((p) => p.name === name) ??
      (name === 'input' || name === 'self' ? parameters[0] : undefined) ??
      common.find((p) => p.name === name);
    if (!parameter) throw new UnmappedArgument(`${path}: the mapping has no parameter '${name}'`);
    bound.set(parameter, value);
  }
  const result: Value[] = [];
  for (let i = 0; i < positional; i++) {
    const parameter = parameters[i] as Parameter;
    const value = bound.get(parameter);
    const none = value === null && parameter.kind === 'nullable';
    result.push(none ? null : convert(value, parameter.kind));
  }
  const options: Record<string, Value> = {};
  for (const [parameter, value] of bound) {
    if (parameters.indexOf(parameter) >= 0 && parameters.indexOf(parameter) < positional) continue;
    // PyTorch's own bookkeeping, unless it has a name here.
    if (parameter.name.startsWith('_') && parameter.key === camelCase(parameter.name)) continue;
    if (value === null && parameter.kind === 'nullable') options[parameter.key] = null;
    else if (value !== null && value !== undefined)
      options[parameter.key] = convert(value, parameter.kind);
  }
  return withOptions(result, options);
}

/** Options that many functions take. */
const common = 'dtype device requires_grad generator memory_format out'
  .split(' ')
  .map(parseParameter);

function bindFreely(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value[] {
  const result = args.map((x) => convert(x, 'operand'));
  const options: Record<string, Value> = {};
  for (const [name, value] of kwargs) {
    if (withoutCounterpart.has(name)) continue;
    if (usuallyPositional.has(name)) result.push(convert(value, 'operand'));
    else if (value !== null) options[camelCase(name)] = convert(value, 'plain');
  }
  return withOptions(result, options);
}

/** Positional arguments, without those absent at the end, and the options, if there are any. */
function withOptions(positional: Value[], options: Record<string, Value>): Value[] {
  if (Object.keys(options).length > 0) return [...positional, options];
  let length = positional.length;
  while (length > 0 && positional[length - 1] === undefined) length--;
  return positional.slice(0, length);
}

/** A Python value as our functions take it. */
export function convert(value: Value, kind: Parameter['kind'] = 'plain'): Value {
  if (value === null) return undefined;
  return convertInside(value, kind);
}

function convertInside(value: Value, kind: Parameter['kind']): Value {
  if (value instanceof Float) {
    return (kind === 'operand' || kind === 'exact') && Number.isInteger(value.value)
      ? value
      : value.value;
  }
  if (typeof value === 'number' && kind === 'exact') return BigInt(value);
  if (typeof value === 'string' && kind === 'word') return camelCase(value);
  if (value instanceof PackedValue) {
    return new (classNamed('nn', 'PackedSequence'))(...value.fields);
  }
  if (value instanceof PyFunction) return (...args: Value[]) => value.call(args, new Map());
  if (value instanceof Tensor || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return Array.from(value, (item) => convertInside(item, kind));
  return value;
}

/** A call that the mapping cannot express: our API, or the mapping, lacks something PyTorch has. */
export class UnmappedArgument extends Error {
  override name = 'UnmappedArgument';
}
