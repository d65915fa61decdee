import { OutOfMemoryError, RuntimeError } from '@sconce/core';

interface Kept {
  readonly error: Error;
  /** The number of the step that failed; 0 where only the device knows when. */
  readonly at: number;
}

/**
 * The errors of a device, which are known some time after the call that caused them. They are
 * kept until the next read or `synchronize`, which rejects with the first.
 */
export class Failures {
  #kept: Kept[] = [];
  #lost: RuntimeError | undefined;

  /** Notes an error that WebGPU reported, and says it on the console, in case nobody reads. */
  report(error: RuntimeError): void {
    // What follows from the first error says less than it does.
    if (this.#kept.length < 8) this.#kept.push({ error, at: 0 });
    if (this.#kept.length === 1) console.error(`sconce: ${error.message}`);
  }

  /** Notes that the `at`-th step found its operands wanting. */
  note(error: Error, at: number): void {
    if (this.#kept.length < 8) this.#kept.push({ error, at });
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

  /**
   * @param upTo the last step that came before what now checks
   * @throws the first error since the last call; running out of memory comes before what it causes.
   */
  check(upTo: number): void {
    this.checkLost();
    const mine = this.#kept.filter(({ at }) => at <= upTo);
    if (mine.length === 0) return;
    this.#kept = this.#kept.filter(({ at }) => at > upTo);
    throw (mine.find(({ error }) => error instanceof OutOfMemoryError) ?? (mine[0] as Kept)).error;
  }
}
