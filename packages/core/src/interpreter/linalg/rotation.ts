import type { Dense } from './dense.js';

/** A rotation of the plane that takes (y, z) to (r, 0). */
export interface Rotation {
  c: number;
  s: number;
  r: number;
}

/** The length of (y, z); where squares would vanish, without them. */
export function length(y: number, z: number): number {
  const sum = y * y + z * z;
  return sum > 1e-280 ? Math.sqrt(sum) : Math.hypot(y, z);
}

/** Sets `into` to the rotation that takes (y, z) to (r, 0). */
export function rotationOf(y: number, z: number, into: Rotation): void {
  const r = length(y, z);
  into.r = r;
  into.c = r === 0 ? 1 : y / r;
  into.s = r === 0 ? 0 : z / r;
}

/** Rotates rows `i` and `j` of `m` in their plane: they become c i + s j and c j - s i. */
export function rotateRows(m: Dense | undefined, i: number, j: number, c: number, s: number): void {
  if (!m) return;
  const { data, columns } = m;
  const [first, second] = [i * columns, j * columns];
  for (let k = 0; k < columns; k++) {
    const x = data[first + k] as number;
    const y = data[second + k] as number;
    data[first + k] = c * x + s * y;
    data[second + k] = c * y - s * x;
  }
}
