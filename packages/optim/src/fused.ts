import {
  type ComputeType,
  cast,
  computeType,
  type Expr,
  e,
  execute,
  input,
  scalar,
  type Tensor,
} from '@sconce/core';

/** The tensors an update reads and writes, in the order its body names them. */
type Body = (values: readonly Expr[], numbers: readonly Expr[]) => readonly Expr[];

/**
 * One optimizer update as one kernel: every element's new values from its old ones, all written at once.
 *
 * `body` gets the elements of `tensors` and the run-time `numbers`, and gives the new elements of the first tensors.
 */
export class FusedUpdate {
  readonly #body: Body;
  readonly #plans = new Map<string, readonly Expr[]>();

  constructor(body: Body) {
    this.#body = body;
  }

  /** Runs the update in place; it is never recorded. */
  run(tensors: readonly Tensor[], numbers: readonly number[]): void {
    const key = tensors.map((t) => t.dtype).join();
    let values = this.#plans.get(key);
    if (!values) {
      const compute = computeType((tensors[0] as Tensor).dtype);
      values = this.#body(
        tensors.map((t, i) => asType(input(i, computeType(t.dtype)), compute)),
        numbers.map((_, i) => scalar(i, compute)),
      );
      this.#plans.set(key, values);
    }
    const outputs = tensors.slice(0, values.length);
    execute({
      kind: 'map',
      shape: (tensors[0] as Tensor).shape,
      inputs: tensors,
      scalars: numbers,
      values,
      outputs,
    });
    for (const t of outputs) t.counter.version++;
  }
}

const asType = (x: Expr, type: ComputeType): Expr => cast(x, type);

/** a * x + b * y, the building block of moving averages. */
export const mix = (a: Expr | number, x: Expr, b: Expr | number, y: Expr): Expr =>
  e.add(e.mul(x, a), e.mul(y, b));
