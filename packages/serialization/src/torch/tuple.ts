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
