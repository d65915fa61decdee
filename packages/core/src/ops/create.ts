import { Device, getDefaultDevice } from '../device.js';
import {
  category,
  categoryDtype,
  computeType,
  type DType,
  getDefaultDtype,
  type TypedArray,
} from '../dtype.js';
import { resultType } from '../elementwise.js';
import { encode } from '../encode.js';
import { formatShape, RuntimeError, ValueError, wrongArgument } from '../errors.js';
import { execute } from '../execute.js';
import { cast, coord, e, scalar } from '../expr.js';
import type { OutOptions } from '../out.js';
import {
  checkFits,
  Float,
  isScalar,
  type Scalar,
  scalarCategory,
  scalarDtype,
  scalarValue,
} from '../scalar.js';
import { numel, span } from '../shape.js';
import { Storage } from '../storage.js';
import { allocate, type NestedArray, Tensor, type TensorOptions } from '../tensor.js';
import { clone, to } from './copy.js';
import { creating } from './writing.js';

/** What `tensor` takes: numbers, booleans, bigints, nested arrays and typed arrays of them. */
export type TensorData =
  | NestedArray<number | boolean | bigint | Float>
  | TypedArray
  | readonly TensorData[];

const arrayDtypes: readonly (readonly [new (...a: never[]) => TypedArray, DType])[] = [
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [Int32Array, 'int32'],
  [Int8Array, 'int8'],
  [Uint8Array, 'uint8'],
  [Int16Array, 'int16'],
  [BigInt64Array, 'int64'],
];

const isTypedArray = (x: unknown): x is TypedArray =>
  ArrayBuffer.isView(x) && !(x instanceof DataView);

/** The dtype whose elements a typed array holds. @throws TypeError for one that does not tell. */
export function typedArrayDtype(operation: string, data: TypedArray): DType {
  const found = arrayDtypes.find(([type]) => data instanceof type);
  if (!found) {
    throw new TypeError(
      `${operation}: a ${data.constructor.name} does not say its dtype; pass { dtype } (e.g. 'float16' for raw bits in a Uint16Array)`,
    );
  }
  return found[1];
}

function finish(t: Tensor, options: TensorOptions): Tensor {
  return options.requiresGrad ? t.requiresGrad_() : t;
}

/** Checks a shape a user gave. */
function checkShape(operation: string, shape: readonly number[]): readonly number[] {
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RuntimeError(
        `${operation}: Trying to create tensor with negative or non-integer dimension ${size}: ${formatShape(shape)}`,
      );
    }
  }
  return shape;
}

/** Uploads host elements, copying them. */
function upload(data: TypedArray, shape: readonly number[], dtype: DType, device: Device): Tensor {
  const result = allocate(shape, dtype, device);
  if (data.length > 0) device.backend.write(result.storage.buffer, dtype, 0, data);
  return result;
}

const place = (options: TensorOptions): Device =>
  options.device === undefined ? getDefaultDevice() : Device.from(options.device);

/**
 * A tensor with a copy of the given values.
 *
 * Numbers become the default float (float32) whether whole or not, bigints int64, booleans bool, typed
 * arrays what they hold; `dtype` overrides.
 *
 * @throws ValueError if nested arrays are ragged.
 * @see https://pytorch.org/docs/stable/generated/torch.tensor.html
 * @example tensor([[1, 2], [3, 4]]); tensor([0n, 1n]); tensor([0, 1], { dtype: 'int64' })
 */
export function tensor(data: TensorData | Tensor, options: TensorOptions = {}): Tensor {
  if (data instanceof Tensor) {
    const copy = clone(new Tensor(data.storage, data.dtype, data.shape, data.strides, data.offset));
    return finish(to(copy, { dtype: options.dtype, device: options.device }), options);
  }
  if (isTypedArray(data)) {
    const own =
      options.dtype && data instanceof Uint16Array
        ? options.dtype
        : typedArrayDtype('tensor', data);
    const dtype = options.dtype ?? own;
    const values = own === dtype ? data : encode(dtype, data);
    return finish(upload(values, [data.length], dtype, place(options)), options);
  }
  const flat: (number | bigint | boolean)[] = [];
  const shape: number[] = [];
  let highest: 0 | 1 | 2 = 0;
  const visit = (x: TensorData, depth: number): void => {
    if (isScalar(x)) {
      if (shape.length > depth) throw ragged(shape, depth, 0);
      // Plain numbers are floats here: whether 2 was meant as 2.0 must not depend on the value.
      highest = Math.max(highest, typeof x === 'number' ? 2 : scalarCategory(x)) as 0 | 1 | 2;
      flat.push(typeof x === 'boolean' ? x : scalarValue(x));
      return;
    }
    if (!Array.isArray(x) && !isTypedArray(x)) {
      throw new TypeError(
        `tensor: expected numbers, booleans, bigints or nested arrays of them, got ${x === null ? 'null' : typeof x}`,
      );
    }
    const list = x as ArrayLike<TensorData>;
    if (depth === shape.length && (flat.length === 0 || depth === 0)) shape.push(list.length);
    else if (shape[depth] !== list.length) throw ragged(shape, depth, list.length);
    for (let i = 0; i < list.length; i++) visit(list[i] as TensorData, depth + 1);
  };
  visit(data as TensorData, 0);
  if (numel(shape) !== flat.length) throw ragged(shape, shape.length, flat.length);
  const dtype = options.dtype ?? (flat.length === 0 ? getDefaultDtype() : categoryDtype(highest));
  return finish(upload(encode(dtype, flat), shape, dtype, place(options)), options);
}

const ragged = (shape: readonly number[], depth: number, got: number): ValueError =>
  new ValueError(
    `tensor: expected sequence of length ${shape[depth] ?? 'one'} at dim ${depth} (got ${got}); nested arrays must be rectangular`,
  );

/**
 * A tensor over a typed array, sharing its memory where the device can; shape defaults to one dimension.
 *
 * @throws RuntimeError if the shape does not fit the number of elements.
 */
export function fromTypedArray(
  data: TypedArray,
  shape?: readonly number[],
  options: TensorOptions = {},
): Tensor {
  const dtype = options.dtype ?? typedArrayDtype('fromTypedArray', data);
  const device = place(options);
  const target = checkShape('fromTypedArray', shape ?? [data.length]);
  if (numel(target) !== data.length) {
    throw new RuntimeError(
      `fromTypedArray: shape ${formatShape(target)} is invalid for input of size ${data.length}`,
    );
  }
  const holds =
    typedArrayDtypeOf(data) === dtype ||
    (data instanceof Uint16Array && (dtype === 'float16' || dtype === 'bfloat16')) ||
    (data instanceof Uint8Array && dtype === 'bool');
  const raw = holds ? data : encode(dtype, data);
  const adopted = device.backend.adopt?.(raw);
  if (!adopted) return finish(upload(raw, target, dtype, device), options);
  return finish(
    new Tensor(new Storage(device, dtype, data.length, adopted), dtype, target),
    options,
  );
}
const typedArrayDtypeOf = (data: TypedArray): DType | undefined =>
  arrayDtypes.find(([type]) => data instanceof type)?.[1];

/** The tensor itself, or a tensor of the values, sharing memory where it can. */
export function asTensor(data: TensorData | Tensor, options: TensorOptions = {}): Tensor {
  if (data instanceof Tensor) return to(data, { dtype: options.dtype, device: options.device });
  if (isTypedArray(data)) return fromTypedArray(data, undefined, options);
  return tensor(data, options);
}

/** A tensor with every element `value`: floats for numbers, int64 for bigints, bool for booleans unless `dtype` says otherwise. */
export const full = creating(
  'full',
  (shape: readonly number[], value: Scalar, options: TensorOptions = {}): Tensor => {
    const dtype =
      options.dtype ?? (typeof value === 'number' ? getDefaultDtype() : scalarDtype(value));
    checkFits('full', value, dtype);
    const result = allocate(checkShape('full', shape), dtype, place(options));
    const compute = computeType(dtype);
    const source = scalar(0, compute === 'bool' ? 'float32' : compute);
    const raw = scalarValue(value);
    if (numel(shape) > 0) {
      execute({
        kind: 'map',
        shape,
        inputs: [],
        scalars: [raw],
        values: [cast(source, compute)],
        outputs: [result],
      });
    }
    return finish(result, options);
  },
);
/** A tensor of zeros. */
export const zeros = creating(
  'zeros',
  (shape: readonly number[], options: TensorOptions = {}): Tensor => full(shape, float0, options),
);
/** A tensor of ones. */
export const ones = creating(
  'ones',
  (shape: readonly number[], options: TensorOptions = {}): Tensor => full(shape, float1, options),
);
const float0 = new Float(0);
const float1 = new Float(1);
/** A tensor of unspecified content. */
export const empty = creating(
  'empty',
  (shape: readonly number[], options: TensorOptions = {}): Tensor => {
    const dtype = options.dtype ?? getDefaultDtype();
    return finish(allocate(checkShape('empty', shape), dtype, place(options)), options);
  },
);
/** A tensor of unspecified content with the given strides, in elements. */
export function emptyStrided(
  shape: readonly number[],
  strides: readonly number[],
  options: TensorOptions = {},
): Tensor {
  const dtype = options.dtype ?? getDefaultDtype();
  checkShape('emptyStrided', shape);
  const storage = new Storage(place(options), dtype, span(shape, strides));
  return finish(new Tensor(storage, dtype, [...shape], [...strides]), options);
}

/** Numbers computed on the host in double precision, stored as `dtype`. */
function sequence(
  operation: string,
  count: number,
  at: (i: number) => number,
  dtype: DType,
  options: TensorOptions,
): Tensor {
  checkShape(operation, [count]);
  if (count > 2 ** 32 - 1) {
    throw new RuntimeError(`${operation}: ${count} elements are more than an array can hold`);
  }
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = at(i);
  return finish(upload(encode(dtype, values), [count], dtype, place(options)), options);
}

/** Whether all of the numbers are whole, and so mean int64. */
const whole = (...values: readonly Scalar[]): boolean => category(resultType(...values)) < 2;

/** By its end; start and end; start, end and step. */
interface Arange {
  (end: Scalar, options?: TensorOptions & OutOptions): Tensor;
  (start: Scalar, end: Scalar, options?: TensorOptions & OutOptions): Tensor;
  (start: Scalar, end: Scalar, step: Scalar, options?: TensorOptions & OutOptions): Tensor;
}

/**
 * Numbers from `start` (0) up to but without `end`, by `step` (1); int64 if all three are whole.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.arange.html
 * @example arange(3); arange(1, 4); arange(0, 1, 0.25)
 */
export const arange = creating('arange', (...args: (Scalar | TensorOptions | undefined)[]) => {
  const numbers = args.filter(isScalar);
  const options = (args.find((a) => typeof a === 'object' && !isScalar(a)) ?? {}) as TensorOptions;
  const [start, end, step] =
    numbers.length === 1
      ? [0, numbers[0] as Scalar, 1]
      : [numbers[0] as Scalar, numbers[1] as Scalar, numbers[2] ?? 1];
  const [a, b, s] = [start, end, step].map((x) => Number(scalarValue(x))) as [
    number,
    number,
    number,
  ];
  const dtype = options.dtype ?? (whole(start, end, step) ? 'int64' : getDefaultDtype());
  // Integers count from the start and by the step cut off; int64 cuts off the end as well.
  const cut = category(dtype) < 2 ? Math.trunc : (x: number) => x;
  const [from, to, by] = [cut(a), cut(b), cut(s)];
  if (by === 0) throw new RuntimeError(`arange: step must be nonzero, got ${s} for ${dtype}`);
  if (!Number.isFinite(a) || !Number.isFinite(b))
    throw new RuntimeError(`arange: unsupported range: ${a} -> ${b}`);
  if ((by > 0 && from > to) || (by < 0 && from < to)) {
    throw new RuntimeError(
      `arange: upper bound and larger bound inconsistent with step sign (${a}, ${b}, ${s})`,
    );
  }
  const count = Math.ceil(dtype === 'int64' ? (to - from) / by : (b - a) / s);
  return sequence('arange', Math.max(count, 0), (i) => from + i * by, dtype, options);
}) as Arange;

function checkSteps(operation: string, steps: number): void {
  if (!Number.isInteger(steps)) throw wrongArgument(operation, 'steps', 2, 'an integer', steps);
  if (steps < 0)
    throw new RuntimeError(`${operation}: number of steps must be non-negative, got ${steps}`);
}

/** The ends of a range as the dtype holds them: integers are cut off first. */
const bounds = (dtype: DType, start: number, end: number): [number, number] =>
  category(dtype) < 2 ? [Math.trunc(start), Math.trunc(end)] : [start, end];

/** A bound that is a number, or a tensor without dimensions. */
type Bound = number | Tensor;

/** The bounds of a range as numbers; no gradient flows to tensors. @throws RuntimeError for one that has dimensions. */
const numbersOf = (operation: string, bounds: Readonly<Record<string, Bound>>): number[] =>
  Object.entries(bounds).map(([name, x], i) => {
    if (x instanceof Tensor) {
      if (x.shape.length === 0) return Number(x.itemSync());
      throw new RuntimeError(
        `${operation}: only supports 0-dimensional start and end tensors, but got ${name} with ${x.shape.length} dimension(s)`,
      );
    }
    if (!isScalar(x)) throw wrongArgument(operation, name, i, 'a number or a Tensor', x);
    return Number(scalarValue(x));
  });

/** `steps` numbers from `start` to `end`, both included, evenly spaced; either may be a tensor without dimensions. */
export const linspace = creating(
  'linspace',
  (from: Bound, to: Bound, steps: number, options: TensorOptions = {}): Tensor => {
    const [start, end] = numbersOf('linspace', { start: from, end: to }) as [number, number];
    checkSteps('linspace', steps);
    const dtype = options.dtype ?? getDefaultDtype();
    const f = dtype === 'float64' ? (x: number) => x : Math.fround;
    const [a, b] = bounds(dtype, start, end);
    const step = category(dtype) < 2 ? (b - a) / (steps - 1) : f(f(b - a) / (steps - 1));
    // The middle one of an odd number is reached from the end.
    const half = Math.floor(steps / 2);
    const at = (i: number): number => {
      if (steps === 1) return a;
      return i < half ? f(a + f(step * i)) : f(b - f(step * (steps - i - 1)));
    };
    return sequence('linspace', steps, at, dtype, options);
  },
);
/** `steps` numbers from base^start to base^end, evenly spaced in the exponent; the ends as in `linspace`. */
export const logspace = creating(
  'logspace',
  (
    from: Bound,
    to: Bound,
    steps: number,
    options: TensorOptions & { base?: number } = {},
  ): Tensor => {
    const { base = 10 } = options;
    const [start, end] = numbersOf('logspace', { start: from, end: to }) as [number, number];
    checkSteps('logspace', steps);
    const dtype = options.dtype ?? getDefaultDtype();
    const [a, b] = bounds(dtype, start, end);
    const half = Math.max(Math.floor(steps / 2), 1);
    const step = steps > 1 ? (b - a) / (steps - 1) : 0;
    return sequence(
      'logspace',
      steps,
      (i) => base ** (i < half ? a + step * i : b - step * (steps - i - 1)),
      dtype,
      options,
    );
  },
);

/** The identity matrix of `n` rows and `m` (default n) columns. */
export const eye = creating(
  'eye',
  (n: number, m: number | TensorOptions = n, options: TensorOptions = {}): Tensor => {
    const columns = typeof m === 'number' ? m : n;
    for (const [name, size] of Object.entries({ n, m: columns })) {
      if (size < 0)
        throw new RuntimeError(`eye: ${name} must be greater or equal to 0, got ${size}`);
    }
    const given = typeof m === 'number' ? options : m;
    const dtype = given.dtype ?? getDefaultDtype();
    const shape = checkShape('eye', [n, columns]);
    const result = allocate(shape, dtype, place(given));
    if (numel(shape) > 0) {
      execute({
        kind: 'map',
        shape,
        inputs: [],
        scalars: [],
        values: [cast(e.eq(coord(0), coord(1)), computeType(dtype))],
        outputs: [result],
      });
    }
    return finish(result, given);
  },
);

/** A zero-dimensional tensor of a number. */
export const scalarTensor = (value: Scalar, options: TensorOptions = {}): Tensor =>
  full([], value, options);
