import { NotImplementedError, type Scalar, type Tensor } from '@sconce/core';
import type { Known } from './known.js';

/** The gradient of one input, or of each tensor of a list; undefined is zero. */
export type Gradients = Tensor | undefined | readonly (Tensor | undefined)[];

/** The gradient of an input from that of the (only differentiable) output. */
export type Formula<Context = Known> = (g: Tensor, context: Context) => Gradients;

/** A formula and what it needs. */
export interface Derivative {
  /** Arguments and results whose values it reads. Results are `result`, or by the names of their fields. */
  readonly saves: readonly string[];
  /**
   * Which gradients it takes: that of the one output, or an array of those of all differentiable outputs, with zeros
   * (`all`) or undefined (`given`) where none has flowed.
   */
  readonly takes: 'one' | 'all' | 'given';
  readonly formula: (g: never, context: never) => Gradients;
}

/** The derivatives of one operation by parameter; parameters without one get no gradient. */
export type Derivatives = Readonly<Record<string, Formula | Derivative>>;

/** The names in a list separated by spaces. */
type Names<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Names<Rest> : S;

/** `Known`, with the values of some of its tensors. */
type With<S extends string, Value> = Omit<Known, Names<S>> & {
  readonly [Name in Names<S>]: Value;
};

const list = (names: string): string[] => (names === '' ? [] : names.split(' '));

/**
 * A formula that reads the values of tensors, which are then kept from forward to backward.
 *
 * @example exp: { self: saving('result', (g, { result }) => g.mul(result)) }
 */
export const saving = <const S extends string>(
  names: S,
  formula: Formula<With<S, Tensor>>,
): Derivative => ({ saves: list(names), takes: 'one', formula });

/** As `saving`, where the operation takes plain numbers too. */
export const operands = <const S extends string>(
  names: S,
  formula: Formula<With<S, Tensor | Scalar>>,
): Derivative => ({ saves: list(names), takes: 'one', formula });

/** A formula for an operation with several differentiable outputs: gets the gradients of all. */
export const several = <const S extends string = ''>(
  names: S,
  formula: (grads: readonly Tensor[], context: With<S, Tensor>) => Gradients,
): Derivative => ({ saves: list(names), takes: 'all', formula });

/** As `several`, where a gradient that has not flowed makes a difference: undefined stands for it. */
export const given = <const S extends string = ''>(
  names: S,
  formula: (grads: readonly (Tensor | undefined)[], context: With<S, Tensor>) => Gradients,
): Derivative => ({ saves: list(names), takes: 'given', formula });

/** An input through which no gradient can go, as in PyTorch: backward raises. */
export function notImplemented(operation: string): Formula {
  const formula: Formula = () => {
    throw new NotImplementedError(`the derivative for '${operation}' is not implemented.`);
  };
  refusals.add(formula);
  return formula;
}
const refusals = new WeakSet<Formula>();

/** Whether a row of the table holds nothing but refusals. */
export const refuses = (row: Derivatives): boolean =>
  Object.values(row).every((entry) => typeof entry === 'function' && refusals.has(entry));

/** Marks an operation that no gradient goes through: its results are integers, bools or indices. */
export const nondifferentiable = null;
