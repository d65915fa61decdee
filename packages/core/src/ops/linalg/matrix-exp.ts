import { isFloatingPoint } from '../../dtype.js';
import { formatShape, RuntimeError } from '../../errors.js';
import { numel } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { add, div, mul } from '../binary.js';
import { eye } from '../create.js';
import { matmul } from '../matmul.js';
import { amax, sum } from '../reduce.js';
import { where } from '../ternary.js';
import { abs, ceil, exp2, log2 } from '../unary.js';
import { detach } from '../view.js';

/** Squarings where the device cannot say at once how many it takes: enough for norms of 65536. */
const usual = 16;

/** Of Taylor's series. */
const degree = 18;

/**
 * The exponential of square matrices, by Taylor's series to degree 18 of the matrix halved until its norm is small, and
 * squared as often.
 *
 * @throws RuntimeError if the matrices are not square or not of floats.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html
 */
export const matrixExp = (self: Tensor): Tensor => {
  const size = self.shape.at(-1);
  if (self.shape.length < 2 || size === undefined || size !== self.shape.at(-2)) {
    throw new RuntimeError(
      `linalg.matrixExp: A must be batches of square matrices, but they are ${formatShape(self.shape)}`,
    );
  }
  if (!isFloatingPoint(self.dtype)) {
    throw new RuntimeError(
      `linalg.matrixExp: expected a tensor of floating type, got ${self.dtype}`,
    );
  }
  if (numel(self.shape) === 0) return self.clone();
  const norm = amax(sum(abs(detach(self)), -2, { keepdim: true }), -1, { keepdim: true });
  // Up to these norms the first term left out is below the precision.
  const limit = self.dtype === 'float64' ? 1.09 : 3;
  const halvings = ceil(log2(div(norm, limit))).clamp(0, 1024);
  const greatest = self.storage.backend.synchronous ? amax(halvings).itemSync() : usual;
  const rounds = Number.isFinite(greatest) ? greatest : 0;
  const scaled = div(self, exp2(halvings));
  const one = eye(size, size, { dtype: self.dtype, device: self.device });
  let result = one.add(div(scaled, degree));
  for (let k = degree - 1; k >= 1; k--) {
    result = add(one, mul(matmul(scaled, result), 1 / k));
  }
  for (let k = 0; k < rounds; k++) {
    result = where(halvings.gt(k), matmul(result, result), result);
  }
  return result;
};
