import { fromTypedArray, Tensor } from '@sconce/core';
import { elements, type TensorData, type Value } from '../corpus/value.js';

/** Where the vectors of a basis stand in an output: its columns or its rows. */
type Place = 'columns' | 'rows';

/** A decomposition whose vectors are not unique. */
interface Decomposition {
  /** The outputs that hold bases; where the first turns, so do the others. */
  readonly bases: readonly { readonly output: number; readonly place: Place }[];
  /**
   * The output with a value for each vector: vectors of equal values may be any basis of what they span. Without it,
   * and apart from these, vectors are unique up to their signs.
   */
  readonly values?: number;
  /** Whether vectors of the value 0 turn in each basis for itself, as those of singular values do. */
  readonly kernels?: boolean;
}

const decompositions: Readonly<Record<string, Decomposition>> = {
  qr: {
    bases: [
      { output: 0, place: 'columns' },
      { output: 1, place: 'rows' },
    ],
  },
  svd: {
    bases: [
      { output: 0, place: 'columns' },
      { output: 2, place: 'columns' },
    ],
    values: 1,
    kernels: true,
  },
  'linalg.svd': {
    bases: [
      { output: 0, place: 'columns' },
      { output: 2, place: 'rows' },
    ],
    values: 1,
    kernels: true,
  },
  symeig: { bases: [{ output: 1, place: 'columns' }], values: 0 },
  'linalg.eigh': { bases: [{ output: 1, place: 'columns' }], values: 0 },
};

/** Matrices of a stack, one vector of the basis after the other. */
interface Vectors {
  readonly stack: number;
  readonly count: number;
  readonly length: number;
  readonly at: (matrix: number, vector: number, element: number) => number;
}

function vectorsOf(
  data: ArrayLike<number | bigint>,
  shape: readonly number[],
  place: Place,
): Vectors {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const stack = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const [count, length] = place === 'columns' ? [columns, rows] : [rows, columns];
  const at = (m: number, v: number, i: number) =>
    Number(data[m * rows * columns + (place === 'columns' ? i * columns + v : v * columns + i)]);
  return { stack, count, length, at };
}

/** Values that differ by less, as a share of the greatest, count as equal. */
const nearness = (dtype: string): number => (dtype === 'float64' ? 1e-12 : 1e-4);

/** For each vector the first one of those it belongs to, and whether these are the kernel: value 0 or none. */
function groupsOf(
  count: number,
  values: readonly number[] | undefined,
  near: number,
  places: number,
): { first: number[]; kernel: boolean[] } {
  const first: number[] = [];
  const kernel: boolean[] = [];
  const greatest = Math.max(0, ...(values ?? []).map(Math.abs));
  for (let v = 0; v < count; v++) {
    const beyond = v >= places;
    const zero =
      beyond || (values !== undefined && Math.abs(values[v] as number) <= near * greatest);
    const close =
      v > 0 &&
      (beyond
        ? kernel[v - 1] === true || v > places
        : values !== undefined &&
          Math.abs((values[v] as number) - (values[v - 1] as number)) <= near * greatest);
    first.push(close ? (first[v - 1] as number) : v);
    kernel.push(zero);
  }
  return { first, kernel };
}

/** What turns our vectors into the expected ones within each group: their products, or the sign of one. */
function turnOf(own: Vectors, wanted: Vectors, m: number, first: readonly number[]): Float64Array {
  const n = own.count;
  const turn = new Float64Array(n * n);
  const alone = (v: number) => first[v] === v && first[v + 1] !== v;
  for (let v = 0; v < n; v++) {
    for (let w = 0; w < n; w++) {
      if (first[v] !== first[w]) continue;
      let dot = 0;
      for (let i = 0; i < own.length; i++) dot += own.at(m, v, i) * wanted.at(m, w, i);
      turn[v * n + w] = alone(v) ? (dot < 0 ? -1 : 1) : dot;
    }
  }
  return turn;
}

/**
 * The outputs of a decomposition with the signs, and where vectors belong to equal values the basis, that PyTorch's have: what
 * can then be compared, and gives the gradient of the same loss. Vectors are turned within what they span, by their products with
 * the expected ones: the result is the expected basis only if ours is orthonormal and spans the same.
 */
export async function alignBases(op: string, result: Value, expected: Value): Promise<Value> {
  const how = decompositions[op.replace(/^linalg\.qr$/, 'qr')];
  if (!how || !Array.isArray(expected)) return result;
  const outputs = (Array.isArray(result) ? result : Object.values(result as object)) as Tensor[];
  const fits = how.bases.every(({ output }) => {
    const [own, model] = [outputs[output], expected[output] as TensorData];
    return own instanceof Tensor && own.shape.join() === model.shape.join() && own.shape.length > 1;
  });
  if (!fits) return result;
  const all = how.values === undefined ? undefined : elements(expected[how.values] as TensorData);
  const places = Math.min(
    ...how.bases.map(({ output, place }) => {
      const { shape } = expected[output] as TensorData;
      return shape.at(place === 'columns' ? -1 : -2) as number;
    }),
  );
  const aligned = [...outputs];
  let leading: { turns: Float64Array[]; count: number } | undefined;
  for (const { output, place } of how.bases) {
    const own = outputs[output] as Tensor;
    const model = expected[output] as TensorData;
    const [mine, theirs] = [
      vectorsOf(await own.toTypedArray(), own.shape, place),
      vectorsOf(elements(model), model.shape, place),
    ];
    const turns = Array.from({ length: mine.stack }, (_, m) => {
      const values = all && Array.from({ length: places }, (__, i) => Number(all[m * places + i]));
      const { first, kernel } = groupsOf(mine.count, values, nearness(model.dtype), places);
      const turn = turnOf(mine, theirs, m, first);
      const lead = leading?.turns[m];
      if (!lead) return turn;
      // Vectors that belong together turn together; those of a kernel need not.
      const n = mine.count;
      for (let v = 0; v < Math.min(n, places); v++) {
        for (let w = 0; w < Math.min(n, places); w++) {
          if (how.kernels && kernel[v] && kernel[w]) continue;
          turn[v * n + w] = lead[v * (leading as { count: number }).count + w] as number;
        }
      }
      return turn;
    });
    leading ??= { turns, count: mine.count };
    aligned[output] = applied(own, turns, mine.count, place);
  }
  return aligned;
}

/** A basis turned: its vectors' combinations by the matrices `turns`. */
function applied(own: Tensor, turns: readonly Float64Array[], count: number, place: Place): Tensor {
  if (own.shape.includes(0)) return own;
  const values = new Float64Array(turns.length * count * count);
  turns.forEach((turn, m) => {
    values.set(turn, m * count * count);
  });
  const shape = [...own.shape.slice(0, -2), count, count];
  const turn = fromTypedArray(values, shape, { dtype: own.dtype, device: own.device });
  return place === 'columns' ? own.matmul(turn) : turn.transpose(-2, -1).matmul(own);
}
