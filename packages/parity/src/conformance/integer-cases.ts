import type { ExprFunction } from '@sconce/core';
import type { Row } from './float-cases.js';

const least = -(2 ** 31);
const most = 2 ** 31 - 1;

/** Integer functions on int32. */
export const int32Cases: Partial<Record<ExprFunction, readonly Row[]>> = {
  add: [
    [1, 2, 3],
    [most, 1, least],
  ],
  sub: [
    [1, 2, -1],
    [least, 1, most],
  ],
  mul: [
    [3, -4, -12],
    [65537, 65537, 131073],
    [most, most, 1],
    [least, -1, least],
  ],
  idiv: [
    [7, 2, 3],
    [-7, 2, -3],
    [7, -2, -3],
    [5, 0, 0],
    [least, -1, least],
    [0, 3, 0],
  ],
  fmod: [
    [7, 3, 1],
    [-7, 3, -1],
    [7, -3, 1],
    [5, 0, 0],
    [least, -1, 0],
  ],
  min: [
    [3, -4, -4],
    [least, most, least],
  ],
  max: [
    [3, -4, 3],
    [least, most, most],
  ],
  neg: [
    [5, -5],
    [least, least],
    [0, 0],
  ],
  abs: [
    [-5, 5],
    [least, least],
    [7, 7],
  ],
  and: [
    [12, 10, 8],
    [-1, 7, 7],
  ],
  or: [
    [12, 10, 14],
    [-8, 1, -7],
  ],
  xor: [
    [12, 10, 6],
    [-1, 5, -6],
  ],
  not: [
    [0, -1],
    [5, -6],
  ],
  shl: [
    [1, 4, 16],
    [1, 31, least],
    [-1, 1, -2],
  ],
  shr: [
    [-8, 1, -4],
    [-1, 31, -1],
    [8, 3, 1],
  ],
  ushr: [
    [-1, 1, most],
    [-1, 31, 1],
    [8, 3, 1],
  ],
  mulhi: [
    [-1, -1, -2],
    [0x10000, 0x10000, 1],
    [-766435501, 12345, 10142],
    [2, 3, 0],
  ],
};

export const int32Comparisons: Partial<Record<ExprFunction, readonly Row[]>> = {
  eq: [
    [1, 1, true],
    [1, -1, false],
  ],
  ne: [
    [1, 1, false],
    [1, -1, true],
  ],
  lt: [
    [-1, 1, true],
    [1, -1, false],
  ],
  le: [
    [1, 1, true],
    [2, 1, false],
  ],
  gt: [
    [1, -1, true],
    [-1, 1, false],
  ],
  ge: [
    [1, 1, true],
    [-1, 1, false],
  ],
};

const least64 = -(2n ** 63n);
const most64 = 2n ** 63n - 1n;

/** Integer functions on int64. */
export const int64Cases: Partial<Record<ExprFunction, readonly Row[]>> = {
  add: [
    [1n, 2n, 3n],
    [most64, 1n, least64],
    [2n ** 40n, 2n ** 40n, 2n ** 41n],
  ],
  sub: [
    [1n, 2n, -1n],
    [least64, 1n, most64],
  ],
  mul: [
    [3n, -4n, -12n],
    [2n ** 40n, 2n ** 20n, 2n ** 60n],
    [2n ** 40n, 2n ** 30n, 0n],
  ],
  idiv: [
    [7n, 2n, 3n],
    [-7n, 2n, -3n],
    [5n, 0n, 0n],
    [least64, -1n, least64],
  ],
  fmod: [
    [7n, 3n, 1n],
    [-7n, 3n, -1n],
    [5n, 0n, 0n],
    [least64, -1n, 0n],
  ],
  min: [[3n, -4n, -4n]],
  max: [
    [3n, -4n, 3n],
    [2n ** 33n, 1n, 2n ** 33n],
  ],
  neg: [
    [5n, -5n],
    [least64, least64],
  ],
  abs: [
    [-5n, 5n],
    [least64, least64],
  ],
  and: [
    [12n, 10n, 8n],
    [-1n, 2n ** 40n, 2n ** 40n],
  ],
  or: [[12n, 10n, 14n]],
  xor: [
    [12n, 10n, 6n],
    [-1n, 0n, -1n],
  ],
  not: [
    [0n, -1n],
    [5n, -6n],
  ],
  shl: [
    [1n, 40n, 2n ** 40n],
    [1n, 63n, least64],
  ],
  shr: [
    [-8n, 1n, -4n],
    [least64, 63n, -1n],
  ],
  ushr: [
    [-1n, 1n, most64],
    [-1n, 63n, 1n],
  ],
};

export const int64Comparisons: Partial<Record<ExprFunction, readonly Row[]>> = {
  eq: [
    [1n, 1n, true],
    [2n ** 32n, 0n, false],
  ],
  ne: [
    [1n, 1n, false],
    [2n ** 32n, 0n, true],
  ],
  lt: [
    [-1n, 1n, true],
    [2n ** 32n, 1n, false],
  ],
  le: [
    [1n, 1n, true],
    [2n, 1n, false],
  ],
  gt: [
    [2n ** 32n, 1n, true],
    [-1n, 1n, false],
  ],
  ge: [
    [1n, 1n, true],
    [-1n, 1n, false],
  ],
};

/** Functions on bools. */
export const boolCases: Partial<Record<ExprFunction, readonly Row[]>> = {
  and: [
    [true, true, true],
    [true, false, false],
    [false, false, false],
  ],
  or: [
    [true, false, true],
    [false, false, false],
    [true, true, true],
  ],
  xor: [
    [true, false, true],
    [true, true, false],
    [false, false, false],
  ],
  not: [
    [true, false],
    [false, true],
  ],
  eq: [
    [true, true, true],
    [true, false, false],
    [false, false, true],
  ],
  ne: [
    [true, true, false],
    [true, false, true],
  ],
};
