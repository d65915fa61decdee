import { fromTypedArray, Tensor } from '@sconce/core';
import { elements, type TensorData, type Value } from '../corpus/value.js';

/** Where the vectors of a basis stand in an output: its columns or its rows. */
type Place = 'columns' | 'rows' | null;

/** Decompositions whose vectors are unique only up to their signs, by output. */
const decompositions: Readonly<Record<string, readonly Place[]>> = {
  qr: ['columns', 'rows'],
  'linalg.qr': ['columns', 'rows'],
  svd: ['columns', null, 'columns'],
  'linalg.svd': ['columns', null, 'rows'],
  symeig: [null, 'columns'],
  'linalg.eigh': [null, 'columns'],
};

/**
 * The outputs of a decomposition with the signs PyTorch's vectors have: what can then be compared, and gives the
 * gradient of the same loss.
 */
export async function alignSigns(op: string, result: Value, expected: Value): Promise<Value> {
  const places = decompositions[op];
  if (!places || !Array.isArray(expected)) return result;
  const outputs = (Array.isArray(result) ? result : Object.values(result as object)) as Tensor[];
  const first = places.findIndex((place) => place !== null);
  const model = expected[first] as TensorData;
  const own = outputs[first];
  if (!(own instanceof Tensor) || own.shape.join() !== model.shape.join()) return result;
  const signs = signsOf(await own.toTypedArray(), model);
  return outputs.map((output, i) => {
    const place = places[i] ?? null;
    return place === null ? output : output.mul(signTensor(signs, output, place));
  });
}

/** For each matrix of a stack, the sign between each column and the expected one. */
function signsOf(actual: ArrayLike<number | bigint>, model: TensorData): number[][] {
  const wanted = elements(model);
  const [rows, columns] = model.shape.slice(-2) as [number, number];
  const count = rows * columns === 0 ? 0 : wanted.length / (rows * columns);
  return Array.from({ length: count }, (_, m) =>
    Array.from({ length: columns }, (__, c) => {
      let dot = 0;
      for (let r = 0; r < rows; r++) {
        const at = (m * rows + r) * columns + c;
        dot += Number(actual[at]) * Number(wanted[at]);
      }
      return dot < 0 ? -1 : 1;
    }),
  );
}

function signTensor(signs: readonly number[][], output: Tensor, place: 'columns' | 'rows'): Tensor {
  const batch = output.shape.slice(0, -2);
  const [rows, columns] = output.shape.slice(-2) as [number, number];
  const length = place === 'columns' ? columns : rows;
  const stack = batch.reduce((a, b) => a * b, 1);
  const values = Float64Array.from(
    { length: stack * length },
    (_, i) => signs[Math.floor(i / length)]?.[i % length] ?? 1,
  );
  const shape = place === 'columns' ? [...batch, 1, length] : [...batch, length, 1];
  return fromTypedArray(values, shape, { dtype: output.dtype, device: output.device });
}
