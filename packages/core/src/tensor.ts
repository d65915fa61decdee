import { comparable } from './comparable.js';
import { describeTensor, describeTensorAsync } from './describe.js';
import type { Device, DeviceLike } from './device.js';
import { type DType, isFloatingPoint, type TypedArray } from './dtype.js';
import { formatShape, IndexError, RuntimeError } from './errors.js';
import {
  autogradEngine,
  type BackwardOptions,
  type GradFn,
  type HookHandle,
  type TensorMeta,
} from './grad-mode.js';
import { readAll, readAllSync, readOne, readOneSync, toJson, toNested } from './read.js';
import { undoable } from './replay.js';
import { contiguousStrides, isContiguous, normalizeDim, numel } from './shape.js';
import { Storage, type VersionCounter } from './storage.js';

/** Nested arrays of plain values: what `toArray` gives and `tensor` takes. */
export type NestedArray<T = number | boolean> = T | NestedArray<T>[];

/**
 * A strided view of a storage: the values, their dtype, shape, and place. Created by functions
 * such as `tensor` and `zeros`; operations are methods and functions of the same names.
 *
 * @see https://pytorch.org/docs/stable/tensors.html
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * await x.t().matmul(x).sum().item(); // 54
 */
export class Tensor {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Elements from one position to the next, by dimension. */
  readonly strides: readonly number[];
  /** Elements from the start of the storage to the first one of this tensor. */
  readonly offset: number;
  /** @internal Counts in-place writes; views and `detach()` share it, `.data` has its own. */
  readonly counter: VersionCounter;
  /** What autograd keeps here; undefined until it takes part. */
  meta: TensorMeta | undefined = undefined;
  /** @internal What deep comparisons see of the elements: themselves under test runners, else a number of its own. */
  readonly contents: object | number = comparable(this);

  /** @internal Use `tensor`, `zeros`, `fromTypedArray` and the like. */
  constructor(
    storage: Storage,
    dtype: DType,
    shape: readonly number[],
    strides: readonly number[] = contiguousStrides(shape),
    offset = 0,
    counter: VersionCounter = storage,
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.counter = counter;
  }

  get device(): Device {
    return this.storage.device;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  dim(): number {
    return this.shape.length;
  }

  /** The shape, or the size of one dimension. */
  size(): readonly number[];
  size(dim: number): number;
  size(dim?: number): readonly number[] | number {
    if (dim === undefined) return this.shape;
    if (this.shape.length === 0) {
      throw new IndexError('size: Dimension specified as 0 but tensor has no dimensions');
    }
    return this.shape[normalizeDim('size', dim, this.shape.length)] as number;
  }

  /** The strides, in elements. */
  stride(): readonly number[] {
    return this.strides;
  }

  storageOffset(): number {
    return this.offset;
  }

  /** Number of elements. */
  numel(): number {
    return numel(this.shape);
  }

  isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  isFloatingPoint(): boolean {
    return isFloatingPoint(this.dtype);
  }

  /** How often the memory was written in place; shared by all views of it, except through `.data`. */
  get version(): number {
    return this.counter.version;
  }

  /** All dimensions reversed: the transpose of a matrix. */
  get T(): Tensor {
    return this.permute(this.shape.map((_, i) => this.shape.length - 1 - i));
  }

  /** The last two dimensions swapped: the transpose of each matrix in a stack. */
  get mT(): Tensor {
    return this.shape.length === 0 ? this : this.transpose(-2, -1);
  }

  /** The conjugate transpose, which of real numbers is `T`. */
  get H(): Tensor {
    return this.T;
  }

  /** The conjugate transpose of each matrix in a stack, which of real numbers is `mT`. */
  get mH(): Tensor {
    return this.mT;
  }

  /** As `mT`. */
  adjoint(): Tensor {
    return this.mT;
  }

  // autograd

  /** Whether gradients flow to this tensor. Assign to a leaf to change it. */
  get requiresGrad(): boolean {
    return this.meta?.requiresGrad ?? false;
  }

  set requiresGrad(value: boolean) {
    this.requiresGrad_(value);
  }

  /**
   * Starts or stops recording operations on this leaf; returns the tensor itself.
   *
   * @throws RuntimeError on integer tensors and on non-leaves.
   */
  requiresGrad_(value = true): this {
    // A view of what requires grad does so too, and may become a leaf of its own all the same.
    if (!value && !this.requiresGrad) return this;
    if (value && !isFloatingPoint(this.dtype)) {
      throw new RuntimeError(
        `requiresGrad_: only Tensors of floating point dtype can require gradients, got ${this.dtype}`,
      );
    }
    engine('requiresGrad_').setRequiresGrad(this, value);
    return this;
  }

  /** The accumulated gradient, after `backward`; null before. */
  get grad(): Tensor | null {
    return this.meta?.grad ?? null;
  }

  set grad(value: Tensor | null) {
    if (value === null && this.meta === undefined) return;
    if (value !== null && value.shape.join() !== this.shape.join()) {
      throw new RuntimeError(
        `grad: assigned grad has data of a different size ([${value.shape}], the tensor is [${this.shape}])`,
      );
    }
    if (this.meta !== undefined) noteGrad(this.meta);
    if (this.meta === undefined) {
      engine('grad').setRequiresGrad(this, false);
      if (this.meta === undefined) return;
    }
    (this.meta as TensorMeta).grad = value;
  }

  /** The operation that made this tensor, if it was recorded. */
  get gradFn(): GradFn | null {
    return this.meta?.gradFn ?? null;
  }

  /** Whether the tensor was made by the user rather than by a recorded operation. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /** Whether the tensor was made under `inferenceMode`, so that no gradient can flow through it. */
  isInference(): boolean {
    return this.storage.inference;
  }

  /**
   * A tensor on the same memory that is not part of the graph and whose in-place changes autograd does not
   * notice: `detach()` is the safe way, which does.
   *
   * @example weight.data.sub_(0.1); // even between forward and backward, at your own risk
   */
  get data(): Tensor {
    return new Tensor(this.storage, this.dtype, this.shape, this.strides, this.offset, {
      version: 0,
    });
  }

  /** Replaces memory, dtype, shape and place by those of `other`; the tensor stays the object optimizers know. */
  set data(other: Tensor) {
    undoable(this, () => {
      const { storage, dtype, shape, strides, offset, counter } = this;
      return () =>
        Object.assign(this as Mutable<Tensor>, { storage, dtype, shape, strides, offset, counter });
    });
    const { storage, dtype, shape, strides, offset } = other;
    Object.assign(this as Mutable<Tensor>, {
      storage,
      dtype,
      shape,
      strides,
      offset,
      counter: other.storage,
    });
  }

  /**
   * Takes this tensor out of the graph: it becomes a leaf that does not require grad.
   *
   * @throws RuntimeError on a view; use `detach()` there.
   */
  detach_(): this {
    if (this.meta !== undefined) engine('detach_').detach_(this);
    return this;
  }

  /**
   * Computes the gradients of this tensor with respect to the leaves of its graph and adds them to their `grad`.
   *
   * @param gradient the gradient of this tensor; may be left out for a single element (1).
   * @throws RuntimeError if the tensor does not require grad, a saved value was changed, or the graph was freed.
   * @see https://pytorch.org/docs/stable/generated/torch.Tensor.backward.html
   */
  backward(gradient?: Tensor | null, options: BackwardOptions = {}): void {
    engine('backward').backward(this, gradient ?? undefined, options);
  }

  /**
   * As `backward`, for graphs that span devices of which one can only be read asynchronously: gradients that go from it to
   * another are waited for. Await it before anything else is done with the leaves.
   *
   * @example
   * const loss = second(first(x).to('webgpu')).mean(); // `first` lives on the cpu
   * await loss.backwardAsync();
   */
  async backwardAsync(gradient?: Tensor | null, options: BackwardOptions = {}): Promise<void> {
    await engine('backwardAsync').backwardAsync(this, gradient ?? undefined, options);
  }

  /** Calls `hook` with the gradient of this tensor when it is computed; what it returns replaces the gradient. */
  registerHook(hook: (grad: Tensor) => Tensor | undefined): HookHandle {
    return engine('registerHook').registerHook(this, hook);
  }

  /** Keeps the gradient of this non-leaf in `grad` after backward. */
  retainGrad(): void {
    engine('retainGrad').retainGrad(this);
  }

  // reading values back

  /**
   * The only element, as a number (bool: 0 or 1).
   *
   * @throws RuntimeError if there is not exactly one; ValueError on an int64 past 2^53 (use `toBigInt64Array`).
   */
  item(): Promise<number> {
    return readOne(this);
  }

  /** As `item`, at once; only on devices that can (cpu, cuda). */
  itemSync(): number {
    return readOneSync(this);
  }

  /** All elements as nested arrays of numbers (bool: booleans). */
  async toArray(): Promise<NestedArray> {
    return toNested(this, await readAll(this));
  }

  /** As `toArray`, at once; only on devices that can. */
  toArraySync(): NestedArray {
    return toNested(this, readAllSync(this, 'toArraySync'));
  }

  /** All elements in row-major order, copied; float16 and bfloat16 as raw bits, int64 as BigInt64Array. */
  toTypedArray(): Promise<TypedArray> {
    return readAll(this);
  }

  /** As `toTypedArray`, at once; only on devices that can. */
  toTypedArraySync(): TypedArray {
    return readAllSync(this, 'toTypedArraySync');
  }

  /**
   * All elements of an int64 tensor in row-major order, exact.
   *
   * @throws RuntimeError for another dtype.
   */
  async toBigInt64Array(): Promise<BigInt64Array> {
    if (this.dtype !== 'int64') {
      throw new RuntimeError(`toBigInt64Array: expected dtype int64, got ${this.dtype}`);
    }
    return (await readAll(this)) as BigInt64Array;
  }

  /** The text PyTorch prints; values are shown on devices that read at once (elsewhere: `await t.text()`). */
  toString(): string {
    return describeTensor(this);
  }

  /** The text PyTorch prints, on every device. */
  text(): Promise<string> {
    return describeTensorAsync(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /**
   * The elements as `JSON.stringify` writes them: nested arrays of numbers (bool: booleans). What JSON has no numbers for are
   * strings that `Number` and `BigInt` read: 'NaN', 'Infinity', '-Infinity', and int64 past 2^53.
   *
   * @throws RuntimeError on devices that can only be read asynchronously: `JSON.stringify(await t.toArray())`.
   * @example JSON.stringify({ loss: tensor([1, NaN]) }) // {"loss":[1,"NaN"]}
   */
  toJSON(_key?: string): NestedArray<number | boolean | string> {
    return toJson(this, readAllSync(this, 'toJSON', 'toArray()'));
  }

  /**
   * The parts along the first dimension, as views; a tensor without dimensions has none and is not iterable.
   *
   * @example for (const row of x) total.add_(row);
   */
  get [Symbol.iterator](): () => Generator<Tensor, void, undefined> {
    // Looked up rather than called by what asks whether something is iterable, so there must be none to find.
    return (this.shape.length === 0 ? undefined : rows) as () => Generator<Tensor, void, undefined>;
  }

  /** Returns the device memory now; this tensor and every view of it become unusable. */
  dispose(): void {
    this.storage.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Remembers the gradient that a function which may have to be repeated is about to replace. */
function noteGrad(meta: TensorMeta): void {
  undoable(meta, () => {
    const { grad } = meta;
    return () => {
      meta.grad = grad;
    };
  });
}

function* rows(this: Tensor): Generator<Tensor, void, undefined> {
  for (let i = 0; i < (this.shape[0] as number); i++) yield this.select(0, i);
}

function engine(operation: string) {
  const found = autogradEngine();
  if (!found) {
    throw new RuntimeError(
      `${operation}: gradients need the engine; import '@sconce/autograd' (or 'sconce') first`,
    );
  }
  return found;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What tells a device in options of creation functions and `to`. */
export interface TensorOptions {
  dtype?: DType;
  device?: DeviceLike;
  requiresGrad?: boolean;
}

/** As `numel`. @throws RuntimeError if there are more than numbers can count exactly. */
function countElements(shape: readonly number[]): number {
  const n = numel(shape);
  if (n > Number.MAX_SAFE_INTEGER) {
    throw new RuntimeError(
      `a tensor of shape ${formatShape(shape)} has more elements than can be counted (2^53 - 1)`,
    );
  }
  return n;
}

/** A new tensor with uninitialised memory. */
export function allocate(shape: readonly number[], dtype: DType, device: Device): Tensor {
  return new Tensor(new Storage(device, dtype, countElements(shape)), dtype, shape);
}

/** A view of `base`'s memory, of which autograd is told. */
export function makeView(
  base: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Tensor {
  countElements(shape);
  const view = new Tensor(base.storage, base.dtype, shape, strides, offset, base.counter);
  autogradEngine()?.view(view, base);
  return view;
}
