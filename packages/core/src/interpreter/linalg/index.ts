import type { LinalgCall, LinalgRoutines } from '../../primitive.js';
import type { HostView } from '../space.js';
import { type Dense, itemOffsets, readItem, writeItem } from './dense.js';
import { eigh } from './eigh.js';
import { householderMultiply, householderProduct, qr } from './householder.js';
import { ldl, ldlSolve } from './ldl.js';
import { lu, luSolve, permutation } from './lu.js';
import { svd } from './svd.js';
import { cholesky, solveTriangular } from './triangular.js';

/** A call with its views replaced. */
export function mapViews<V, W>(
  { routine, inputs, outputs, flags }: LinalgCall<V>,
  map: (view: V) => W,
): LinalgCall<W> {
  return {
    routine,
    flags,
    inputs: (inputs as readonly V[]).map(map),
    outputs: (outputs as readonly V[]).map(map),
  } as unknown as LinalgCall<W>;
}

/** How many dimensions the operands of a routine have for each item of a batch, inputs and outputs. */
const ranks: {
  readonly [R in keyof LinalgRoutines<never>]: readonly [
    inputs: readonly number[],
    outputs: readonly number[],
  ];
} = {
  cholesky: [[2], [2, 0]],
  lu: [[2], [2, 1, 0]],
  luSolve: [[2, 1, 2], [2]],
  permutation: [[1], [1]],
  qr: [[2], [2, 1]],
  householderProduct: [[2, 1], [2]],
  householderMultiply: [[2, 1, 2], [2]],
  eigh: [[2], [1, 0, 2]],
  svd: [[2], [1, 0, 2, 2]],
  triangularSolve: [[2, 2], [2]],
  ldl: [[2], [2, 1, 0]],
  ldlSolve: [[2, 1, 2], [2]],
};

/** What one item of a batch gives, in the order of the outputs. */
function compute(call: LinalgCall<HostView>, inputs: readonly Dense[]): ArrayLike<number>[] {
  const [a, b, c] = inputs as [Dense, Dense, Dense];
  switch (call.routine) {
    case 'cholesky': {
      const { factor, info } = cholesky(a, call.flags.upper);
      return [factor.data, [info]];
    }
    case 'lu': {
      const { pivots, info } = lu(a, call.flags.pivot);
      return [a.data, pivots, [info]];
    }
    case 'luSolve':
      return [luSolve(a, b.data, c, call.flags.adjoint).data];
    case 'permutation':
      return [permutation(a.data, call.outputs[0].shape.at(-1) as number)];
    case 'qr': {
      const tau = qr(a);
      return [a.data, tau];
    }
    case 'householderProduct':
      return [householderProduct(a, b.data).data];
    case 'householderMultiply':
      return [householderMultiply(a, b.data, c, call.flags.transpose).data];
    case 'eigh': {
      const wanted = call.outputs[2] !== undefined;
      const { values, vectors, info } = eigh(a, call.flags.upper, wanted);
      return [values, [info], vectors.data];
    }
    case 'svd': {
      const [, , u, vt] = call.outputs;
      const k = Math.min(a.rows, a.columns);
      const full = u?.shape.at(-1) !== k || vt?.shape.at(-2) !== k;
      const found = svd(a, u !== undefined, full);
      return [found.s, [found.info], found.u.data, found.v.transposed().data];
    }
    case 'triangularSolve':
      return [solveTriangular(a, b, call.flags.upper, call.flags.unitriangular).data];
    case 'ldl': {
      const { pivots, info } = ldl(a);
      return [a.data, pivots, [info]];
    }
    case 'ldlSolve':
      return [ldlSolve(a, b.data, c).data];
  }
}

/** Runs a routine of linear algebra on host arrays, one matrix after the other, in double precision. */
export function runLinalg(call: LinalgCall<HostView>): void {
  const [inputRanks, outputRanks] = ranks[call.routine];
  const inputs = call.inputs as readonly HostView[];
  const outputs = call.outputs as readonly HostView[];
  const from = inputs.map((view, i) => itemOffsets(view, inputRanks[i] as number));
  const to = outputs.map((view, i) => itemOffsets(view, outputRanks[i] as number));
  const count = (to[0] as Float64Array).length;
  for (let item = 0; item < count; item++) {
    const given = inputs.map((view, i) =>
      readItem(view, from[i]?.[item] as number, inputRanks[i] as number),
    );
    const results = compute(call, given);
    outputs.forEach((view, i) => {
      writeItem(
        view,
        to[i]?.[item] as number,
        results[i] as ArrayLike<number>,
        outputRanks[i] as number,
      );
    });
  }
}
