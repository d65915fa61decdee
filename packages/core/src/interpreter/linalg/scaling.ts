import { Dense } from './dense.js';

/** x times a power of two, which may itself be out of range. */
export function timesPower(x: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return x * 2 ** half * 2 ** (exponent - half);
}

/** The exponent of the greatest element: what squares elements must get them of size about 1. */
export function exponentOf({ data }: Dense): number {
  let greatest = 0;
  for (let i = 0; i < data.length; i++) greatest = Math.max(greatest, Math.abs(data[i] as number));
  return greatest === 0 ? 0 : Math.floor(Math.log2(greatest));
}

/** A matrix times a power of two. */
export const scaled = ({ rows, columns, data }: Dense, exponent: number): Dense =>
  new Dense(
    rows,
    columns,
    data.map((x) => timesPower(x, exponent)),
  );

/** The matrix that stands for the vectors of one that is not finite. */
export const nans = (rows: number, columns: number): Dense =>
  new Dense(rows, columns, new Float64Array(rows * columns).fill(NaN));
