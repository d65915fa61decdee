import { computeType } from '../dtype.js';
import { resultType } from '../elementwise.js';
import { RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { constant, e, input, load, scalar } from '../expr.js';
import { isScalar, type Scalar, scalarDtype } from '../scalar.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { full } from './create.js';
import { searchsorted } from './search-sorted.js';
import { sort } from './sort.js';
import { detach, reshape } from './view.js';
import { writing } from './writing.js';

/** Options of `isin`. */
export interface IsinOptions {
  /** Whether neither side repeats elements: allowed, and not needed. */
  assumeUnique?: boolean;
  /** Give where elements are not among the test elements; default false. */
  invert?: boolean;
}

/**
 * Whether each element is one of the test elements: a bool tensor of the shape of `elements`.
 *
 * @throws RuntimeError if both are numbers.
 * @see https://pytorch.org/docs/stable/generated/torch.isin.html
 */
export const isin = writing(
  'isin',
  (elements: Tensor | Scalar, testElements: Tensor | Scalar, options: IsinOptions = {}): Tensor => {
    const given = [elements, testElements].find((x) => x instanceof Tensor);
    if (!(given instanceof Tensor))
      throw new RuntimeError('isin: at least one of elements and testElements must be a Tensor');
    for (const x of [elements, testElements]) {
      if (x instanceof Tensor && x.dtype === 'bool')
        throw new RuntimeError('isin: Unsupported input type encountered for isin(): bool');
    }
    const { device } = given;
    const dtype = resultType(elements, testElements);
    const tensorOf = (x: Tensor | Scalar) =>
      isScalar(x) ? full([], x, { dtype: scalarDtype(x), device }).to(dtype) : detach(x).to(dtype);
    const wanted = tensorOf(elements);
    const tests = sort(reshape(tensorOf(testElements), [-1]), 0).values;
    const result = allocate(wanted.shape, 'bool', device);
    if (numel(wanted.shape) === 0) return result;
    const found = searchsorted(tests, wanted, { outInt32: true });
    const type = computeType(dtype);
    const at = input(1, 'int32');
    const inside = e.lt(at, scalar(0, 'int32'));
    const same = e.and(inside, e.eq(load(2, type, [at], inside), input(0, type)));
    execute({
      kind: 'map',
      shape: wanted.shape,
      inputs: [wanted, found, tests],
      scalars: [numel(tests.shape)],
      values: [options.invert ? e.xor(same, constant(true, 'bool')) : same],
      outputs: [result],
    });
    return result;
  },
);
