import { inNode } from './gpu.js';

/**
 * Waiting without burning a core. While a promise of Dawn's is open it asks the driver on every turn of
 * Node's event loop, which then never sleeps; where the driver computes on the CPU, that takes a core from it.
 * While anybody waits, each turn is made to take longer, the longer the wait has lasted: a quarter of it at most, and
 * never more than a millisecond. Browsers wait by themselves.
 */
class Patience {
  #waiting = 0;
  #since = 0;
  #napping = false;
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));

  /** Waits for a promise. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#since = performance.now();
    this.#nap();
    try {
      return await promise;
    } finally {
      this.#waiting--;
    }
  }

  #nap(): void {
    if (this.#napping) return;
    this.#napping = true;
    setImmediate(() => {
      this.#napping = false;
      if (this.#waiting === 0) return;
      const waited = performance.now() - this.#since;
      if (waited > 0.2) Atomics.wait(this.#cell, 0, 0, Math.min(1, waited / 4));
      this.#nap();
    });
  }
}

const patience = inNode ? new Patience() : undefined;

/** Waits for a promise of the device. */
export const patiently = <T>(promise: Promise<T>): Promise<T> =>
  patience ? patience.wait(promise) : promise;
