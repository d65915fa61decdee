import { OutOfMemoryError, RuntimeError } from '@sconce/core';

/**
 * The errors of a device, which WebGPU reports some time after the call that caused them. They are
 * kept until the next read or `synchronize`, which rejects with the first.
 */
export class Failures {
  readonly #kept: RuntimeError[] = [];
  #lost: RuntimeError | undefined;

  /** Notes an error and says it on the console, in case nobody reads. */
  report(error: RuntimeError): void {
    // What follows from the first error says less than it does.
    if (this.#kept.length < 8) this.#kept.push(error);
    if (this.#kept.length === 1) console.error(`sconce: ${error.message}`);
  }

  /** Notes that the device is gone for good. */
  lose(reason: string, name: string): void {
    this.#lost = new RuntimeError(
      `webgpu: the device was lost (${reason}); its tensors are gone. Open it anew with \`await reopen('${name}')\` from @sconce/backend-webgpu and load what you had saved`,
    );
    if (reason !== 'destroyed') console.error(`sconce: ${this.#lost.message}`);
  }

  /** @throws RuntimeError if the device is lost. */
  checkLost(): void {
    if (this.#lost) throw this.#lost;
  }

  /** @throws the first error since the last call; running out of memory comes before what it causes. */
  check(): void {
    this.checkLost();
    if (this.#kept.length === 0) return;
    const first = this.#kept.find((e) => e instanceof OutOfMemoryError) ?? this.#kept[0];
    this.#kept.length = 0;
    throw first;
  }
}
