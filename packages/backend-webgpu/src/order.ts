/** Something asked of the device that waits for its turn. */
interface Waiting {
  readonly run: () => void;
  /** Set where later ones wait until it has ended. */
  readonly step?: () => Promise<void>;
}

const done: Waiting = { run: () => {} };

/**
 * Keeps what is asked of a device in order while steps between are computed on the host. Such a step takes until its
 * operands have arrived, which JavaScript cannot wait for: what is asked for in the meantime is held back, and
 * done in the same order when the step has ended.
 */
export class Order {
  readonly #waiting: Waiting[] = [];
  #next = 0;
  #holding = false;
  readonly #failed: (error: unknown) => void;

  /** @param failed is told what steps and held-back actions throw. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether a step is under way, so that everything has to wait. */
  get holding(): boolean {
    return this.#holding;
  }

  /** Does something in its turn: now, if nothing is held back. */
  act(run: () => void): void {
    if (this.#holding) this.#waiting.push({ run });
    else run();
  }

  /** Begins something in its turn; what comes after does not wait for its end. */
  begin<T>(run: () => Promise<T>): Promise<T> {
    if (!this.#holding) return run();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        run: () => {
          run().then(resolve, reject);
        },
      });
    });
  }

  /** Begins a step in its turn and holds back all that is asked for later until it has ended. */
  hold(step: () => Promise<void>): void {
    if (this.#holding) this.#waiting.push({ ...done, step });
    else this.#hold(step);
  }

  #hold(step: () => Promise<void>): void {
    this.#holding = true;
    step()
      .catch(this.#failed)
      .then(() => this.#resume());
  }

  /** Does what was held back, up to the next step. */
  #resume(): void {
    while (this.#next < this.#waiting.length) {
      const { run, step } = this.#waiting[this.#next] as Waiting;
      // What is done is let go of, together with the memory it refers to.
      this.#waiting[this.#next++] = done;
      if (step) {
        this.#hold(step);
        return;
      }
      try {
        run();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#waiting.length = 0;
    this.#next = 0;
    this.#holding = false;
  }
}
