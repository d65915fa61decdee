import { noGrad } from '@sconce/autograd';
import { formatShape, RuntimeError, sameShape, Tensor } from '@sconce/core';
import { bufferNames, entries, Module, stateKey } from './module.js';
import { Parameter } from './parameter.js';

/** Tensors by their paths, in order. */
export type StateDict = Map<string, Tensor>;

/** What `loadStateDict` did not match. */
export interface LoadResult {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
}

/** The parameters, then the persistent buffers of one module, under their state-dict names. */
function* ownState(module: Module): Generator<[string, Tensor]> {
  const buffers = bufferNames(module);
  const own = entries(module);
  for (const [name, value] of own) {
    if (value instanceof Parameter) yield [stateKey(module, name), value];
  }
  for (const [name, value] of own) {
    if (buffers.get(name)?.persistent && value instanceof Tensor)
      yield [stateKey(module, name), value];
  }
}

function* liveState(module: Module, prefix: string): Generator<[string, Tensor]> {
  for (const [name, value] of ownState(module)) yield [prefix + name, value];
  for (const [name, child] of entries(module)) {
    if (child instanceof Module) yield* liveState(child, `${prefix}${stateKey(module, name)}.`);
  }
}

/** The state dict of a module: shared parameters appear under each of their names. */
export function collectState(module: Module, prefix: string): StateDict {
  return new Map([...liveState(module, prefix)].map(([key, value]) => [key, value.detach()]));
}

/** Copies a state dict into a module. */
export function loadState(
  module: Module,
  state: StateDict | Readonly<Record<string, Tensor>>,
  strict: boolean,
): LoadResult {
  const given: ReadonlyMap<string, Tensor> =
    state instanceof Map ? state : new Map(Object.entries(state));
  const wanted = new Map(liveState(module, ''));
  const missingKeys = [...wanted.keys()].filter((key) => !given.has(key));
  const unexpectedKeys = [...given.keys()].filter((key) => !wanted.has(key));
  const problems: string[] = [];
  const list = (keys: string[]) => keys.map((k) => `"${k}"`).join(', ');
  if (strict && unexpectedKeys.length > 0)
    problems.push(`Unexpected key(s) in state_dict: ${list(unexpectedKeys)}.`);
  if (strict && missingKeys.length > 0)
    problems.push(`Missing key(s) in state_dict: ${list(missingKeys)}.`);
  for (const [key, target] of wanted) {
    const source = given.get(key);
    if (!source) continue;
    if (!(source instanceof Tensor)) problems.push(`${key} is not a tensor.`);
    else if (!sameShape(source.shape, target.shape)) {
      problems.push(
        `size mismatch for ${key}: copying a param with shape ${formatShape(source.shape)} from checkpoint, the shape in current model is ${formatShape(target.shape)}.`,
      );
    }
  }
  if (problems.length > 0) {
    throw new RuntimeError(
      `Error(s) in loading state_dict for ${module.getName()}:\n\t${problems.join('\n\t')}`,
    );
  }
  noGrad(() => {
    for (const [key, target] of wanted) {
      const source = given.get(key);
      if (source) target.copy_(source);
    }
  });
  return { missingKeys, unexpectedKeys };
}
