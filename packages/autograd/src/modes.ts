import { changeMode, checking, gradMode, type ModeGuard, runInMode } from '@sconce/core';
import * as signatures from './signatures.js';

export type { ModeGuard } from '@sconce/core';

interface ModeForms {
  (): ModeGuard;
  <T>(fn: () => T): T;
}

const mode = (
  name: string,
  signature: string,
  change: Parameters<typeof runInMode>[1],
): ModeForms =>
  checking(name, signature, ((fn?: () => unknown) =>
    fn === undefined ? changeMode(name, change) : runInMode(name, change, fn)) as ModeForms);

/**
 * Runs `fn` without recording: results do not require grad. Without `fn`, holds for the rest of the block:
 * `using _ = noGrad()`; without `using` too, from here on.
 *
 * With an async `fn` the mode lasts until its promise settles, for `fn` and what it calls and starts; other tasks keep
 * their own. That takes `AsyncLocalStorage` (Node, Deno, Bun): in browsers `fn` and the block must be synchronous. A block with an `await` in it
 * holds for its task too, but also for what its caller does before the block has ended, unless the caller awaits it.
 *
 * @throws RuntimeError if `fn` is async, or the block has an await in it, where the platform cannot tell tasks apart.
 * @see https://pytorch.org/docs/stable/generated/torch.no_grad.html
 * @example noGrad(() => weight.sub_(weight.grad!.mul(lr)));
 */
export const noGrad: ModeForms = mode('noGrad', signatures.noGrad, { enabled: false });

/**
 * Runs `fn` with recording, inside of `noGrad`; forms and async behaviour as `noGrad`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.enable_grad.html
 */
export const enableGrad: ModeForms = mode('enableGrad', signatures.enableGrad, { enabled: true });

/**
 * Runs `fn` without recording and without keeping track of views and versions: tensors made in it can never
 * take part in a graph. Forms and async behaviour as `noGrad`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.inference_mode.html
 */
export const inferenceMode: ModeForms = mode('inferenceMode', signatures.inferenceMode, {
  enabled: false,
  inference: true,
});

/**
 * Turns recording on or off from here on, to the end of the function given to `noGrad` and the like that it is called in, if
 * any; with `using`, until the end of the block, as `noGrad`.
 *
 * @example using _ = setGradEnabled(training);
 */
export const setGradEnabled = checking(
  'setGradEnabled',
  signatures.setGradEnabled,
  (enabled: boolean): ModeGuard => changeMode('setGradEnabled', { enabled }),
);

/** Whether operations are recorded now. */
export const isGradEnabled = checking(
  'isGradEnabled',
  signatures.isGradEnabled,
  (): boolean => gradMode.enabled,
);

/** Whether `inferenceMode` holds now. */
export const isInferenceModeEnabled = checking(
  'isInferenceModeEnabled',
  signatures.isInferenceModeEnabled,
  (): boolean => gradMode.inference,
);
