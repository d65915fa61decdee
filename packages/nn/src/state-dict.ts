import { noGrad } from '@sconce/autograd';
import {
  canMove,
  canRead,
  formatShape,
  kindOf,
  RuntimeError,
  sameShape,
  Tensor,
} from '@sconce/core';
import type { Module } from './module.js';
import { registry } from './registry.js';
import { checkTree, join, paths } from './tree.js';

/** What a state dict says of one module: the version of its layout, by which older ones are told. */
export interface ModuleMetadata {
  readonly version?: number;
  readonly [entry: string]: unknown;
}

/** Tensors by their paths, in order. */
export interface StateDict extends Map<string, Tensor> {
  /** What is said of each module, by its path. */
  _metadata?: ReadonlyMap<string, ModuleMetadata> | Readonly<Record<string, ModuleMetadata>>;
}

/** What a hook before loading sees of the state dict that is loaded. */
export interface LoadContext {
  /** The tensors that will be loaded: a copy of the map, to be changed at will. */
  readonly state: Map<string, Tensor>;
  /** What the module's keys begin with: empty, or a path and a dot. */
  readonly prefix: string;
  /** What was saved about this module; empty where nothing was. */
  readonly metadata: ModuleMetadata;
  /** Sentences about what cannot be loaded; with one of them, nothing is. */
  readonly problems: string[];
}

/** Called before a state dict is loaded into a module, as to bring an older layout up to date. */
export type LoadStateDictPreHook = (module: Module, context: LoadContext) => void;

/** What `loadStateDict` did not match. */
export interface LoadResult {
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
}

/** The parameters, then the persistent buffers of one module, under their state-dict names. */
function* ownState(module: Module): Generator<[string, Tensor]> {
  const { parameters, buffers, transient } = registry(module);
  yield* parameters.present();
  for (const [name, value] of buffers.present()) if (!transient.has(name)) yield [name, value];
}

function* liveState(module: Module, prefix: string): Generator<[string, Tensor]> {
  for (const [path, each] of paths(module, '')) {
    for (const [name, value] of ownState(each)) yield [prefix + join(path, name), value];
  }
}

/** The state dict of a module: shared parameters appear under each of their names. */
export function collectState(module: Module, prefix: string): StateDict {
  checkTree('stateDict', module);
  const state: StateDict = new Map();
  for (const [key, value] of liveState(module, prefix)) state.set(key, value.detach());
  const metadata = new Map<string, ModuleMetadata>();
  const parent = prefix.replace(/\.$/, '');
  for (const [path, each] of paths(module, parent)) metadata.set(path, { ...metadataOf(each) });
  // Not enumerable: a state dict is compared and copied by its tensors.
  Object.defineProperty(state, '_metadata', {
    value: metadata,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  return state;
}

const metadataOf = (module: Module): ModuleMetadata => ({
  version: (module.constructor as typeof Module).stateVersion,
  ...registry(module).stateMetadata,
});

const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;

/** The entries of what is loaded, and what it says of modules. */
function given(state: unknown): {
  tensors: Map<string, Tensor>;
  metadata: (path: string) => ModuleMetadata;
} {
  const plain =
    typeof state === 'object' &&
    state !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(state) as object | null);
  if (!(state instanceof Map) && !plain) {
    const hint =
      state instanceof Promise
        ? '; it has to be awaited'
        : typeof (state as { stateDict?: unknown } | undefined | null)?.stateDict === 'function'
          ? '; its stateDict() is one'
          : '';
    throw new TypeError(
      `loadStateDict: expected a Map of tensors or a plain object, got ${kindOf(typeof state === 'function' ? {} : state)}${hint}`,
    );
  }
  const saved = (state as StateDict)._metadata;
  // A plain object's entry of that name is what was said of modules, unless it is a tensor.
  const entries = state instanceof Map ? state : Object.entries(state as Record<string, Tensor>);
  const tensors = new Map<string, Tensor>(entries as Iterable<[string, Tensor]>);
  if (!(state instanceof Map) && !isTensor(saved)) tensors.delete('_metadata');
  return {
    tensors,
    metadata: (path) =>
      (saved instanceof Map
        ? saved.get(path)
        : (saved as Readonly<Record<string, ModuleMetadata>> | undefined)?.[path]) ?? {},
  };
}

/** Says how keys that are all below a common name become those of the module, or the other way round. */
function prefixHint(keys: readonly string[], wanted: readonly string[]): string | undefined {
  const known = new Set(wanted);
  const head = (names: readonly string[]): string | undefined => {
    const prefix = names[0]?.slice(0, names[0].indexOf('.') + 1);
    return prefix && names.every((name) => name.startsWith(prefix)) ? prefix : undefined;
  };
  const longer = head(keys);
  const bare = longer ? keys.map((key) => key.slice(longer.length)) : [];
  if (longer && bare.some((key) => known.has(key) && !known.has(longer + key))) {
    const argument = longer === 'module.' ? '' : `, '${longer}'`;
    return `All keys begin with "${longer}"${longer === 'module.' ? ', as those of data-parallel training do' : ''}: stripPrefix(state${argument}) of @sconce/serialization takes it off.`;
  }
  const shorter = head(wanted);
  if (shorter && keys.some((key) => known.has(shorter + key) && !known.has(key))) {
    return `All keys of the module begin with "${shorter}": addPrefix(state, '${shorter}') of @sconce/serialization adds it.`;
  }
  return undefined;
}

/**
 * A state dict whose tensors can be copied into a module at once: those that cannot, wherever in it they belong, are brought
 * to the cpu.
 */
export async function withinReach(
  module: Module,
  state: StateDict | Readonly<Record<string, Tensor>>,
): Promise<StateDict> {
  const devices = new Set([...liveState(module, '')].map(([, target]) => target.device));
  const near = [...given(state).tensors].map(async ([key, source]): Promise<[string, Tensor]> => {
    const far = isTensor(source) && [...devices].some((device) => !canMove(source.device, device));
    return [key, far ? await source.detach().toAsync('cpu') : source];
  });
  const reached: StateDict = new Map(await Promise.all(near));
  const { _metadata } = state as StateDict;
  if (_metadata && !isTensor(_metadata)) reached._metadata = _metadata;
  return reached;
}

/** Copies a state dict into a module: all of it, or nothing. */
export function loadState(
  module: Module,
  from: StateDict | Readonly<Record<string, Tensor>>,
  strict: boolean,
): LoadResult {
  checkTree('loadStateDict', module);
  const { tensors, metadata } = given(from);
  const problems: string[] = [];
  const original = [...tensors.keys()];
  for (const [path, each] of paths(module, '')) {
    const context = {
      state: tensors,
      prefix: path === '' ? '' : `${path}.`,
      metadata: metadata(path),
      problems,
    };
    for (const hook of registry(each).loadHooks) hook(each, context);
  }
  const wanted = new Map(liveState(module, ''));
  const missingKeys = [...wanted.keys()].filter((key) => !tensors.has(key));
  const unexpectedKeys = [...tensors.keys()].filter((key) => !wanted.has(key));
  const list = (keys: string[]) => keys.map((k) => `"${k}"`).join(', ');
  if (strict && unexpectedKeys.length > 0)
    problems.push(`Unexpected key(s) in state_dict: ${list(unexpectedKeys)}.`);
  if (strict && missingKeys.length > 0)
    problems.push(`Missing key(s) in state_dict: ${list(missingKeys)}.`);
  if (strict && unexpectedKeys.length > 0) {
    const hint = prefixHint(original, [...wanted.keys()]);
    if (hint) problems.push(hint);
  }
  const copies: [Tensor, Tensor][] = [];
  for (const [key, target] of wanted) {
    if (!tensors.has(key)) continue;
    const source: unknown = tensors.get(key);
    if (!isTensor(source)) {
      problems.push(`${key} is not a tensor but ${kindOf(source)}.`);
      continue;
    }
    const fits = sameShape(source.shape, target.shape);
    // Of one element, as files of PyTorch 0.3 hold what has no dimensions today.
    const single = target.shape.length === 0 && source.shape.length === 1 && source.shape[0] === 1;
    if (!fits && !single) {
      problems.push(
        `size mismatch for ${key}: copying a param with shape ${formatShape(source.shape)} from checkpoint, the shape in current model is ${formatShape(target.shape)}.`,
      );
    } else copies.push([target, fits ? source : source.select(0, 0)]);
  }
  if (problems.length > 0) {
    throw new RuntimeError(
      `Error(s) in loading state_dict for ${module.getName()}:\n\t${problems.join('\n\t')}`,
    );
  }
  const far = copies.find(
    ([target, source]) => !canMove(source.device, target.device) && !canRead(source),
  );
  if (far) {
    const [target, source] = far;
    throw new RuntimeError(
      `loadStateDict: tensors on device '${source.device}' can only be read asynchronously, and are wanted on '${target.device}'; use \`await model.loadStateDictAsync(state)\``,
    );
  }
  noGrad(() => {
    for (const [target, source] of copies) target.copy_(source);
  });
  return { missingKeys, unexpectedKeys };
}
