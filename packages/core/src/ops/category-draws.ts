import { RuntimeError } from '../errors.js';
import { checkMultinomial, checkSum } from '../random/index.js';
import { checkValues } from '../read.js';
import { allocate, type Tensor } from '../tensor.js';
import { div, mul, rsub } from './binary.js';
import { to } from './copy.js';
import { type RandomOptions, sampleInto } from './random-fill.js';
import { amin, sum } from './reduce.js';
import { uniformSampler } from './samplers.js';
import { cumsum } from './scan.js';
import { searchsorted } from './search-sorted.js';
import { topk } from './sort.js';
import { clampMax, clampMin } from './ternary.js';
import { log, neg } from './unary.js';
import { narrow } from './view.js';

/** Numbers uniform in [0, 1) from the stream of the tensor's device. */
function uniforms(like: Tensor, shape: readonly number[], options: RandomOptions): Tensor {
  const drawn = allocate(shape, 'float32', like.device);
  sampleInto(drawn, uniformSampler(0, 1), options);
  return drawn;
}

/**
 * Categories in proportion to weights, drawn on the device: without replacement the largest quotients of weights and
 * exponential numbers, with it a search in the cumulative weights. What is wrong with weights is told by the next read.
 */
export function multinomialOnDevice(
  self: Tensor,
  samples: number,
  replacement: boolean,
  options: RandomOptions,
): Tensor {
  const categories = self.shape.at(-1) as number;
  checkMultinomial(self.dtype, { categories, samples, replacement });
  const weights = to(self, 'float32');
  checkValues(amin(weights, -1), (least) => {
    const row = (least as Float32Array).findIndex((weight) => !(weight >= 0));
    if (row < 0) return undefined;
    return new RuntimeError(
      `multinomial: weights must be finite and not negative, got ${least[row]} in row ${row}`,
    );
  });
  checkValues(sum(weights, -1), (sums) => {
    const row = (sums as Float32Array).findIndex((total) => !(total > 0 && total < Infinity));
    if (row < 0) return undefined;
    try {
      checkSum(sums[row] as number, row);
    } catch (error) {
      return error as Error;
    }
    return new RuntimeError(
      `multinomial: weights must be finite, which those of row ${row} are not`,
    );
  });
  if (!replacement) {
    // 1 - u is never 0.
    const exponentials = neg(log(rsub(uniforms(self, self.shape, options), 1)));
    return topk(div(weights, clampMin(exponentials, 1e-30)), samples).indices;
  }
  const cumulative = cumsum(weights, -1);
  const totals = narrow(cumulative, -1, categories - 1, 1);
  const drawn = uniforms(self, [...self.shape.slice(0, -1), samples], options);
  // Less than the total even when the product is rounded up.
  const places = mul(mul(drawn, 1 - 2 ** -23), totals);
  return clampMax(searchsorted(cumulative, places, { right: true }), categories - 1);
}
