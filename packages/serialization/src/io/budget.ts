import { FileError } from '../errors.js';

/** What every file may cost, however small. */
const base = 32 * 2 ** 20;
/** No file may cost more than this by default, unless it is itself an eighth of it. */
const most = 1.5 * 2 ** 30;

/** What things cost: about the bytes of memory they take, or the bytes that could be copied in the time they take. */
export const cost = {
  /** One operation of a pickle, or a value that is looked at. */
  step: 16,
  /** A place in a list, and one in a Map or Set. */
  item: 8,
  entry: 48,
  /** A list, tuple, dictionary, set or object. */
  container: 160,
  /** A tensor with its storage. */
  tensor: 1000,
} as const;

/**
 * What reading a file may cost in all: memory and work, in proportion to its size. What a file refers to many times counts
 * each time that it is copied.
 */
export class Budget {
  readonly #name: string;
  readonly #factor: number;
  #left: number;

  /** @param factor how much each byte of the file may cost; `given` is the caller's wish instead, without an upper bound. */
  constructor(name: string, bytes: number, factor: number, given?: number) {
    this.#name = name;
    this.#factor = given ?? factor;
    const allowed = base + bytes * this.#factor;
    this.#left = given === undefined ? Math.min(allowed, Math.max(most, 8 * bytes)) : allowed;
  }

  /** @throws FileError if that is more than is left. */
  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left >= 0) return;
    throw new FileError(
      `${this.#name}: reading it takes far more work and memory than a file of its size should: it is damaged, or made to exhaust memory; pass { maxExpansion } of more than ${this.#factor} if it is to be trusted`,
    );
  }
}

/** How much each byte of a pickle may cost, and each of a header in text. */
export const pickleFactor = 64;
export const headerFactor = 16;
