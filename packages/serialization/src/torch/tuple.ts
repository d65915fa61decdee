import { Device, takes } from '@sconce/core';
import * as signatures from '../signatures.js';

/**
 * A Python tuple: an array that is written as a tuple again. Files give them, `new Tuple(...)` makes one where PyTorch insists.
 *
 * @example await save({ size: Tuple.of(3, 224, 224) }, 'model.pt');
 */
export class Tuple<T = unknown> extends Array<T> {
  /** What `map`, `filter` and the like give is a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** A tuple of the given values. */
  static override of<T>(...items: T[]): Tuple<T> {
    return Tuple.from(items) as Tuple<T>;
  }
}

/** Larger tuples are compared by identity: nobody looks them up by what they hold. */
const mostItems = 1000;

/** A text that equal tuples share; undefined where items are compared by identity. */
function tupleText(tuple: Tuple): string | undefined {
  let items = 0;
  const text = (item: unknown): string | undefined => {
    if (++items > mostItems) return undefined;
    if (item instanceof Tuple) {
      const parts: string[] = [];
      for (const each of item) {
        const part = text(each);
        if (part === undefined) return undefined;
        parts.push(part);
      }
      return `(${parts.join()})`;
    }
    if (item instanceof Device) return `device ${item}`;
    if (typeof item === 'string') return JSON.stringify(item);
    // In Python 1, 1.0 and True are one key.
    if (typeof item === 'number' || typeof item === 'boolean') return String(Number(item));
    return item === null || typeof item === 'bigint' ? String(item) : undefined;
  };
  return text(tuple);
}

/**
 * A Map whose keys may be tuples, which are found by what they hold: dictionaries of Python with such keys load as these.
 *
 * @example
 * const table = await load<TupleMap<Tensor>>('edges.pt');
 * table.get(Tuple.of(0, 1));
 */
export class TupleMap<V = unknown> extends Map<unknown, V> {
  static override get [Symbol.species](): MapConstructor {
    return Map;
  }
  /** The key that stands for each tuple. */
  readonly #keys = new Map<string, unknown>();

  constructor(entries: Iterable<readonly [unknown, V]> = []) {
    takes('TupleMap', signatures.TupleMap, arguments);
    super();
    for (const [key, value] of entries) this.set(key, value);
  }

  /** The key of this map that is equal to a key. */
  #same(key: unknown): unknown {
    const text = key instanceof Tuple ? tupleText(key) : undefined;
    return text !== undefined && this.#keys.has(text) ? this.#keys.get(text) : key;
  }

  override get(key: unknown): V | undefined {
    return super.get(this.#same(key));
  }

  override has(key: unknown): boolean {
    return super.has(this.#same(key));
  }

  override set(key: unknown, value: V): this {
    const same = this.#same(key);
    const text = same instanceof Tuple ? tupleText(same) : undefined;
    if (text !== undefined) this.#keys.set(text, same);
    return super.set(same, value);
  }

  override delete(key: unknown): boolean {
    const same = this.#same(key);
    const text = same instanceof Tuple ? tupleText(same) : undefined;
    if (text !== undefined) this.#keys.delete(text);
    return super.delete(same);
  }

  override clear(): void {
    this.#keys.clear();
    super.clear();
  }
}
