import type { HookHandle } from '@sconce/core';

export type { HookHandle };

/** Hooks in the order they were added. */
export class Hooks<H> implements Iterable<H> {
  readonly #hooks = new Map<symbol, H>();

  /** Adds a hook; the handle takes it off. */
  add(hook: H): HookHandle {
    const key = Symbol('hook');
    this.#hooks.set(key, hook);
    return { remove: () => void this.#hooks.delete(key) };
  }

  /** The first hook that `is` holds for. */
  find(is: (hook: H) => boolean): H | undefined {
    return [...this.#hooks.values()].find(is);
  }

  /** Takes a hook off. */
  delete(hook: H): void {
    for (const [key, known] of this.#hooks) if (known === hook) this.#hooks.delete(key);
  }

  *[Symbol.iterator](): Iterator<H> {
    if (this.#hooks.size > 0) yield* [...this.#hooks.values()];
  }
}
