import { builtinModule } from './platform.js';

/** A value that asynchronous code keeps across `await`, each task its own. */
export interface ContextVariable<T> {
  /** The value of the task that is running. */
  get(): T | undefined;
  /** Runs `fn`, and whatever it starts, with a value. */
  run<R>(value: T, fn: () => R): R;
  /** Changes the value for the rest of the running task; absent where only `run` is to be had. */
  enter?(value: T | undefined): void;
}

interface ProposedVariable<T> {
  get(): T | undefined;
  run<R>(value: T, fn: () => R): R;
}

/**
 * A variable that follows the asynchronous context: by `AsyncLocalStorage` in Node, Deno and Bun, by the proposed `AsyncContext`
 * where an engine has that; undefined elsewhere, which today is all browsers. Make one when it is first needed:
 * before Node 24 the first use makes every promise of the process slower.
 *
 * @see https://tc39.es/proposal-async-context/
 */
export function contextVariable<T>(): ContextVariable<T> | undefined {
  const hooks = builtinModule<typeof import('node:async_hooks')>('node:async_hooks');
  if (hooks?.AsyncLocalStorage) {
    const storage = new hooks.AsyncLocalStorage<T | undefined>();
    return {
      get: () => storage.getStore(),
      run: (value, fn) => storage.run(value, fn),
      enter: (value) => storage.enterWith(value),
    };
  }
  const { AsyncContext } = globalThis as {
    AsyncContext?: { Variable?: new <V>() => ProposedVariable<V> };
  };
  return AsyncContext?.Variable && new AsyncContext.Variable<T>();
}
