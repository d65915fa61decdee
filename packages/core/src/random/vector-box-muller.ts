/**
 * Box-Muller on float32 as PyTorch's AVX2 code computes it, so that normals agree in every bit.
 *
 * The logarithm, sine and cosine are the single-precision polynomials of Cephes, evaluated with the
 * fused multiply-adds that the compiler makes of them. A double holds the product of two floats
 * exactly, and for all 2^24 uniforms the second rounding, to float, turned out to be harmless, so
 * that `fround(a * b + c)` is the fused operation here.
 *
 * @see Moshier, Cephes Mathematical Library, single-precision logf and sinf
 */

const f = Math.fround;

const floats = new Float32Array(1);
const ints = new Int32Array(floats.buffer);

const SQRT_HALF = f(Math.SQRT1_2);
const L0 = f(7.0376836292e-2);
const L1 = f(-1.151461031e-1);
const L2 = f(1.167699874e-1);
const L3 = f(-1.2420140846e-1);
const L4 = f(1.4249322787e-1);
const L5 = f(-1.6668057665e-1);
const L6 = f(2.0000714765e-1);
const L7 = f(-2.4999993993e-1);
const L8 = f(3.3333331174e-1);
const LN2_LOW = f(-2.1219444e-4);
const LN2_HIGH = 0.693359375;

const TWO_PI = f(2 * Math.PI);
const FOUR_OVER_PI = f(4 / Math.PI);
const QUARTER_PI_1 = -0.78515625;
const QUARTER_PI_2 = f(-2.4187564849853516e-4);
const QUARTER_PI_3 = f(-3.774894977445941e-8);
const S0 = f(-1.9515295891e-4);
const S1 = f(8.3321608736e-3);
const S2 = f(-1.6666654611e-1);
const C0 = f(2.443315711809948e-5);
const C1 = f(-1.388731625493765e-3);
const C2 = f(4.166664568298827e-2);

/**
 * Replaces 16 uniforms in [0, 1) from element `start` on by standard normals: element k and k + 8
 * give radius and angle of the pair that takes their places.
 */
export function boxMullerFloat(data: Float32Array, start: number): void {
  for (let i = start; i < start + 8; i++) {
    const radius = f(Math.sqrt(f(-2 * logarithm(f(1 - (data[i] as number))))));

    const angle = f(TWO_PI * (data[i + 8] as number));
    const octant = (f(angle * FOUR_OVER_PI) + 1) & ~1;
    let x = f(octant * QUARTER_PI_1 + angle);
    x = f(octant * QUARTER_PI_2 + x);
    x = f(octant * QUARTER_PI_3 + x);
    const z = f(x * x);
    let c = f(C0 * z + C1);
    c = f(f(c * z + C2) * z);
    c = f(f(c * z - 0.5 * z) + 1);
    let s = f(S0 * z + S1);
    s = f(f(s * z + S2) * z);
    s = f(s * x + x);

    const swap = (octant & 2) !== 0;
    const sine = swap ? c : s;
    const cosine = swap ? s : c;
    data[i] = radius * (((octant + 2) & 4) === 0 ? cosine : -cosine);
    data[i + 8] = radius * ((octant & 4) === 0 ? sine : -sine);
  }
}

/** log x for a float32 x in (0, 1]. */
function logarithm(x: number): number {
  floats[0] = x;
  const bits = ints[0] as number;
  let e = (bits >>> 23) - 126;
  ints[0] = (bits & 0x7fffff) | 0x3f000000;
  let m = floats[0] as number;
  if (m < SQRT_HALF) {
    e--;
    m = f(f(m - 1) + m);
  } else {
    m = f(m - 1);
  }
  const z = f(m * m);
  let y = f(L0 * m + L1);
  y = f(y * m + L2);
  y = f(y * m + L3);
  y = f(y * m + L4);
  y = f(y * m + L5);
  y = f(y * m + L6);
  y = f(y * m + L7);
  y = f(y * m + L8);
  y = f(y * m);
  y = f(y * z + f(e * LN2_LOW));
  y = f(y - 0.5 * z);
  return f(e * LN2_HIGH + f(m + y));
}
