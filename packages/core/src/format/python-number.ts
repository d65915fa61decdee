/**
 * Python's texts of numbers, digit for digit.
 *
 * `toFixed` and `toExponential` round ties away from zero where Python rounds them to even
 * (`0.03125` to four places is `0.0312` in Python, `0.0313` in JavaScript), and `toFixed` gives up
 * at 1e21. So the decimal digits are computed here from the exact value of the double.
 */

const MANTISSA_BITS = 52n;
const doubleView = new DataView(new ArrayBuffer(8));

/** The exact value of a finite, non-negative double as `numerator / 2^shift`. */
function exactFraction(magnitude: number): { numerator: bigint; shift: bigint } {
  doubleView.setFloat64(0, magnitude);
  const bits = doubleView.getBigUint64(0);
  const biased = bits >> MANTISSA_BITS;
  const fraction = bits & ((1n << MANTISSA_BITS) - 1n);
  const mantissa = biased === 0n ? fraction : fraction | (1n << MANTISSA_BITS);
  // Subnormals share the exponent of the smallest normal numbers.
  const exponent = (biased === 0n ? 1n : biased) - 1023n - MANTISSA_BITS;
  return exponent >= 0n
    ? { numerator: mantissa << exponent, shift: 0n }
    : { numerator: mantissa, shift: -exponent };
}

/** `numerator / denominator` as the nearest integer, ties to even. */
function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const doubled = (numerator % denominator) * 2n;
  const roundUp = doubled > denominator || (doubled === denominator && (quotient & 1n) === 1n);
  return roundUp ? quotient + 1n : quotient;
}

function nonFiniteText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

function signText(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : '';
}

function exponentText(exponent: number): string {
  const sign = exponent < 0 ? '-' : '+';
  return `e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Puts the decimal point behind the first `integerDigits` digits. */
function withPoint(digits: string, integerDigits: number): string {
  if (digits.length <= integerDigits) return digits;
  return `${digits.slice(0, integerDigits)}.${digits.slice(integerDigits)}`;
}

/**
 * Text of a number as Python's `'{:.<precision>f}'.format(value)` gives it.
 *
 * Correctly rounded from the exact double, ties to even; `nan`, `inf`, `-inf` for those.
 *
 * @param value - any double
 * @param precision - digits after the point, a non-negative integer
 *
 * @example
 * formatFixed(3.14159, 2); // '3.14'
 * formatFixed(0.03125, 4); // '0.0312'
 */
export function formatFixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const { numerator, shift } = exactFraction(Math.abs(value));
  const scaled = divideHalfEven(numerator * 10n ** BigInt(precision), 1n << shift);
  const digits = scaled.toString().padStart(precision + 1, '0');
  return signText(value) + withPoint(digits, digits.length - precision);
}

/**
 * Text of a number as Python's `'{:.<precision>e}'.format(value)` gives it: an exponent of at least
 * two digits.
 *
 * Correctly rounded from the exact double, ties to even; `nan`, `inf`, `-inf` for those.
 *
 * @param value - any double
 * @param precision - digits after the point, a non-negative integer
 *
 * @example
 * formatExponent(12345, 4); // '1.2345e+04'
 */
export function formatExponent(value: number, precision: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const sign = signText(value);
  if (value === 0) return `${sign}${withPoint('0'.repeat(precision + 1), 1)}${exponentText(0)}`;

  const magnitude = Math.abs(value);
  const { numerator, shift } = exactFraction(magnitude);
  const scale = (exponent: number): [bigint, bigint] => {
    const power = precision - exponent;
    const denominator = 1n << shift;
    return power >= 0
      ? [numerator * 10n ** BigInt(power), denominator]
      : [numerator, denominator * 10n ** BigInt(-power)];
  };

  let exponent = Number(magnitude.toExponential().split('e')[1]);
  let [top, bottom] = scale(exponent);
  // The shortest text can round up to a power of ten that the value does not reach (1e23).
  if (top < bottom * 10n ** BigInt(precision)) {
    exponent -= 1;
    [top, bottom] = scale(exponent);
  }
  let digits = divideHalfEven(top, bottom).toString();
  if (digits.length > precision + 1) {
    exponent += 1;
    digits = digits.slice(0, precision + 1);
  }
  return `${sign}${withPoint(digits, 1)}${exponentText(exponent)}`;
}

/**
 * Text of a number as Python's `repr` of a float gives it: the shortest digits that give the double
 * back, always with a point or an exponent.
 *
 * @param value - any double
 *
 * @example
 * floatRepr(1); // '1.0'
 * floatRepr(0.00001); // '1e-05'
 */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const [shortest = '0', exponentDigits = '0'] = Math.abs(value).toExponential().split('e');
  const digits = shortest.replace('.', '');
  const exponent = Number(exponentDigits);
  const sign = signText(value);
  if (exponent < -4 || exponent >= 16) {
    return `${sign}${withPoint(digits, 1)}${exponentText(exponent)}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return sign + withPoint(digits.padEnd(exponent + 2, '0'), exponent + 1);
}

/**
 * Text of an integer as Python's `repr` of an int gives it: all digits, never an exponent.
 *
 * @param value - an integer; a number that is none throws a `RangeError`
 *
 * @example
 * intRepr(1e21); // '1000000000000000000000'
 */
export function intRepr(value: number | bigint): string {
  return BigInt(value).toString();
}
