import { takes } from '../arguments.js';
import { Device, type DeviceLike, getDefaultDevice } from '../device.js';
import {
  category,
  categoryDtype,
  computeType,
  type DType,
  getDefaultDtype,
  isDType,
  type TypedArray,
} from '../dtype.js';
import { resultType } from '../elementwise.js';
import { encode } from '../encode.js';
import { formatShape, kindOf, RuntimeError, ValueError, wrongArgument } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
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
import { keepStorage } from '../scope.js';
import { numel, span } from '../shape.js';
import { signatures } from '../signatures.js';
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
  [Uint8ClampedArray as unknown as typeof Uint8Array, 'uint8'],
  [Int16Array, 'int16'],
  [BigInt64Array, 'int64'],
];

const isTypedArray = (x: unknown): x is TypedArray =>
  ArrayBuffer.isView(x) && !(x instanceof DataView);

/** The dtype whose elements a typed array holds. @throws TypeError for one that does not tell. */
export function typedArrayDtype(operation: string, data: TypedArray): DType {
  const found = typedArrayDtypeOf(data);
  if (!found) {
    throw new TypeError(
      `${operation}: a ${data.constructor.name} does not say its dtype; pass { dtype } (e.g. 'float16' for raw bits in a Uint16Array)`,
    );
  }
  return found;
}

function finish(t: Tensor, options: TensorOptions): Tensor {
  return options.requiresGrad ? t.requiresGrad_() : t;
}

/** Checks a shape that a user gave. @throws RuntimeError if a size is negative or not whole. */
export function checkShape(operation: string, shape: readonly number[]): readonly number[] {
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
  takes('tensor', signatures.tensor, arguments);
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
    checkTypedArray('tensor', data);
    const values = own === dtype ? rawElements(data, dtype) : encode(dtype, data);
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

/** What `allocateArray` gave out, and the storage whose memory it is: each array keeps its storage. */
const lent = new WeakMap<TypedArray, Storage>();

/** The typed array that holds the elements of a dtype; float16 and bfloat16 as raw bits. */
export type ArrayOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'float64'
    ? Float64Array
    : D extends 'float16' | 'bfloat16'
      ? Uint16Array
      : D extends 'int8'
        ? Int8Array
        : D extends 'uint8' | 'bool'
          ? Uint8Array
          : D extends 'int16'
            ? Int16Array
            : D extends 'int32'
              ? Int32Array
              : D extends 'int64'
                ? BigInt64Array
                : never;

/**
 * An array of zeros in the memory of a device, which `fromTypedArray` and `asTensor` make a tensor of without a copy: what is
 * written to one is seen by the other. The memory is held while the array or a tensor over it is; `dispose()` of such a
 * tensor ends the array too. Pages that are not cross-origin isolated move their memory when it grows, which empties the
 * array: there it is to be filled before other tensors are made.
 *
 * @param options the device; default: the default one.
 * @throws RuntimeError where the host cannot address the device's memory; OutOfMemoryError.
 * @see https://pytorch.org/docs/stable/generated/torch.from_numpy.html
 * @example
 * const samples = allocateArray('float32', 1024);
 * const x = asTensor(samples).view([32, 32]);
 * samples[0] = 1; // x[0, 0] is 1
 */
export function allocateArray<D extends DType>(
  dtype: D,
  length: number,
  options: { readonly device?: DeviceLike } = {},
): ArrayOf<D> {
  takes('allocateArray', signatures.allocateArray, arguments);
  if (typeof dtype !== 'string' || !isDType(dtype)) {
    throw new TypeError(
      `allocateArray: argument 'dtype' (position 1) must be a dtype, got ${kindOf(dtype)}`,
    );
  }
  const device = place(options);
  const { backend } = device;
  if (!backend.map) {
    throw new RuntimeError(
      `allocateArray: the memory of '${device}' cannot be addressed by the host; make an ordinary typed array, which fromTypedArray copies there`,
    );
  }
  const target = checkShape('allocateArray', [length]);
  const { storage } = allocate(target, dtype, device);
  keepStorage(storage);
  const array = backend.map(storage.buffer, dtype).subarray(0, length);
  (array as Uint8Array).fill((dtype === 'int64' ? 0n : 0) as number);
  lent.set(array, storage);
  return array as ArrayOf<D>;
}

/**
 * A tensor of the elements of a typed array; shape defaults to one dimension. Arrays made by `allocateArray` share
 * their memory with the tensor, if device and dtype are theirs; all others are copied.
 *
 * What arrays hold: `Float32Array` float32, `Float64Array` float64, `Int8Array`, `Int16Array` and `Int32Array` int8 to int32,
 * `Uint8Array` and `Uint8ClampedArray` uint8, `BigInt64Array` int64, `Float16Array` (where the engine has it) float16. With
 * `dtype`, values are converted, except that a `Uint16Array` is the bits of float16 or bfloat16.
 *
 * @throws RuntimeError if the shape does not fit the number of elements; TypeError for what is no typed array, for one whose
 * memory was transferred away, and for one that does not tell its dtype.
 */
export function fromTypedArray(
  data: TypedArray,
  shape?: readonly number[],
  options: TensorOptions = {},
): Tensor {
  takes('fromTypedArray', signatures.fromTypedArray, arguments);
  checkTypedArray('fromTypedArray', data);
  const storage = lent.get(data);
  const dtype = options.dtype ?? storage?.dtype ?? typedArrayDtype('fromTypedArray', data);
  const device = place(options);
  const length = storage?.length ?? data.length;
  const target = checkShape('fromTypedArray', shape ?? [length]);
  if (numel(target) !== length) {
    throw new RuntimeError(
      `fromTypedArray: shape ${formatShape(target)} is invalid for input of size ${length}`,
    );
  }
  if (storage && storage.device === device && storage.dtype === dtype) {
    return finish(new Tensor(storage, dtype, target), options);
  }
  const raw = rawElements(data, dtype);
  const adopted = device.backend.adopt?.(raw);
  if (!adopted) return finish(upload(raw, target, dtype, device), options);
  return finish(new Tensor(new Storage(device, dtype, length, adopted), dtype, target), options);
}

/** Whether the elements of an array are those of a dtype, as they lie in memory. */
const holds = (data: TypedArray, dtype: DType): boolean =>
  typedArrayDtypeOf(data) === dtype ||
  (data instanceof Uint16Array && (dtype === 'float16' || dtype === 'bfloat16'));

/** The elements of a typed array as the kind of array that holds the dtype; the array itself if it is that. */
function rawElements(data: TypedArray, dtype: DType): TypedArray {
  const raw = isHalfArray(data)
    ? new Uint16Array(data.buffer, data.byteOffset, data.length)
    : (data as unknown) instanceof Uint8ClampedArray
      ? new Uint8Array(data.buffer, data.byteOffset, data.length)
      : data;
  if (holds(data, dtype)) return raw;
  return encode(dtype, data);
}

/** Whether it is a `Float16Array`, which not every engine has. */
const isHalfArray = (data: unknown): boolean =>
  Object.prototype.toString.call(data) === '[object Float16Array]';

const typedArrayDtypeOf = (data: TypedArray): DType | undefined =>
  arrayDtypes.find(([type]) => data instanceof type)?.[1] ??
  (isHalfArray(data) ? 'float16' : undefined);

/** @throws TypeError for what is no typed array, or one whose memory is gone. */
function checkTypedArray(operation: string, data: unknown): void {
  if (!isTypedArray(data)) {
    const hint =
      data instanceof DataView || data instanceof ArrayBuffer || isSharedBuffer(data)
        ? '; say what its bytes are, e.g. new Float32Array(buffer)'
        : '';
    throw new TypeError(
      `${operation}: argument 'data' (position 1) must be a typed array, got ${kindOf(data)}${hint}`,
    );
  }
  if ((data.buffer as { detached?: boolean }).detached && !lent.has(data)) {
    throw new TypeError(
      `${operation}: the memory of the ${data.constructor.name} was transferred away (it is detached)`,
    );
  }
}

const isSharedBuffer = (x: unknown): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer;

/**
 * The tensor itself if it is one of that dtype and device; otherwise a tensor of the values. Memory is shared with arrays
 * that `allocateArray` made, as by `fromTypedArray`; all else is copied.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.as_tensor.html
 */
export function asTensor(data: TensorData | Tensor, options: TensorOptions = {}): Tensor {
  takes('asTensor', signatures.asTensor, arguments);
  if (data instanceof Tensor) return to(data, { dtype: options.dtype, device: options.device });
  if (ArrayBuffer.isView(data)) return fromTypedArray(data as TypedArray, undefined, options);
  return tensor(data, options);
}

/** A tensor with every element `value`, as `operation` makes it. */
function filled(
  operation: string,
  shape: readonly number[],
  value: Scalar,
  options: TensorOptions,
): Tensor {
  const dtype =
    options.dtype ?? (typeof value === 'number' ? getDefaultDtype() : scalarDtype(value));
  checkFits(operation, value, dtype);
  const result = allocate(checkShape(operation, shape), dtype, place(options));
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
}

/** A tensor with every element `value`: floats for numbers, int64 for bigints, bool for booleans unless `dtype` says otherwise. */
export const full = creating(
  'full',
  (shape: readonly number[], value: Scalar, options: TensorOptions = {}): Tensor =>
    filled('full', shape, value, options),
);
/** A tensor of zeros. */
export const zeros = creating(
  'zeros',
  (shape: readonly number[], options: TensorOptions = {}): Tensor =>
    filled('zeros', shape, float0, options),
);
/** A tensor of ones. */
export const ones = creating(
  'ones',
  (shape: readonly number[], options: TensorOptions = {}): Tensor =>
    filled('ones', shape, float1, options),
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
  takes('emptyStrided', signatures.emptyStrided, arguments);
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
  (start: Scalar, end?: Scalar, step?: Scalar, options?: TensorOptions & OutOptions): Tensor;
}

/**
 * Numbers from `start` (0) up to but without `end`, by `step` (1); int64 if all three are whole.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.arange.html
 * @example arange(3); arange(1, 4); arange(0, 1, 0.25)
 */
export const arange = creating('arange', (...args: (Scalar | TensorOptions | undefined)[]) => {
  const given = args.at(-1);
  const options = (typeof given === 'object' && !isScalar(given) ? given : {}) as TensorOptions;
  const [first, second, third] = args.map((x) => (isScalar(x) ? x : undefined));
  const start = second === undefined ? 0 : (first as Scalar);
  const [end, step] = [second ?? (first as Scalar), third ?? 1];
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
export const scalarTensor = explaining(
  'scalarTensor',
  (value: Scalar, options: TensorOptions = {}): Tensor => full([], value, options),
);
