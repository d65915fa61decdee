/** A function of the library in WGSL, as `f_<name>`. */
export interface WgslFunction {
  /** Functions it calls. */
  readonly needs?: readonly string[];
  readonly code: string;
}

/** Horner's rule, lowest coefficient first. */
export const polynomial = (x: string, coefficients: readonly number[]): string =>
  coefficients.reduceRight((inner, c) => (inner === '' ? `${c}` : `${c}+${x}*(${inner})`), '');

/** (e^r - 1 - r) / r^2 for |r| up to half of ln 2. */
export const expTail = polynomial(
  'r',
  [
    0.5, 0.1666666716337204, 0.04166645556688309, 0.00833331048488617, 0.0013934541493654251,
    0.00019891980628017336,
  ],
);
/** (2 atanh(s) / s - 2) / s^2 in z = s^2, for logarithms of numbers within a factor of sqrt 2 of 1. */
export const logTail = polynomial(
  'z',
  [0.6666666865348816, 0.40000128746032715, 0.285499632358551, 0.23353542387485504],
);
/** Statements that write `c` as k ln 2 + r, with ln 2 in two parts. */
export const reduceByLn2 = `let k=round(c*1.4426950408889634);
let r=(c-k*0.693145751953125)-k*1.428606765330187e-06;`;

/** A sign moved from one float to another. */
export const copySign = (magnitude: string, sign: string): string =>
  `bitcast<f32>(bitcast<u32>(${magnitude})|(bitcast<u32>(${sign})&0x80000000u))`;
