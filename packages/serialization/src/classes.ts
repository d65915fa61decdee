import { checking, takes } from '@sconce/core';
import { FileError, quote } from './errors.js';
import * as signatures from './signatures.js';

/** An object of a class, as a file holds it. */
export interface SavedObject {
  /** The class by its module and name, as in `argparse.Namespace`. */
  readonly name: string;
  /** What its constructor is given. */
  readonly args: readonly unknown[];
  /** What is put into it then: mostly its properties. */
  readonly state: unknown;
  /** What is appended, where it is a list. */
  readonly items: readonly unknown[];
  /** What is set, where it is a mapping. */
  readonly entries: ReadonlyMap<unknown, unknown>;
}

/** Makes an object from what a file holds of it. */
export type ClassReader = (saved: SavedObject) => unknown;

/** How objects of a registered class are written and made again. */
export interface ClassOptions<T> {
  /** What of an object goes into a file: anything that can be saved. */
  save: (object: T) => unknown;
  /** Makes the object from what `save` gave. */
  load: (saved: never) => T;
}

/** How modules of a registered class are made again: by their constructor, then `loadStateDict`. */
export interface ModuleClassOptions<T> {
  /** The arguments of the constructor; default none. */
  args?: (object: T) => readonly unknown[];
}

/** By structure, what holds state: modules, optimizers, schedulers, loaders. */
export interface Stateful {
  stateDict(): unknown;
  loadStateDict(state: never): unknown;
}

/** Whether a value has `stateDict()` and `loadStateDict()`. */
export const isStateful = checking(
  'isStateful',
  signatures.isStateful,
  (value: unknown): value is Stateful =>
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Partial<Stateful>).stateDict === 'function' &&
    typeof (value as Partial<Stateful>).loadStateDict === 'function',
);

// biome-ignore lint/suspicious/noExplicitAny: classes have constructors of all kinds
type Class<T> = new (...args: any[]) => T;

interface Registered {
  readonly name: string;
  readonly save: (object: unknown) => unknown;
  readonly load: (saved: unknown) => unknown;
}

const byClass = new Map<unknown, Registered>();
const byName = new Map<string, Registered>();

/**
 * Lets whole objects of a class be loaded, and saved with `{ classes: true }`, by name: the file holds the name and the state, never code.
 * Without that option `save` writes what it did before. PyTorch cannot read files with such objects unless it has the class.
 *
 * For modules the arguments of the constructor are enough; other classes say what is saved and how it is loaded.
 * A second registration under a name replaces the first.
 *
 * @param name what files call the class: a module and a name, `'app.Net'`.
 * @throws FileError if `name` is no such name, or nothing says how objects are made.
 * @example
 * registerClass('app.Net', Net, { args: (net) => [net.hidden] });
 * await save(new Net(64), 'net.pt', { classes: true });
 * const net = await load<Net>('net.pt');
 */
export function registerClass<T extends object>(
  name: string,
  type: Class<T>,
  options: ClassOptions<T> | ModuleClassOptions<T> = {},
): void {
  takes('registerClass', signatures.registerClass, arguments);
  if (!/^\w+(\.\w+)+$/.test(name)) {
    throw new FileError(
      `registerClass: ${quote(name)} must be a module and a name, such as 'app.Net'`,
    );
  }
  const entry = 'save' in options ? plainClass(name, options) : moduleClass(name, type, options);
  byClass.set(type, entry);
  byName.set(name, entry);
}

function plainClass<T>(name: string, options: ClassOptions<T>): Registered {
  return {
    name,
    save: (object) => options.save(object as T),
    load: (saved) => options.load(saved as never),
  };
}

function moduleClass<T extends object>(
  name: string,
  type: Class<T>,
  options: ModuleClassOptions<T>,
): Registered {
  if (!isStateful(type.prototype)) {
    throw new FileError(
      `registerClass: ${name} has no stateDict and loadStateDict; pass { save, load }, which say what is kept of it`,
    );
  }
  return {
    name,
    save: (object) => ({
      args: [...(options.args?.(object as T) ?? [])],
      state: (object as Stateful).stateDict(),
      training: (object as { training?: unknown }).training ?? null,
    }),
    load: (saved) => {
      const { args, state, training } = saved as {
        args?: unknown;
        state?: unknown;
        training?: unknown;
      };
      if (!Array.isArray(args))
        throw new FileError(`load: what the file holds of ${name} is no module's state`);
      const object = new type(...args);
      (object as Stateful).loadStateDict(state as never);
      if (typeof training === 'boolean')
        (object as { train?: (mode: boolean) => void }).train?.(training);
      return object;
    },
  };
}

/** The registration of an object's own class. */
export function registrationOf(object: object): Registered | undefined {
  return byClass.get((object as { constructor?: unknown }).constructor);
}

/** What makes objects of a class that files name. */
export const readerOf = (name: string): ClassReader | undefined => {
  const entry = byName.get(name);
  return entry && (({ state }) => entry.load(state));
};
