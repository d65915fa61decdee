import { IndexError, RuntimeError, Tensor } from '@sconce/core';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { described, type Members, register, registry } from '../registry.js';

type Kind = 'parameters' | 'modules';

/** A module, or an error that says where something else stands and what to do about it. */
export function asModule<M extends Module>(operation: string, place: string, value: M): M {
  if (value instanceof Module) return value;
  const given: unknown = value;
  const isClass = typeof given === 'function' && given.prototype instanceof Module;
  const hint = isClass
    ? `; did you mean new ${(given as { name: string }).name}(...)?`
    : typeof given === 'function'
      ? '; a module that calls it is `class Call extends nn.Module { forward(x) { return f(x); } }`'
      : Array.isArray(given)
        ? '; spread a list: `new Sequential(...list)`'
        : '';
  const what = isClass ? `the class ${(given as { name: string }).name}` : described(given);
  throw new TypeError(`${operation}: ${place} must be a module, got ${what}${hint}`);
}

/** The elements of something iterable, or an error that names what it was. */
export function elementsOf<T>(operation: string, values: Iterable<T>): T[] {
  const given: unknown = values;
  const iterable =
    (typeof given === 'object' || typeof given === 'function') &&
    given !== null &&
    Symbol.iterator in given &&
    !(given instanceof Tensor);
  if (!iterable) {
    throw new TypeError(`${operation}: expected a list, as [a, b], got ${described(given)}`);
  }
  return [...values];
}

/** The names and values of a Map, a plain object, or pairs. */
export function pairsOf<T>(
  operation: string,
  values: Readonly<Record<string, T>> | Iterable<readonly [string, T]>,
): [string, T][] {
  const given: unknown = values;
  const fail = (why: string): never => {
    throw new TypeError(
      `${operation}: expected names with values, as a Map or a plain object, got ${why}`,
    );
  };
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null)
    return fail(described(given));
  if (given instanceof Tensor) return fail('a Tensor');
  if (!(Symbol.iterator in given)) {
    const prototype = Object.getPrototypeOf(given) as object | null;
    if (prototype !== Object.prototype && prototype !== null) return fail(described(given));
    return Object.entries(values as Readonly<Record<string, T>>);
  }
  return [...(values as Iterable<readonly [string, T]>)].map((pair: unknown, i) => {
    if (Array.isArray(pair) && pair.length === 2) return pair as [string, T];
    return fail(`${described(pair)} at position ${i} instead of a pair [name, value]`);
  });
}

/** What containers of numbered entries share. */
export abstract class List<T extends Module | Parameter, V = T>
  extends Module
  implements Iterable<T>
{
  /** Which of the module's members the entries are. */
  protected static readonly kind: Kind = 'modules';

  /** Number of entries. */
  override get length(): number {
    return itemsOf<T>(this).length;
  }

  /** Number of entries; as `length`. */
  get size(): number {
    return this.length;
  }

  /**
   * The entry at a position, which may count from the end.
   *
   * @throws IndexError if it is out of range.
   */
  at(index: number): T {
    const items = itemsOf<T>(this);
    return items[position(this, index, items.length)] as T;
  }

  /** Puts another entry at a position, which may count from the end; returns the container. */
  set(index: number, value: T | V): this {
    const names = [...membersOf(this).present()].map(([name]) => name);
    const name = names[position(this, index, names.length)] as string;
    register(registry(this), kindOf(this), name, this.taken(value, index));
    return this;
  }

  /** Adds an entry at the end; returns the container. */
  append(value: T | V): this {
    const name = String(this.length);
    const entry = this.taken(value, this.length);
    if (membersOf(this).has(name)) {
      throw new RuntimeError(
        `${this.getName()}.append: an entry is named '${name}' already; addModule gives another name`,
      );
    }
    register(registry(this), kindOf(this), name, entry);
    return this;
  }

  /** Adds entries at the end; returns the container. */
  extend(values: Iterable<T | V>): this {
    for (const value of elementsOf(`${this.getName()}.extend`, values)) this.append(value);
    return this;
  }

  /**
   * Puts an entry before a position, which may count from the end; those behind it move up. Returns the container.
   *
   * @throws IndexError if the position is out of range.
   */
  insert(index: number, value: T | V): this {
    const items = itemsOf<T>(this);
    const { length } = items;
    const at = index < 0 ? index + length : index;
    if (!Number.isInteger(at) || at < 0 || at > length) throw outOfRange(this, index, length);
    items.splice(at, 0, this.taken(value, index));
    renumber(this, items);
    return this;
  }

  /**
   * Takes an entry out, by default the last, and gives it; those behind it move down.
   *
   * @throws IndexError if the position is out of range.
   */
  pop(index = -1): T {
    const items = itemsOf<T>(this);
    const [taken] = items.splice(position(this, index, items.length), 1);
    renumber(this, items);
    return taken as T;
  }

  /** What `fn` gives of each entry and its position. */
  map<U>(fn: (value: T, index: number) => U): U[] {
    return itemsOf<T>(this).map((value, i) => fn(value, i));
  }

  [Symbol.iterator](): Iterator<T> {
    return itemsOf<T>(this)[Symbol.iterator]();
  }

  /** @internal The entry that a value becomes, or an error that names its place. */
  protected abstract taken(value: T | V, index: number): T;
}

const kindOf = (list: Module): Kind => (list.constructor as unknown as { kind: Kind }).kind;

const membersOf = <T extends Module | Parameter>(list: Module): Members<T> =>
  registry(list)[kindOf(list)] as Members<Module | Parameter> as Members<T>;

/** The entries of a list in order. */
export const itemsOf = <T extends Module | Parameter>(list: Module): T[] =>
  [...membersOf<T>(list).present()].map(([, value]) => value);

/** Replaces the entries of a list. */
export function renumber(list: Module, values: readonly (Module | Parameter)[]): void {
  membersOf(list).clear();
  for (const [i, value] of values.entries())
    register(registry(list), kindOf(list), String(i), value);
}

const outOfRange = (list: Module, index: number, length: number): IndexError =>
  new IndexError(`${list.getName()}: index ${index} is out of range for ${length} entries`);

/** A position counted from the front, from one that may count from the back. */
function position(list: Module, index: number, length: number): number {
  const at = index < 0 ? index + length : index;
  if (!Number.isInteger(at) || at < 0 || at >= length) throw outOfRange(list, index, length);
  return at;
}

/** Entries by name: what `ModuleDict` and `ParameterDict` share. */
export abstract class Dict<T extends Module | Parameter, V = T>
  extends Module
  implements Iterable<[string, T]>
{
  /** Which of the module's members the entries are. */
  protected static readonly kind: Kind = 'modules';

  /** Number of entries. */
  override get length(): number {
    return [...membersOf<T>(this).present()].length;
  }

  /** Number of entries; as `length`. */
  get size(): number {
    return this.length;
  }

  /** The entry of that name, if there is one. */
  get(name: string): T | undefined {
    return membersOf<T>(this).get(name) ?? undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds or replaces an entry; returns the dict. */
  set(name: string, value: T | V): this {
    register(registry(this), kindOf(this), name, this.taken(value, name));
    return this;
  }

  /** Adds or replaces entries, in the order of a Map, of pairs or of a plain object; returns the dict. */
  update(values: Readonly<Record<string, T | V>> | Iterable<readonly [string, T | V]>): this {
    for (const [name, value] of pairsOf(this.getName(), values)) this.set(name, value);
    return this;
  }

  /** Takes an entry out; whether there was one. */
  delete(name: string): boolean {
    return membersOf<T>(this).delete(name);
  }

  /**
   * Takes an entry out and gives it.
   *
   * @throws RuntimeError if there is none of that name.
   */
  pop(name: string): T {
    const value = this.get(name);
    if (value === undefined)
      throw new RuntimeError(`${this.getName()}.pop: there is no entry '${name}'`);
    this.delete(name);
    return value;
  }

  /** Takes all entries out. */
  clear(): void {
    membersOf<T>(this).clear();
  }

  /** Names, in the order in which they were added. */
  keys(): IterableIterator<string> {
    return [...this].map(([name]) => name)[Symbol.iterator]();
  }

  /** Entries without their names. */
  values(): IterableIterator<T> {
    return [...this].map(([, value]) => value)[Symbol.iterator]();
  }

  /** Names with their entries. */
  entries(): IterableIterator<[string, T]> {
    return membersOf<T>(this).present();
  }

  [Symbol.iterator](): Iterator<[string, T]> {
    return this.entries();
  }

  /** @internal The entry that a value becomes, or an error that names its place. */
  protected abstract taken(value: T | V, name: string): T;
}
