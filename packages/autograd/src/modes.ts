import { gradMode } from '@sconce/core';

/** Undoes a change of mode when its block ends (`using`), or when disposed of by hand. */
export interface ModeGuard {
  [Symbol.dispose](): void;
}

interface Mode {
  (): ModeGuard;
  <T>(fn: () => T): T;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

/** Applies a mode now; the guard restores what was before. */
function enter(enabled: boolean, inference: boolean): ModeGuard {
  const before = { ...gradMode };
  gradMode.enabled = enabled;
  gradMode.inference = inference;
  return {
    [Symbol.dispose]: () => {
      gradMode.enabled = before.enabled;
      gradMode.inference = before.inference;
    },
  };
}

/** Runs `fn` under a guard that lasts until it returns, throws, or its promise settles. */
function under<T>(guard: ModeGuard, fn: () => T): T {
  let result: T;
  try {
    result = fn();
  } catch (error) {
    guard[Symbol.dispose]();
    throw error;
  }
  if (!isThenable(result)) {
    guard[Symbol.dispose]();
    return result;
  }
  return result.then(
    (value) => {
      guard[Symbol.dispose]();
      return value;
    },
    (error: unknown) => {
      guard[Symbol.dispose]();
      throw error;
    },
  ) as T;
}

const mode = (enabled: () => boolean, inference: () => boolean): Mode =>
  ((fn?: () => unknown) => {
    const guard = enter(enabled(), inference());
    return fn ? under(guard, fn) : guard;
  }) as Mode;

/**
 * Runs `fn` without recording: results do not require grad. Without `fn`, holds for the rest of the block:
 * `using _ = noGrad()`.
 *
 * With an async `fn` the mode lasts until its promise settles. There is one mode for the whole thread: what other
 * tasks compute while `fn` awaits is not recorded either, so await one task at a time around it.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.no_grad.html
 * @example noGrad(() => weight.sub_(weight.grad!.mul(lr)));
 */
export const noGrad: Mode = mode(
  () => false,
  () => gradMode.inference,
);

/**
 * Runs `fn` with recording, inside of `noGrad`; forms and async behaviour as `noGrad`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.enable_grad.html
 */
export const enableGrad: Mode = mode(
  () => true,
  () => gradMode.inference,
);

/**
 * Runs `fn` without recording and without keeping track of views and versions: tensors made in it can never
 * take part in a graph. Forms and async behaviour as `noGrad`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.inference_mode.html
 */
export const inferenceMode: Mode = mode(
  () => false,
  () => true,
);

/**
 * Turns recording on or off from here on; with `using`, until the end of the block.
 *
 * @example using _ = setGradEnabled(training);
 */
export const setGradEnabled = (enabled: boolean): ModeGuard => enter(enabled, gradMode.inference);

/** Whether operations are recorded now. */
export const isGradEnabled = (): boolean => gradMode.enabled;

/** Whether `inferenceMode` holds now. */
export const isInferenceModeEnabled = (): boolean => gradMode.inference;
