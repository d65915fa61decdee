import { type ContextVariable, contextVariable } from './async-context.js';
import { RuntimeError } from './errors.js';

/** How operations run: whether they are recorded, and whether their results may ever be. */
export interface Mode {
  readonly enabled: boolean;
  readonly inference: boolean;
}

/** One change of mode within a scope, taken back by itself, whatever was changed since. */
interface Change {
  readonly mode: Mode;
}

/** A stretch of a program with a mode of its own: the whole thread, a function, or a block. */
class ModeScope {
  /** What holds at the end of the list of changes. */
  mode: Mode;
  readonly outer: ModeScope | undefined;
  open = true;
  readonly #first: Mode;
  #changes: Change[] | undefined;

  constructor(mode: Mode, outer: ModeScope | undefined) {
    this.mode = mode;
    this.outer = outer;
    this.#first = mode;
  }

  change(mode: Mode): Change {
    const change = { mode };
    this.#changes ??= [];
    this.#changes.push(change);
    this.mode = mode;
    return change;
  }

  undo(change: Change): void {
    const index = this.#changes?.indexOf(change) ?? -1;
    if (index < 0) return;
    this.#changes?.splice(index, 1);
    this.mode = this.#changes?.at(-1)?.mode ?? this.#first;
  }
}

const thread = new ModeScope({ enabled: true, inference: false }, undefined);

/** Scopes for stretches of the library's own; they are shared and never change. */
const on = new ModeScope({ enabled: true, inference: false }, undefined);
const off = new ModeScope({ enabled: false, inference: false }, undefined);
const onInference = new ModeScope({ enabled: true, inference: true }, undefined);
const offInference = new ModeScope({ enabled: false, inference: true }, undefined);
const fixed: readonly ModeScope[] = [on, off, onInference, offInference];

/** The scope of the synchronous stretch that is running, if it is in one. */
let here: ModeScope | undefined;
/** How many open scopes there are that last across `await`; while there is none, nobody asks for the context. */
let lasting = 0;
let variable: ContextVariable<ModeScope> | null | undefined;

function tasks(): ContextVariable<ModeScope> | undefined {
  if (variable === undefined) variable = contextVariable<ModeScope>() ?? null;
  return variable ?? undefined;
}

/** The innermost scope that has not ended, from `scope` on outwards. */
function openFrom(scope: ModeScope | undefined): ModeScope {
  let found = scope;
  while (found && !found.open) found = found.outer;
  return found ?? thread;
}

const scopeNow = (): ModeScope => here ?? (lasting === 0 ? thread : openFrom(variable?.get()));

/** Whether operations are recorded; set through `noGrad`, `enableGrad` and `inferenceMode` of autograd. */
export const gradMode: Mode = {
  get enabled() {
    return scopeNow().mode.enabled;
  },
  get inference() {
    return scopeNow().mode.inference;
  },
};

/**
 * Turns recording on or off for a synchronous stretch of the library's own; gives what `leaveMode` wants at its end.
 *
 * @example const outer = enterMode(false); try { … } finally { leaveMode(outer); }
 */
export function enterMode(enabled: boolean): unknown {
  const outer = here;
  if (scopeNow().mode.inference) here = enabled ? onInference : offInference;
  else here = enabled ? on : off;
  return outer;
}

/** Ends what `enterMode` began. */
export function leaveMode(outer: unknown): void {
  here = outer as ModeScope | undefined;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

const noTasks = (name: string, sync: string): RuntimeError =>
  new RuntimeError(
    `${name}: this platform cannot tell what runs after an await from what other tasks do (it has neither AsyncLocalStorage nor AsyncContext), so that the mode cannot last across one; ${sync}`,
  );

const syncFunction = (name: string): RuntimeError =>
  noTasks(name, `wrap the synchronous parts: \`await ${name}(() => model(x)).item()\``);

/**
 * Runs `fn` with some of the mode changed, until it returns, throws, or its promise settles. Generators run under the mode
 * whenever they are asked for their next value.
 *
 * @throws RuntimeError if `fn` is asynchronous and the platform cannot follow it.
 */
export function runInMode<T>(name: string, change: Partial<Mode>, fn: () => T): T {
  const outer = scopeNow();
  const mode = { ...outer.mode, ...change };
  // What changes nothing needs no scope, and so may be asynchronous everywhere.
  const idle =
    outer === thread &&
    mode.enabled === thread.mode.enabled &&
    mode.inference === outer.mode.inference;
  const context = tasks();
  if (!context) {
    if (idle) return fn();
    if (/Async(Generator)?Function/.test(tagOf(fn))) throw syncFunction(name);
  }
  const scope = new ModeScope(mode, outer);
  const before = here;
  here = scope;
  let result: T;
  try {
    result = context ? context.run(scope, fn) : fn();
  } catch (error) {
    scope.open = false;
    throw error;
  } finally {
    here = before;
  }
  if (!isThenable(result)) {
    scope.open = false;
    return /\[object (Async)?Generator\]/.test(tagOf(result))
      ? (generatorInMode(name, change, result as Generator) as T)
      : result;
  }
  if (!context) throw syncFunction(name);
  lasting++;
  const end = () => {
    scope.open = false;
    lasting--;
  };
  return result.then(
    (value) => {
      end();
      return value;
    },
    (error: unknown) => {
      end();
      throw error;
    },
  ) as T;
}

/** A generator, or an asynchronous one, every step of which runs in a mode. */
function generatorInMode(name: string, change: Partial<Mode>, inner: Generator): Generator {
  const step =
    (method: 'next' | 'return' | 'throw') =>
    (...args: unknown[]): unknown =>
      runInMode(name, change, () => (inner[method] as (...given: unknown[]) => unknown)(...args));
  // What stands above generators has `map`, `take` and the symbol by which loops begin.
  const iterator = Object.getPrototypeOf(
    Object.getPrototypeOf(Object.getPrototypeOf(inner)),
  ) as object;
  return Object.assign(Object.create(iterator), {
    next: step('next'),
    return: step('return'),
    throw: step('throw'),
  }) as Generator;
}

/** Undoes a change of mode when its block ends (`using`), or when disposed of by hand. */
export interface ModeGuard {
  readonly [Symbol.dispose]: () => void;
}

/**
 * Changes the mode from here on. `using` asks for `[Symbol.dispose]` at once, by which it is known: the change is then that
 * of a block, which belongs to the running task. Otherwise it is that of the scope around it, at first of the thread.
 */
export function changeMode(name: string, change: Partial<Mode>): ModeGuard {
  let scope = scopeNow();
  if (fixed.includes(scope)) {
    scope = new ModeScope(scope.mode, undefined);
    here = scope;
  }
  return new Guard(name, scope, scope.change({ ...scope.mode, ...change }));
}

class Guard implements ModeGuard {
  readonly #name: string;
  readonly #scope: ModeScope;
  readonly #change: Change;
  /** Once it is known to be that of a block. */
  #end: (() => void) | undefined;

  constructor(name: string, scope: ModeScope, change: Change) {
    this.#name = name;
    this.#scope = scope;
    this.#change = change;
  }

  get [Symbol.dispose](): () => void {
    if (!this.#end) {
      const context = tasks();
      this.#end = context?.enter ? this.#ofTask(context) : this.#synchronous();
    }
    return this.#end;
  }

  /** A scope in the task's own context. */
  #ofTask(context: ContextVariable<ModeScope>): () => void {
    this.#scope.undo(this.#change);
    const block = new ModeScope(this.#change.mode, this.#scope);
    lasting++;
    context.enter?.(block);
    if (here) here = block;
    return () => {
      if (!block.open) return;
      block.open = false;
      lasting--;
      const outer = openFrom(block.outer);
      if (context.get() === block) context.enter?.(outer === thread ? undefined : outer);
      if (here === block) here = outer;
    };
  }

  /** A change that ends with the synchronous stretch it was made in, at the latest. */
  #synchronous(): () => void {
    let state: 'open' | 'ended' | 'overrun' = 'open';
    queueMicrotask(() => {
      if (state !== 'open') return;
      state = 'overrun';
      this.#scope.undo(this.#change);
    });
    return () => {
      if (state === 'overrun') {
        throw noTasks(
          this.#name,
          `it ended at the first await of the block; end the block before that: \`{ using _ = ${this.#name}(); … }\``,
        );
      }
      state = 'ended';
      this.#scope.undo(this.#change);
    };
  }
}
