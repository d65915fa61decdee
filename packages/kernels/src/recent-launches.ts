import type { View } from '@sconce/core';
import type { Launch } from './kernel.js';

/** How many launches a program remembers: parameters of a few shapes go through the same program in turn. */
const REMEMBERED = 8;

const dtypeNumbers = new Map<string, number>();

/** All numbers that decide a launch of one program, written down to be compared. */
export class Signature {
  readonly numbers: number[] = [];
  length = 0;

  start(): this {
    this.length = 0;
    return this;
  }

  add(value: number): this {
    this.numbers[this.length++] = value;
    return this;
  }

  list(values: readonly number[]): this {
    this.add(values.length);
    for (let i = 0; i < values.length; i++) this.add(values[i] as number);
    return this;
  }

  view(view: View): this {
    let dtype = dtypeNumbers.get(view.dtype);
    if (dtype === undefined) {
      dtype = dtypeNumbers.size;
      dtypeNumbers.set(view.dtype, dtype);
    }
    this.add(dtype).list(view.shape);
    for (let d = 0; d < view.strides.length; d++) this.add(view.strides[d] as number);
    return this;
  }

  views(views: readonly View[]): this {
    this.add(views.length);
    for (let i = 0; i < views.length; i++) this.view(views[i] as View);
    return this;
  }
}

/**
 * The latest launches of a program with what they were decided by. A training loop asks for the same ones again and
 * again; comparing numbers is several times cheaper than merging dimensions anew.
 */
export class RecentLaunches {
  readonly #entries: { readonly numbers: readonly number[]; readonly launch: Launch }[] = [];
  #turn = 0;

  find(signature: Signature): Launch | undefined {
    for (let i = 0; i < this.#entries.length; i++) {
      const { numbers, launch } = this.#entries[i] as {
        numbers: readonly number[];
        launch: Launch;
      };
      if (numbers.length !== signature.length) continue;
      let k = 0;
      while (k < numbers.length && numbers[k] === signature.numbers[k]) k++;
      if (k === numbers.length) return launch;
    }
    return undefined;
  }

  keep(signature: Signature, launch: Launch): Launch {
    this.#entries[this.#turn] = { numbers: signature.numbers.slice(0, signature.length), launch };
    this.#turn = (this.#turn + 1) % REMEMBERED;
    return launch;
  }
}
