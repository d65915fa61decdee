import type { DType } from './dtype.js';

/** The largest finite number of each floating dtype. */
export const largestFloat = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
} as const satisfies Partial<Record<DType, number>>;

/** The floating dtypes. */
export type FloatDType = keyof typeof largestFloat;

/** Whether a dtype is a floating one. */
export const isFloatDType = (dtype: DType): dtype is FloatDType => dtype in largestFloat;

/** The smallest and the largest number of every other dtype. */
export const integerRange: Readonly<
  Record<Exclude<DType, FloatDType>, readonly [smallest: bigint, largest: bigint]>
> = {
  bool: [0n, 1n],
  uint8: [0n, 255n],
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};
