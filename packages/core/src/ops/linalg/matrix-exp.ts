import { isFloatingPoint } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { explaining } from '../../explain.js';
import { mustRecord } from '../../op.js';
import { canRead } from '../../read.js';
import { numel } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { add, div, mul } from '../binary.js';
import { eye } from '../create.js';
import { matmul } from '../matmul.js';
import { amax, sum } from '../reduce.js';
import { where } from '../ternary.js';
import { abs, ceil, exp2, log2 } from '../unary.js';
import { detach } from '../view.js';
import { checkSquare } from './checks.js';

/** Squarings where the device cannot say at once how many it takes: enough for norms of 65536. */
const usual = 16;

/** A sum of powers with their factors, without those of factor 0. */
function combination(powers: readonly Tensor[], factors: readonly number[]): Tensor {
  let total: Tensor | undefined;
  factors.forEach((factor, i) => {
    if (factor === 0) return;
    const term = mul(powers[i] as Tensor, factor);
    total = total ? add(total, term) : term;
  });
  return total as Tensor;
}

const root = Math.sqrt(177);

/** Factors of the powers (identity first) in the parts of which the polynomial of degree 12 is made. */
const parts12 = [
  [-0.018602320514620553, -0.005007023225733177, -0.5734201229602253, -0.13339969394389206],
  [4.6, 0.9928751035384868, -0.13244556105279964, 0.0017299],
  [0.21169311829980944, 0.15822438471572672, 0.1656351694367274, 0.010786277931579243],
  [0, -0.13181061013830184, -0.02027855540589259, -0.006759518468630863],
] as const;

/** The same of degree 18; its powers are 0, 1, 2, 3 and 6. */
const parts18 = [
  [0, -0.10036558103014462, -0.00802924648241157, -0.00089213849804573, 0],
  [0, 0.3978497494996451, 1.3678377846041172, 0.49828962252538267, -0.0006378981945947233],
  [
    -10.967639605296206, 1.680158138789062, 0.05717798464788655, -0.0069821012248805206,
    3.349750170860705e-5,
  ],
  [
    -0.09043168323908106, -0.06764045190713819, 0.06759613017704597, 0.029555257042931552,
    -1.391802575160607e-5,
  ],
  [0, 0, -0.09233646193671186, -0.016936493900208172, -1.400867981820361e-5],
] as const;

/**
 * Taylor's polynomials of the exponential with as few products as there can be: degree 8 takes three, 12 four, 18 five.
 *
 * Bader, Blanes and Casas, "Computing the matrix exponential with an optimized Taylor polynomial approximation" (2019).
 */
const polynomials: readonly ((one: Tensor, a: Tensor) => Tensor)[] = [
  (one, a) => add(one, a),
  (one, a) => combination([one, a, matmul(a, a)], [1, 1, 1 / 2]),
  (one, a) => {
    const square = matmul(a, a);
    const rest = matmul(square, combination([one, a, square], [1 / 2, 1 / 6, 1 / 24]));
    return combination([one, a, rest], [1, 1, 1]);
  },
  (one, a) => {
    const scale = 2 / 3;
    const square = matmul(a, a);
    const fourth = matmul(
      square,
      combination([a, square], [(scale * (1 + root)) / 88, (scale * (1 + root)) / 352]),
    );
    const eighth = matmul(
      combination([square, fourth], [scale, 1]),
      combination(
        [one, a, square, fourth],
        [
          (-271 + 29 * root) / (315 * scale),
          (11 * (-1 + root)) / (1260 * scale),
          (11 * (-9 + root)) / (5040 * scale),
          (89 - root) / (5040 * scale * scale),
        ],
      ),
    );
    return combination([one, a, square, eighth], [1, 1, (857 - 58 * root) / 630, 1]);
  },
  (one, a) => {
    const square = matmul(a, a);
    const powers = [one, a, square, matmul(a, square)];
    const [first, second, third, fourth] = parts12.map((part) => combination(powers, part)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const sixth = add(third, matmul(fourth, fourth));
    return add(first, matmul(add(second, sixth), sixth));
  },
  (one, a) => {
    const square = matmul(a, a);
    const cube = matmul(a, square);
    const powers = [one, a, square, cube, matmul(cube, cube)];
    const [first, second, third, fourth, fifth] = parts18.map((part) =>
      combination(powers, part),
    ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const ninth = add(matmul(first, fifth), fourth);
    return add(second, matmul(add(third, ninth), ninth));
  },
];

/** Up to which norm the polynomial of each degree is exact to the last digit. */
const limits = {
  float32: [1.19209e-7, 5.97886e-4, 5.11662e-2, 5.80052e-1, 1.46166, 3.01007],
  float64: [2.22045e-16, 2.58096e-8, 3.39717e-4, 4.99123e-2, 2.99616e-1, 1.09086],
} as const;

/**
 * The exponential of square matrices, by a Taylor polynomial of the matrix halved until its norm is small, and squared as often.
 *
 * @throws RuntimeError if the matrices are not square or not of floats.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html
 */
export const matrixExp = explaining('matrixExp', (self: Tensor): Tensor => {
  checkSquare('linalg.matrixExp', self);
  if (!isFloatingPoint(self.dtype)) {
    throw new RuntimeError(
      `linalg.matrixExp: Expected a floating point or complex tensor as input. Got ${self.dtype}`,
    );
  }
  if (numel(self.shape) === 0) return self.clone();
  const known = limits[self.dtype === 'float64' ? 'float64' : 'float32'];
  const limit = known[known.length - 1] as number;
  const norm = amax(sum(abs(detach(self)), -2, { keepdim: true }), -1, { keepdim: true });
  const one = eye(self.shape.at(-1) as number, { dtype: self.dtype, device: self.device });
  const greatest = canRead(norm) ? amax(norm).itemSync() : Infinity;
  // Short polynomials have the value to the last digit, not the derivatives.
  const least = mustRecord([self]) ? known.length - 1 : 0;
  const enough = known.findIndex((bound, i) => i >= least && greatest <= bound);
  if (enough >= 0) return (polynomials[enough] as (typeof polynomials)[number])(one, self);
  const halvings = ceil(log2(div(norm, limit))).clamp(0, 1024);
  const rounds = Number.isFinite(greatest)
    ? Math.max(0, Math.ceil(Math.log2(greatest / limit)))
    : canRead(norm)
      ? 0
      : usual;
  const largest = polynomials[polynomials.length - 1] as (typeof polynomials)[number];
  let result = largest(one, div(self, exp2(halvings)));
  for (let k = 0; k < rounds; k++) {
    result = where(halvings.gt(k), matmul(result, result), result);
  }
  return result;
});
