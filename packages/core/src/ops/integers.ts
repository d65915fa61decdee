import { constant, type Expr, e } from '../expr.js';
import { zero } from './bodies.js';
import { refusing, type TensorBinary, tensorBinary } from './define.js';

const integersOnly = (name: string) =>
  refusing(name, ['bool', 'float16', 'bfloat16', 'float32', 'float64']);

/** Euclid's algorithm unrolled: no pair of numbers of this width takes more rounds. */
function greatestDivisor(a: Expr, b: Expr): Expr {
  let [x, y] = [e.abs(a), e.abs(b)];
  for (let i = 0; i < (a.dtype === 'int64' ? 92 : 46); i++) {
    const going = e.ne(y, zero(y));
    [x, y] = [
      e.where(going, y, x),
      e.where(going, e.fmod(x, e.where(going, y, constant(1, y.dtype))), y),
    ];
  }
  return x;
}
/** The greatest common divisor, never negative. @throws NotImplementedError on other than integers. */
export const gcd: TensorBinary = tensorBinary(
  'gcd',
  'same',
  greatestDivisor,
  integersOnly('gcd_cpu'),
);
/** The least common multiple, never negative; 0 if either is 0. @throws NotImplementedError on other than integers. */
export const lcm: TensorBinary = tensorBinary(
  'lcm',
  'same',
  (a, b) => {
    const divisor = greatestDivisor(a, b);
    const nothing = e.eq(divisor, zero(a));
    return e.where(
      nothing,
      zero(a),
      e.abs(e.mul(e.idiv(a, e.where(nothing, constant(1, a.dtype), divisor)), b)),
    );
  },
  integersOnly('lcm_cpu'),
);
