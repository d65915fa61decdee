/** Side of a digit, in pixels. */
export const SIDE = 28;

/** Digits as bytes: 28 * 28 pixels each, one image after the other, and a label each. */
export interface RawDigits {
  pixels: Uint8Array;
  labels: Uint8Array;
}
