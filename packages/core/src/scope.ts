import { takes } from './arguments.js';
import { type ContextVariable, contextVariable } from './async-context.js';
import { signatures } from './signatures.js';
import type { Storage } from './storage.js';

/**
 * Tensors created while a scope is current are disposed when it ends, except those kept. A scope is
 * current for the synchronous part of `tidy`, in Node for the whole of an async function, and inside `run`.
 */
export class Scope {
  readonly #parent: Scope | undefined;
  #storages: Storage[] = [];

  /** @internal */
  constructor(parent: Scope | undefined) {
    this.#parent = parent;
  }

  /** Runs `fn` with this scope current: for what comes after an `await` where the platform cannot tell. */
  run<T>(fn: () => T): T {
    const outer = current;
    current = this;
    try {
      return fn();
    } finally {
      current = outer;
    }
  }

  /** @internal */
  add(storage: Storage): void {
    this.#storages.push(storage);
  }

  /** @internal Disposes all but the kept and the returned ones; those belong to the enclosing scope from here on. */
  end(returned: ReadonlySet<Storage>): void {
    const storages = this.#storages;
    this.#storages = [];
    for (const storage of storages) {
      if (kept.has(storage)) continue;
      if (returned.has(storage)) this.#parent?.add(storage);
      else storage.dispose();
    }
  }
}

let current: Scope | undefined;
let asyncScope: ContextVariable<Scope> | null | undefined;
const kept = new WeakSet<Storage>();

/** @internal Adds a new storage to the scope it was created in, if any. */
export function enlist(storage: Storage): void {
  if (current !== undefined) current.add(storage);
  else if (asyncScope) asyncScope.get()?.add(storage);
}

/** The scope that new tensors fall to now, if any. */
export const currentScope = (): Scope | undefined => current ?? asyncScope?.get();

/** Exempts a storage from every scope: it lives until it is disposed or collected. */
export function keepStorage(storage: Storage): void {
  kept.add(storage);
}

/**
 * Runs `fn` and disposes every tensor created in it, except those in what it returns (alone, or in arrays, objects,
 * maps and sets) and those given to `keep`. May be nested; what an inner `tidy` returns belongs to the outer one.
 *
 * With an async `fn` it returns a promise. In Node tensors created after an `await` are covered too;
 * in browsers, where code after an `await` cannot be told from anyone else's, they are left to the garbage
 * collector unless created inside `scope.run(...)`.
 *
 * @throws whatever `fn` throws, with all its tensors disposed.
 * @example const y = tidy(() => x.mul(2).add(1).relu()); // two temporaries are gone
 */
export function tidy<T>(fn: (scope: Scope) => T): T {
  takes('tidy', signatures.tidy, arguments);
  const outer = current;
  const scope = new Scope(currentScope());
  const store = isAsync(fn) ? asyncScopes() : undefined;
  let result: T;
  current = store ? undefined : scope;
  try {
    result = store ? store.run(scope, () => fn(scope)) : fn(scope);
  } catch (error) {
    scope.end(new Set());
    throw error;
  } finally {
    current = outer;
  }
  if (!isThenable(result)) {
    scope.end(storagesIn(result));
    return result;
  }
  return result.then(
    (value) => {
      scope.end(storagesIn(value));
      return value;
    },
    (error: unknown) => {
      scope.end(new Set());
      throw error;
    },
  ) as T;
}

const isThenable = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

const isAsync = (fn: { readonly [Symbol.toStringTag]?: string } | object): boolean =>
  (fn as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'AsyncFunction';

/** Follows async functions; made when the first async scope asks for it, since it slows every promise down. */
function asyncScopes(): ContextVariable<Scope> | undefined {
  if (asyncScope === undefined) asyncScope = contextVariable<Scope>() ?? null;
  return asyncScope ?? undefined;
}

/** The storages of all tensors in a value. */
function storagesIn(root: unknown): Set<Storage> {
  const found = new Set<Storage>();
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    if (seen.has(value)) return;
    seen.add(value);
    const { storage, grad } = value as { storage?: unknown; grad?: unknown };
    if (isStorage(storage)) {
      found.add(storage);
      visit(grad);
    } else if (isStorage(value)) found.add(value);
    else if (value instanceof Map) for (const pair of value) pair.forEach(visit);
    else if (value instanceof Set) value.forEach(visit);
    else Object.values(value).forEach(visit);
  };
  visit(root);
  return found;
}

const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' &&
  value !== null &&
  'disposed' in value &&
  'version' in value &&
  'buffer' in value;
