import type { LinearMemory } from './memory.js';
import { hasLargeStack, type Koffi, type Library } from './native.js';

/**
 * An argument of a Fortran routine, all of which are passed by their address: a whole number, a word of one
 * character, a real number, or what lies at an address of the WebAssembly memory already.
 */
export type Argument = number | string | { readonly real: number } | { readonly at: number };

type Routine = (...args: number[]) => void;

/** Working memory that a routine asks for, in elements. */
export interface WorkSize {
  readonly reals: number;
  readonly integers: number;
}

const slotBytes = 8;
const slots = 32;

/**
 * LAPACK of the system, called on the WebAssembly memory without copying. Its routines are Fortran's: arguments by address, and
 * behind them the lengths of the words among them.
 */
export class Lapack {
  /** Whether routines may run on several threads, which takes much stack. */
  readonly threaded: boolean;
  readonly #libraries: readonly Library[];
  readonly #memory: LinearMemory;
  readonly #base: number;
  readonly #routines = new Map<string, Routine>();
  /** Where arguments are put that have no address of their own. */
  readonly #slots: number;

  /** @param base where the memory begins in the process. */
  private constructor(
    libraries: readonly Library[],
    memory: LinearMemory,
    base: number,
    threaded: boolean,
  ) {
    this.threaded = threaded;
    this.#libraries = libraries;
    this.#memory = memory;
    this.#base = base;
    this.#slots = memory.allocate(slots * slotBytes).pointer;
  }

  /** That of a BLAS which carries it, or of the system beside it; undefined where neither has it. */
  static open(
    koffi: Koffi,
    library: Library,
    memory: LinearMemory,
    base: number,
  ): Lapack | undefined {
    const candidates = [() => library, () => koffi.load('liblapack.so.3')];
    for (const open of candidates) {
      try {
        const lapack = new Lapack([open(), library], memory, base, hasLargeStack(koffi));
        lapack.#routine('sgesdd', 15);
        lapack.#routine('strsm', 15);
        return lapack;
      } catch {
        // not there, or without these routines
      }
    }
    return undefined;
  }

  #routine(name: string, count: number): Routine {
    let found = this.#routines.get(name);
    if (found) return found;
    const parameters = Array.from({ length: count }, (_, i) => `intptr_t a${i}`).join(', ');
    for (const library of this.#libraries) {
      for (const symbol of [`${name}_`, name]) {
        try {
          found = library.func(`void ${symbol}(${parameters})`) as unknown as Routine;
          this.#routines.set(name, found);
          return found;
        } catch {
          // another library, or a compiler that names routines otherwise
        }
      }
    }
    throw new Error(`LAPACK has no ${name}`);
  }

  /**
   * Calls a routine of the given precision; the argument `info` is added at the end unless `info` is false.
   *
   * @param name without the letter of the precision.
   * @returns what the routine wrote to `info`, or 0.
   */
  call(name: string, double: boolean, args: readonly Argument[], info = true): number {
    const { buffer } = this.#memory;
    const words = new Int32Array(buffer, this.#slots, slots * 2);
    const reals = double
      ? new Float64Array(buffer, this.#slots, slots)
      : new Float32Array(buffer, this.#slots, slots * 2);
    const first = this.#base + this.#slots;
    const passed: number[] = [];
    let lengths = 0;
    args.forEach((arg, slot) => {
      if (typeof arg === 'object' && 'at' in arg) {
        passed.push(this.#base + arg.at);
        return;
      }
      if (typeof arg === 'number') words[slot * 2] = arg;
      else if (typeof arg === 'string') {
        words[slot * 2] = arg.charCodeAt(0);
        lengths++;
      } else reals[double ? slot : slot * 2] = arg.real;
      passed.push(first + slot * slotBytes);
    });
    if (info) {
      words[args.length * 2] = 0;
      passed.push(first + args.length * slotBytes);
    }
    for (let i = 0; i < lengths; i++) passed.push(1);
    this.#routine(`${double ? 'd' : 's'}${name}`, passed.length)(...passed);
    return info ? (words[args.length * 2] as number) : 0;
  }

  /** Asks a routine how much working memory it wants: `args` are its arguments with that memory and its sizes. */
  workSize(
    name: string,
    double: boolean,
    args: (reals: Argument, count: number, integers: Argument, wholes: number) => Argument[],
  ): WorkSize {
    const real = this.#slots + (slots - 2) * slotBytes;
    const whole = real + slotBytes;
    this.call(name, double, args({ at: real }, -1, { at: whole }, -1));
    const { buffer } = this.#memory;
    const reals = double
      ? (new Float64Array(buffer, real, 1)[0] as number)
      : // Told as a float32, which rounds large sizes.
        (new Float32Array(buffer, real, 1)[0] as number) * (1 + 2 ** -22);
    return { reals: Math.ceil(reals), integers: new Int32Array(buffer, whole, 1)[0] as number };
  }
}
