import type { DType, TypedArray } from '../dtype.js';
import { typedArray } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { fillExponential } from './distributions.js';
import type { Mt19937 } from './mt19937.js';
import { asNumbers, requireFloating, roundTo } from './samples.js';

/** What to draw from each row of weights; `samples` draws, without replacement unless asked. */
export interface MultinomialOptions {
  readonly rows: number;
  readonly categories: number;
  readonly samples: number;
  readonly replacement?: boolean;
}

/**
 * Draws category indices in proportion to each row's weights, as PyTorch's CPU `multinomial`:
 * without replacement the largest weight / exponential quotients, with it a binary search in the
 * cumulative weights.
 *
 * @param weights rows * categories elements, row-major; a row need not sum to 1.
 * @returns rows * samples indices, row-major.
 * @throws RuntimeError if a weight is negative or not finite, a row sums to 0, there are more than
 * 2^24 categories, samples < 1, or samples > categories without replacement.
 * @example
 * sampleMultinomial(Float32Array.of(0, 3), 'float32', new Mt19937(0n), { rows: 1, categories: 2, samples: 1 }); // 1n
 * @see https://pytorch.org/docs/stable/generated/torch.multinomial.html
 */
export function sampleMultinomial(
  weights: TypedArray,
  dtype: DType,
  engine: Mt19937,
  options: MultinomialOptions,
): BigInt64Array<ArrayBuffer> {
  const { rows, samples, replacement = false } = options;
  checkMultinomial(dtype, options);
  const values = asNumbers(weights, dtype);
  const out = new BigInt64Array(rows * samples);
  if (replacement) {
    drawWithReplacement(out, values, dtype, engine, options);
  } else {
    drawLargestQuotients(out, values, dtype, engine, options);
  }
  return out;
}

/** @throws RuntimeError if weights of that dtype cannot be drawn from as asked. */
export function checkMultinomial(
  dtype: DType,
  { categories, samples, replacement = false }: Omit<MultinomialOptions, 'rows'>,
): void {
  requireFloating('multinomial', dtype);
  if (!Number.isInteger(samples) || samples <= 0) {
    throw new RuntimeError(`multinomial: numSamples must be a positive integer, got ${samples}`);
  }
  if (!replacement && samples > categories) {
    throw new RuntimeError(
      `multinomial: cannot draw ${samples} of ${categories} categories without replacement; ` +
        'pass true as the third argument (replacement) or draw fewer',
    );
  }
  if (categories > 2 ** 24) {
    throw new RuntimeError(`multinomial: at most 2^24 categories, got ${categories}`);
  }
}

function drawLargestQuotients(
  out: BigInt64Array,
  weights: ArrayLike<number>,
  dtype: DType,
  engine: Mt19937,
  { rows, categories, samples }: MultinomialOptions,
): void {
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < categories; c++) {
      const weight = weights[r * categories + c] as number;
      checkWeight(weight, r, c);
      sum += weight;
    }
    checkSum(sum, r);
  }
  const drawn = typedArray(dtype, rows * categories);
  fillExponential(drawn, dtype, engine);
  const exponentials = asNumbers(drawn, dtype);
  const quotients = new Float64Array(categories);
  for (let r = 0; r < rows; r++) {
    const start = r * categories;
    for (let c = 0; c < categories; c++) {
      quotients[c] = roundTo(
        dtype,
        (weights[start + c] as number) / (exponentials[start + c] as number),
      );
    }
    if (samples === 1) {
      let best = 0;
      for (let c = 1; c < categories; c++) {
        if ((quotients[c] as number) > (quotients[best] as number)) best = c;
      }
      out[r] = BigInt(best);
    } else {
      const order = Uint32Array.from({ length: categories }, (_, c) => c);
      order.sort((a, b) => (quotients[b] as number) - (quotients[a] as number) || a - b);
      for (let s = 0; s < samples; s++) out[r * samples + s] = BigInt(order[s] as number);
    }
  }
}

function drawWithReplacement(
  out: BigInt64Array,
  weights: ArrayLike<number>,
  dtype: DType,
  engine: Mt19937,
  { rows, categories, samples }: MultinomialOptions,
): void {
  const cumulative = new Float64Array(categories);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < categories; c++) {
      const weight = weights[r * categories + c] as number;
      checkWeight(weight, r, c);
      sum = roundTo(dtype, sum + weight);
      cumulative[c] = sum;
    }
    checkSum(sum, r);
    for (let c = 0; c < categories; c++)
      cumulative[c] = roundTo(dtype, (cumulative[c] as number) / sum);
    cumulative[categories - 1] = 1;
    for (let s = 0; s < samples; s++) {
      const u = engine.uniformDouble();
      let low = 0;
      let high = categories;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((cumulative[middle] as number) < u) low = middle + 1;
        else high = middle;
      }
      out[r * samples + s] = BigInt(low);
    }
  }
}

function checkWeight(weight: number, row: number, category: number): void {
  if (weight >= 0 && weight < Number.POSITIVE_INFINITY) return;
  throw new RuntimeError(
    `multinomial: weights must be finite and not negative, got ${weight} at [${row}, ${category}]`,
  );
}

/** @throws RuntimeError if the weights of a row sum to nothing. */
export function checkSum(sum: number, row: number): void {
  if (sum > 0) return;
  throw new RuntimeError(
    `multinomial: the weights of row ${row} sum to ${sum}; one must be positive`,
  );
}
