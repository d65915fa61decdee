import type { Scalar, Tensor } from '@sconce/core';
import type { Known } from './known.js';

/** The gradient of one input, or of each tensor of a list; undefined is zero. */
export type Gradients = Tensor | undefined | readonly (Tensor | undefined)[];

/** The gradient of an input from that of the (only differentiable) output. */
export type Formula<Context = Known> = (g: Tensor, context: Context) => Gradients;

/** A formula and what it needs. */
export interface Derivative {
  /** Arguments and results whose values it reads. Results are `result`, or by the names of their fields. */
  readonly saves: readonly string[];
  /** Whether it takes the gradients of all outputs as an array instead of one. */
  readonly several: boolean;
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
): Derivative => ({ saves: list(names), several: false, formula });

/** As `saving`, where the operation takes plain numbers too. */
export const operands = <const S extends string>(
  names: S,
  formula: Formula<With<S, Tensor | Scalar>>,
): Derivative => ({ saves: list(names), several: false, formula });

/** A formula for an operation with several differentiable outputs: gets the gradients of all. */
export const several = <const S extends string = ''>(
  names: S,
  formula: (grads: readonly Tensor[], context: With<S, Tensor>) => Gradients,
): Derivative => ({ saves: list(names), several: true, formula });

/** Marks an operation that no gradient goes through: its results are integers, bools or indices. */
export const nondifferentiable = null;
