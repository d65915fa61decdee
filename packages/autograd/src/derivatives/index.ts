import { elementwise, type FusedMap, type Op, RuntimeError } from '@sconce/core';
import { activations } from './activations.js';
import { ctc } from './ctc.js';
import { equations } from './equations.js';
import { factorizations } from './factorizations.js';
import type { Derivative, Derivatives } from './formula.js';
import { indexing } from './indexing.js';
import { linear } from './linear.js';
import { nn } from './nn.js';
import { pointwise } from './pointwise.js';
import { rearranging } from './rearranging.js';
import { reductions } from './reductions.js';
import { resampling } from './resampling.js';
import { shape } from './shape.js';
import { specialFunctions } from './special.js';
import { spectral } from './spectral.js';

/**
 * How every operation differentiates, by name: for each input, its gradient from that of the output, written with
 * differentiable operations, so that gradients of gradients follow. Broadcasting is undone and the input's dtype
 * restored by the engine.
 */
export const derivatives: Readonly<Record<string, Derivatives | null>> = {
  ...pointwise,
  ...reductions,
  ...shape,
  ...indexing,
  ...linear,
  ...activations,
  ...nn,
  ...rearranging,
  ...resampling,
  ...ctc,
  ...equations,
  ...factorizations,
  ...spectral,
  ...specialFunctions,
};

/** Results of floating point that are constants to the engine: permutations, and what is kept for backward. */
const constantResults: Readonly<Record<string, readonly string[]>> = {
  linalgLu: ['P'],
  luUnpack: ['P'],
  linalgDet: ['LU'],
  linalgSlogdet: ['LU'],
  linalgSolveEx: ['LU'],
  linalgLstsq: ['residuals', 'singularValues'],
};

/** One differentiable input of an operation. */
export interface Input {
  /** Its place among the arguments. */
  readonly index: number;
  readonly derivative: Derivative;
  /** The formula as one kernel, for each combination of dtypes and numbers; absent where it cannot be one. */
  readonly fused: Map<string, FusedMap | undefined> | undefined;
}

/** An argument or result that some formulas of an operation read. */
export interface SavedName {
  readonly name: string;
  readonly isArgument: boolean;
  /** Whose formulas read it. */
  readonly inputs: readonly Input[];
}

/** A row of the table, ready for use; inputs in the order of the parameters. */
export interface Row {
  readonly inputs: readonly Input[];
  /**
   * What the formulas read: arguments in their order, then results. As in PyTorch, that order decides which of several
   * tensors that were changed is reported.
   */
  readonly saves: readonly SavedName[];
  /** Results through which no gradient flows, by name. */
  readonly constants: readonly string[];
}

const rows = new Map<string, Row | null>();

/**
 * The derivatives of an operation; null if it is marked as not differentiable.
 *
 * @throws RuntimeError if the table lacks it.
 */
export function derivativesOf(op: Op): Row | null {
  let row = rows.get(op.name);
  if (row === undefined) {
    row = compile(op);
    rows.set(op.name, row);
  }
  return row;
}

function compile(op: Op): Row | null {
  const entry = Object.hasOwn(derivatives, op.name) ? derivatives[op.name] : undefined;
  if (entry === undefined) {
    throw new RuntimeError(
      `${op.name}: derivative is not implemented; call it under noGrad() or on detach()ed tensors`,
    );
  }
  if (entry === null) return null;
  const inputs = op.params.flatMap((name, index) => {
    const found = entry[name];
    if (!found) return [];
    const derivative: Derivative =
      typeof found === 'function' ? { saves: [], takes: 'one', formula: found } : found;
    // The gradients of elementwise operations are elementwise themselves.
    const fused = elementwise.has(op.name) ? new Map() : undefined;
    return [{ index, derivative, fused }];
  });
  const names = new Set(inputs.flatMap(({ derivative }) => derivative.saves));
  const saves = [...op.params.filter((name) => names.has(name)), ...names].map((name) => ({
    name,
    isArgument: op.params.includes(name),
    inputs: inputs.filter(({ derivative }) => derivative.saves.includes(name)),
  }));
  return {
    inputs,
    saves: saves.filter(({ name }, i) => saves.findIndex((s) => s.name === name) === i),
    constants: constantResults[op.name] ?? [],
  };
}
