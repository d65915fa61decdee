import { kindOf, RuntimeError, Tensor } from '@sconce/core';
import { Hooks } from './hooks.js';
import type { ForwardHook, ForwardPreHook, Module } from './module.js';
import { Parameter } from './parameter.js';
import type { LoadStateDictPreHook } from './state-dict.js';

/** What a module keeps beside its properties. */
export interface Registry {
  /** The object behind the proxy that a module is. */
  readonly target: object;
  readonly module: Module;
  readonly names: Names;
  training: boolean;
  readonly parameters: Members<Parameter>;
  readonly buffers: Members<Tensor>;
  readonly modules: Members<Module>;
  /** Keys of the buffers that are no part of state dicts. */
  readonly transient: Set<string>;
  readonly preHooks: Hooks<ForwardPreHook>;
  readonly forwardHooks: Hooks<ForwardHook>;
  readonly loadHooks: Hooks<LoadStateDictPreHook>;
  /** What state dicts say of the module, beside its version. */
  readonly stateMetadata: Record<string, unknown>;
}

type Kind = 'parameters' | 'buffers' | 'modules';
const kinds: readonly Kind[] = ['parameters', 'buffers', 'modules'];

const registries = new WeakMap<object, Registry>();

/** What a module keeps beside its properties. */
export const registry = (module: object): Registry => registries.get(module) as Registry;

const isModule = (value: unknown): value is Module =>
  typeof value === 'function' && registries.has(value);

/** Property names and the names that stand for them in state dicts, where they differ. */
class Names {
  readonly #keys: ReadonlyMap<string, string>;
  readonly #properties: ReadonlyMap<string, string>;

  constructor(stateKeys: Readonly<Record<string, string>>) {
    this.#keys = new Map(Object.entries(stateKeys));
    this.#properties = new Map([...this.#keys].map(([property, key]) => [key, property]));
  }

  /** The name in state dicts of a property, or of itself. */
  key(name: string): string {
    return this.#keys.get(name) ?? name;
  }

  /** The property of that name, or of that name in state dicts. */
  property(name: string): string {
    return this.#properties.get(name) ?? name;
  }
}

const namesOf = new WeakMap<object, Names>();

function names(stateKeys: Readonly<Record<string, string>>): Names {
  let found = namesOf.get(stateKeys);
  if (!found) {
    found = new Names(stateKeys);
    namesOf.set(stateKeys, found);
  }
  return found;
}

/**
 * The parameters, buffers or direct submodules of a module, by name and in the order in which they were first
 * assigned: a map whose changes are changes of the module. Keys are those of state dicts; names of properties are
 * understood too.
 */
export class Members<T> extends Map<string, T | null> {
  readonly #registry: Registry;
  readonly #kind: Kind;

  /** @internal Made with its module. */
  constructor(owner: Registry, kind: Kind) {
    super();
    this.#registry = owner;
    this.#kind = kind;
  }

  override get(name: string): T | null | undefined {
    return super.get(this.#registry.names.key(name));
  }

  override has(name: string): boolean {
    return super.has(this.#registry.names.key(name));
  }

  /** Registers a member, or null for one that is absent; of the property, too. */
  override set(name: string, value: T | null): this {
    const { modules, parameters, buffers } = this.#registry;
    const others = [modules, parameters, buffers] as readonly Members<unknown>[];
    // A member of another kind gives way, as it does to an assignment.
    const replaces = others.some((other) => other.has(name));
    register(this.#registry, this.#kind, name, value, { replaces });
    return this;
  }

  /** Takes a member off, and the property. */
  override delete(name: string): boolean {
    const { module, names } = this.#registry;
    return this.has(name) && Reflect.deleteProperty(module, names.property(name));
  }

  override clear(): void {
    for (const name of [...this.keys()]) this.delete(name);
  }

  /** Those that are not absent. */
  *present(): Generator<[string, T]> {
    for (const [key, value] of this) if (value !== null) yield [key, value];
  }

  /** @internal Notes a member whose property is taken care of. */
  note(key: string, value: T | null): void {
    super.set(key, value);
  }

  /** @internal Forgets a member whose property is taken care of. */
  forget(key: string): void {
    super.delete(key);
  }
}

const takes: Record<
  Kind,
  { one: string; wanted: string; is: (value: unknown) => boolean; hint: (name: string) => string }
> = {
  parameters: {
    one: 'parameter',
    wanted: 'Parameter or null expected',
    is: (value) => value instanceof Parameter,
    hint: (name) =>
      `; new Parameter(tensor) is one, and noGrad(() => module.${name}.copy_(tensor)) gives the present one other values`,
  },
  buffers: {
    one: 'buffer',
    wanted: 'Tensor or null expected',
    is: (value) => value instanceof Tensor,
    hint: (name) => `; module.${name}.fill_(number) gives the present one other values`,
  },
  modules: { one: 'child module', wanted: 'Module or null expected', is: isModule, hint: () => '' },
};

/** A value as messages about assignments show it. */
export const described = (value: unknown): string => {
  if (isModule(value)) return `the module ${value.getName()}`;
  return typeof value === 'function'
    ? `the function ${value.name || '(anonymous)'}`
    : kindOf(value);
};

function refuse(owner: Registry, kind: Kind, name: string, value: unknown): never {
  const { one, wanted, hint } = takes[kind];
  const tip =
    value === undefined
      ? `; a class that only declares the type of an inherited property writes \`declare ${name}\``
      : value instanceof Tensor || typeof value === 'number'
        ? hint(name)
        : '';
  throw new TypeError(
    `${owner.module.getName()}: cannot assign ${described(value)} as ${one} '${name}' (${wanted}${tip})`,
  );
}

function checkName(owner: Registry, kind: Kind, name: unknown): asserts name is string {
  const which = `${owner.module.getName()}: the name of a ${takes[kind].one}`;
  if (typeof name !== 'string')
    throw new TypeError(`${which} must be a string, got ${kindOf(name)}`);
  if (name === '' || name.includes('.')) {
    throw new RuntimeError(`${which} may not be empty or contain a dot, got '${name}'`);
  }
}

/** Throws if a member of that name would hide a method or accessor of the class. */
function checkFree(owner: Registry, name: string): void {
  if (name in (Object.getPrototypeOf(owner.target) as object)) {
    throw new RuntimeError(
      `${owner.module.getName()}: attribute '${name}' already exists in the class; choose another name`,
    );
  }
}

function checkLeaf(owner: Registry, name: string, value: unknown): void {
  if (value instanceof Parameter && value.gradFn) {
    throw new RuntimeError(
      `${owner.module.getName()}: cannot assign the result of an operation (${value.gradFn.name}) as parameter '${name}'; parameters are made with new Parameter(tensor), and what is computed from them is computed in forward`,
    );
  }
}

/** Says where a value belongs from now on. */
function note(owner: Registry, kind: Kind, property: string, value: unknown): void {
  const key = owner.names.key(property);
  for (const other of kinds) {
    if (other === kind || !owner[other].has(key)) continue;
    owner[other].forget(key);
    if (other === 'buffers') owner.transient.delete(key);
  }
  (owner[kind] as Members<unknown>).note(key, value);
}

/**
 * Registers a member under a name, and makes it the property of that name.
 *
 * @throws TypeError if the value is of another kind; RuntimeError if the name cannot be taken.
 */
export function register(
  owner: Registry,
  kind: Kind,
  name: string,
  value: unknown,
  options: { replaces?: boolean } = {},
): void {
  checkName(owner, kind, name);
  const property = owner.names.property(name);
  checkFree(owner, property);
  if (value !== null && !takes[kind].is(value)) refuse(owner, kind, name, value);
  checkLeaf(owner, name, kind === 'parameters' ? value : null);
  if (!options.replaces && !owner[kind].has(name)) {
    // Fields that are declared, or null until the constructor gets there, are there already.
    const present = Reflect.get(owner.target, property) as unknown;
    if (present !== undefined && present !== null) {
      throw new RuntimeError(
        `${owner.module.getName()}: attribute '${name}' already exists, as ${described(present)}`,
      );
    }
  }
  note(owner, kind, property, value);
  const descriptor = { value, writable: true, enumerable: true, configurable: true };
  Reflect.defineProperty(owner.target, property, descriptor);
}

/** What the assignment of a value to a property registers it as, if at all. */
function kindOfAssignment(owner: Registry, property: string, value: unknown): Kind | undefined {
  if (value instanceof Parameter) return 'parameters';
  if (owner.parameters.has(property)) return 'parameters';
  if (isModule(value)) return 'modules';
  return kinds.find((kind) => owner[kind].has(property));
}

/** Sees every assignment and every field of a class: both define a property. */
const handler: ProxyHandler<object> = {
  defineProperty(target, property, descriptor) {
    if (typeof property !== 'string') return Reflect.defineProperty(target, property, descriptor);
    const owner = registry(target);
    if (!('value' in descriptor)) {
      // An accessor computes what was registered, or an attribute such as writable is changed.
      if (descriptor.get || descriptor.set) drop(owner, property);
      return Reflect.defineProperty(target, property, descriptor);
    }
    const { value } = descriptor as { value: unknown };
    const kind = kindOfAssignment(owner, property, value);
    if (kind === undefined) return Reflect.defineProperty(target, property, descriptor);
    if (value !== null && !takes[kind].is(value)) refuse(owner, kind, property, value);
    checkName(owner, kind, property);
    checkFree(owner, property);
    checkLeaf(owner, property, value);
    const defined = Reflect.defineProperty(target, property, descriptor);
    if (defined) note(owner, kind, property, value);
    return defined;
  },

  deleteProperty(target, property) {
    const deleted = Reflect.deleteProperty(target, property);
    if (deleted && typeof property === 'string') drop(registry(target), property);
    return deleted;
  },
};

function drop(owner: Registry, property: string): void {
  const key = owner.names.key(property);
  for (const kind of kinds) owner[kind].forget(key);
  owner.transient.delete(key);
}

/** Makes the module that an object is seen as: what is assigned to it is registered in order. */
export function adopt(target: object, stateKeys: Readonly<Record<string, string>>): Module {
  const module = new Proxy(target, handler) as Module;
  const owner = {
    target,
    module,
    names: names(stateKeys),
    training: true,
    transient: new Set<string>(),
    preHooks: new Hooks<ForwardPreHook>(),
    forwardHooks: new Hooks<ForwardHook>(),
    loadHooks: new Hooks<LoadStateDictPreHook>(),
    stateMetadata: {},
  } as unknown as { -readonly [K in keyof Registry]: Registry[K] };
  owner.parameters = new Members<Parameter>(owner, 'parameters');
  owner.buffers = new Members<Tensor>(owner, 'buffers');
  owner.modules = new Members<Module>(owner, 'modules');
  registries.set(target, owner);
  registries.set(module, owner);
  return module;
}

/** The property of that name, or of that name in state dicts; undefined if the module has none. */
export function propertyNamed(module: Module, name: string): string | undefined {
  const owner = registry(module);
  const property = owner.names.property(name);
  return Object.hasOwn(owner.target, property) ? property : undefined;
}

/** The name of a property in state dicts. */
export const stateKey = (module: Module, property: string): string =>
  registry(module).names.key(property);
