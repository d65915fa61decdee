import { runningOperation } from '../op.js';
import type { Tensor } from '../tensor.js';

/** A name as Python has it. */
const snakeCase = (name: string): string =>
  name.replace(/[a-z][A-Z]/g, (pair) => `${pair[0]}_${(pair[1] as string).toLowerCase()}`);

/** Results that print as PyTorch's named tuples do; made by `pair` and `named`. */
export class Results extends Array<Tensor> {
  readonly #operation: string;

  constructor(fields: Readonly<Record<string, Tensor>>) {
    super();
    this.#operation = snakeCase(runningOperation() ?? 'results').replaceAll('.', '_');
    this.push(...Object.values(fields));
    Object.assign(this, fields);
  }

  // What is made of the results by `map` and the like is a plain array.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  override toString(): string {
    const fields = Object.entries(this)
      .filter(([key]) => !/^\d+$/.test(key))
      .map(([name, value]) => `${snakeCase(name)}=${value}`);
    return `torch.return_types.${this.#operation}(\n${fields.join(',\n')})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
