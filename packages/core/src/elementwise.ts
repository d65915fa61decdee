import type { Device } from './device.js';
import {
  type ComputeType,
  canCast,
  category,
  computeType,
  type DType,
  getDefaultDtype,
  promoteTypes,
} from './dtype.js';
import { NotImplementedError, RuntimeError, wrongArgument } from './errors.js';
import { execute } from './execute.js';
import { explained } from './explain.js';
import { cast, type Expr, input, scalar } from './expr.js';
import { autogradEngine } from './grad-mode.js';
import { mayOverflow, wrapAround } from './narrow.js';
import {
  checkResult,
  checkWritable,
  defineOp,
  enter,
  inplace,
  leave,
  mustRecord,
  notCastable,
  type Op,
} from './op.js';
import { checkOutDtype, type OutOptions, refuseGradients, resizeOut } from './out.js';
import type { ScalarValue } from './primitive.js';
import {
  Float,
  isScalar,
  type Scalar,
  scalarCategory,
  scalarDtype,
  scalarValue,
} from './scalar.js';
import { broadcastShapes, isDense, mayOverlap, sameShape, span } from './shape.js';
import { allocate, Tensor } from './tensor.js';
import { currentTrace, type Trace, Traced } from './trace.js';

/** An operand of an elementwise operation. */
export type Operand = Tensor | Scalar;

/**
 * How an elementwise operation relates dtypes:
 * - `same`: computes and returns the promoted dtype;
 * - `float`: integers and bools become the default float first;
 * - `bool`: computes in the promoted dtype, returns bool;
 * - `first`: everything is cast to the dtype of the first operand.
 */
export type Promotion = 'same' | 'float' | 'bool' | 'first';

/** Builds the value of one element from the operands, all of the same compute type. */
// biome-ignore lint/suspicious/noExplicitAny: bodies name as many operands as their row has parameters
export type Body = (...operands: any[]) => Expr;

interface Plan {
  readonly value: Expr;
  readonly dtype: DType;
  readonly compute: ComputeType;
}

/** What an elementwise operation is: everything else follows from this one row. */
export interface ElementwiseRow {
  readonly name: string;
  /** Names of the operands, as the derivative table refers to them; for one with a `~` a plain number may stand. */
  readonly params: string;
  readonly promotion: Promotion;
  readonly body: Body;
  /** The operand, if any, that is a bool condition and takes no part in promotion. */
  readonly condition?: number;
  /** How many of the last operands are numbers that take no part in promotion; default 0. */
  readonly numbers?: number;
  /** Refuses a promoted dtype, or operands of certain dtypes, with the sentence to show. */
  readonly refuse?: (dtype: DType, operands?: readonly Operand[]) => string | undefined;
}

const dtypeCodes: Record<DType, number> = {
  float32: 1,
  float64: 2,
  float16: 3,
  bfloat16: 4,
  int8: 5,
  uint8: 6,
  int16: 7,
  int32: 8,
  int64: 9,
  bool: 10,
};

/**
 * The dtype in which operands meet: tensors with dimensions count before zero-dimensional tensors,
 * these before scalars, and a lower group only matters through a higher category.
 *
 * @see https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
 */
export function resultType(...operands: readonly Operand[]): DType {
  let dims: DType | undefined;
  let zero: DType | undefined;
  let wrapped: DType | undefined;
  for (const x of operands) {
    if (x instanceof Tensor) {
      if (x.shape.length > 0) dims = dims ? promoteTypes(dims, x.dtype) : x.dtype;
      else zero = zero ? promoteTypes(zero, x.dtype) : x.dtype;
    } else {
      const own = scalarDtype(x);
      wrapped = wrapped ? promoteTypes(wrapped, own) : own;
    }
  }
  const merge = (high: DType | undefined, low: DType | undefined): DType | undefined => {
    if (!high || !low) return high ?? low;
    return category(low) > category(high) ? low : high;
  };
  return merge(merge(dims, zero), wrapped) ?? getDefaultDtype();
}

/** An elementwise operation, ready to run on any operands. */
export class Elementwise {
  readonly row: ElementwiseRow;
  readonly op: Op;
  readonly #plans = new Map<number, Plan>();
  readonly #arity: number;
  readonly #takesNumber: readonly boolean[];

  constructor(row: ElementwiseRow) {
    this.row = row;
    const operands = row.params.split(' ');
    this.#arity = operands.length;
    this.#takesNumber = operands.map((name) => name.endsWith('~'));
    this.op = defineOp(row.name, row.params.replaceAll('~', ''), ((...args: Operand[]) =>
      this.run(args)) as Op['forward']);
  }

  /** The operation as a function of operands and `{ out }`. */
  call(args: readonly unknown[]): Tensor {
    const n = this.#arity;
    const operands = (args.length === n ? args : args.slice(0, n)) as readonly Operand[];
    const trace = currentTrace();
    if (trace !== undefined) return this.#traced(operands, trace);
    const options = args[n] as (OutOptions & { inplace?: boolean }) | undefined;
    if (options?.out)
      return options.inplace ? this.inplace(operands) : this.#into(operands, options.out);
    if (mustRecord(operands)) {
      return (autogradEngine() as NonNullable<ReturnType<typeof autogradEngine>>).record(
        this.op,
        operands,
      ) as Tensor;
    }
    return this.run(operands);
  }

  /** The in-place form: the result replaces the first operand. */
  inplace(args: readonly unknown[]): Tensor {
    const self = args[0] as Tensor;
    return inplace(this.op, args, () => this.run(args as readonly Operand[], self));
  }

  #into(operands: readonly Operand[], out: Tensor): Tensor {
    const { name } = this.row;
    refuseGradients(name, [...operands, out]);
    const shapes = operands.flatMap((x) => (x instanceof Tensor ? [x.shape] : []));
    const shape = broadcastShapes(name, ...shapes);
    checkOutDtype(name, this.#plan(operands, out).dtype, out, 'castable');
    // An operand that is resized as `out` is still read as it was.
    const apart = sameShape(out.shape, shape)
      ? operands
      : operands.map((x) => (x === out ? pieceOf(out, [1, ...out.shape], 0, 0) : x));
    resizeOut(name, out, shape);
    checkWritable(name, out);
    this.run(apart, out);
    out.counter.version++;
    return out;
  }

  #plan(operands: readonly Operand[], out?: Tensor): Plan {
    let key = 0;
    for (const x of operands) {
      const code =
        x instanceof Tensor
          ? dtypeCodes[x.dtype] + (x.shape.length === 0 ? 16 : 0)
          : 11 + scalarCategory(x);
      key = key * 32 + code;
    }
    // The default float dtype takes part in promotion.
    key = key * 16 + dtypeCodes[getDefaultDtype()];
    let plan = this.#plans.get(key);
    if (!plan) {
      plan = this.#makePlan(operands, out);
      this.#plans.set(key, plan);
    }
    return plan;
  }

  #makePlan(operands: readonly Operand[], out?: Tensor): Plan {
    let tensors = 0;
    let scalars = 0;
    return this.#expression(
      operands,
      (t) => input(tensors++, computeType(t.dtype)),
      (_, type) => scalar(scalars++, type),
      out,
    );
  }

  /** The operation as part of a longer expression. */
  #traced(operands: readonly Operand[], trace: Trace): Tensor {
    let shape: readonly number[] = [];
    const { value, dtype } = this.#expression(
      operands,
      (t) => {
        if (!(t instanceof Traced)) throw new RuntimeError(`${this.row.name}: not in the trace`);
        shape = broadcastShapes(this.row.name, shape, t.shape);
        return t.expr;
      },
      (x, type) => trace.number(x, type),
    );
    trace.operations++;
    return new Traced(value, dtype, shape);
  }

  /** The value of one element, and the dtypes it is computed and stored in. */
  #expression(
    operands: readonly Operand[],
    read: (x: Tensor) => Expr,
    number: (x: Scalar, type: Exclude<ComputeType, 'bool'>) => Expr,
    out?: Tensor,
  ): Plan {
    const { promotion, refuse, name, condition, numbers = 0 } = this.row;
    const first = operands[0] as Operand;
    let common =
      promotion === 'first' && first instanceof Tensor
        ? first.dtype
        : resultType(
            ...operands.slice(0, operands.length - numbers).filter((_, i) => i !== condition),
          );
    if (promotion === 'float' && category(common) < 2) common = getDefaultDtype();
    const dtype = promotion === 'bool' ? 'bool' : common;
    // A result that cannot be written is the more telling fault.
    if (out !== undefined && !canCast(dtype, out.dtype)) throw notCastable(name, dtype, out.dtype);
    const why = refuse?.(common, operands);
    if (why) throw new NotImplementedError(`${name}: ${why}`);
    const compute = computeType(common);
    const exprs = operands.map((x, i) => {
      const target = i === condition ? 'bool' : compute;
      const value =
        x instanceof Tensor
          ? cast(read(x), target)
          : cast(number(x, target === 'bool' ? 'float32' : target), target);
      const fits = i === condition || (x instanceof Tensor && !mayOverflow(common, x.dtype));
      return fits ? value : wrapAround(value, common);
    });
    return { value: this.#valueOf(exprs, operands), dtype, compute };
  }

  /** The body on its operands. @throws NotImplementedError if it is made of functions that the dtype does not have. */
  #valueOf(exprs: readonly Expr[], operands: readonly Operand[]): Expr {
    try {
      return this.row.body(...exprs);
    } catch (error) {
      throw explained(this.row.name, operands, error);
    }
  }

  /** Writes windows that overlap one after the other, as a loop over all positions would. */
  #runInPieces(operands: readonly Operand[], shape: readonly number[], out: Tensor): Tensor {
    checkResult(this.row.name, out, shape, this.#plan(operands).dtype);
    const sizes = out.shape;
    const alone = sizes.findIndex((_, d) => {
      const rest = (list: readonly number[]) => list.filter((_, i) => i !== d);
      return !mayOverlap(rest(sizes), rest(out.strides));
    });
    const d = Math.max(alone, 0);
    for (let i = 0; i < (sizes[d] as number); i++) {
      const piece = (x: Operand) => (x instanceof Tensor ? pieceOf(x, sizes, d, i) : x);
      this.run(operands.map(piece), pieceOf(out, sizes, d, i));
    }
    return out;
  }

  /** An operand of a kind the operation does not take. */
  #refuse(position: number, x: unknown): never {
    const wanted = this.#takesNumber[position] ? 'a Tensor or a number' : 'a Tensor';
    throw wrongArgument(this.row.name, this.op.params[position] as string, position, wanted, x);
  }

  /** Computes without recording; into `out`, or a new tensor. */
  run(operands: readonly Operand[], out?: Tensor): Tensor {
    const name = this.row.name;
    let device: Device | undefined;
    let shape: readonly number[] | undefined;
    for (let i = 0; i < operands.length; i++) {
      const x = operands[i];
      if (!(x instanceof Tensor)) {
        if (!isScalar(x) || !this.#takesNumber[i]) this.#refuse(i, x);
        continue;
      }
      if (device === undefined) {
        device = x.storage.device;
        shape = x.shape;
        continue;
      }
      if (device !== x.storage.device) {
        const local = bringScalars(name, operands);
        return this.run(local, out);
      }
      if (!sameShape(shape as readonly number[], x.shape))
        shape = broadcastShapes(name, shape as readonly number[], x.shape);
    }
    if (device === undefined || shape === undefined) {
      throw new TypeError(`${name}: expected at least one Tensor among the arguments`);
    }
    if (out !== undefined && this.row.name !== 'fill' && mayOverlap(out.shape, out.strides)) {
      return this.#runInPieces(operands, shape, out);
    }
    const plan = this.#plan(operands, out);
    const inputs: Tensor[] = [];
    const scalars: ScalarValue[] = [];
    for (const x of operands) {
      if (x instanceof Tensor) inputs.push(x);
      else scalars.push(scalarValue(x));
    }
    let result: Tensor;
    let { value } = plan;
    if (out) {
      value = cast(value, computeType(out.dtype));
      checkResult(name, out, shape, plan.dtype);
      for (let i = 0; i < inputs.length; i++) inputs[i] = separate(name, inputs[i] as Tensor, out);
      result = out;
    } else {
      result = allocate(shape, plan.dtype, device);
    }
    const outer = enter(name);
    try {
      execute({ kind: 'map', shape, inputs, scalars, values: [value], outputs: [result] });
    } finally {
      leave(outer);
    }
    return result;
  }
}

/** The `index`-th position of dimension `d` of a tensor broadcast to `shape`, outside of the graph. */
function pieceOf(t: Tensor, shape: readonly number[], d: number, index: number): Tensor {
  const lead = shape.length - t.shape.length;
  const strides = shape.map((_, i) => (t.shape[i - lead] === 1 ? 0 : (t.strides[i - lead] ?? 0)));
  const without = (list: readonly number[]) => list.filter((_, i) => i !== d);
  const offset = t.offset + index * (strides[d] as number);
  return new Tensor(t.storage, t.dtype, without(shape), without(strides), offset, t.counter);
}

/** On mixed devices, zero-dimensional cpu tensors act as numbers; anything else is an error. */
function bringScalars(name: string, operands: readonly Operand[]): Operand[] {
  const target = operands.find(
    (x): x is Tensor =>
      x instanceof Tensor && !(x.shape.length === 0 && x.storage.backend.synchronous),
  );
  return operands.map((x) => {
    if (!(x instanceof Tensor) || x.storage.device === target?.storage.device) return x;
    if (x.shape.length === 0 && x.storage.backend.synchronous) {
      const value = x.itemSync();
      return category(x.dtype) === 2 ? new Float(value) : x.dtype === 'bool' ? value !== 0 : value;
    }
    throw new RuntimeError(
      `${name}: expected all tensors to be on the same device, but found ${target?.device} and ${x.device}; move one with .to('${target?.device}')`,
    );
  });
}

/** Whether two views of one storage show the same elements in the same order, dimensions of size 1 aside. */
function sameElements(a: Tensor, b: Tensor): boolean {
  const long = ({ shape, strides }: Tensor) =>
    shape.flatMap((size, d) => (size === 1 ? [] : [size, strides[d] as number]));
  return a.offset === b.offset && sameShape(long(a), long(b));
}

/** An input that may be read while `out` is written: itself, or a copy where the two partly overlap. */
export function separate(name: string, x: Tensor, out: Tensor): Tensor {
  if (x === out || x.storage !== out.storage) return x;
  if (sameElements(x, out)) return x;
  const end = (t: Tensor) => t.offset + span(t.shape, t.strides);
  if (end(x) <= out.offset || end(out) <= x.offset) return x;
  if (isDense(x.shape, x.strides) && isDense(out.shape, out.strides)) {
    throw new RuntimeError(
      `${name}_: unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.`,
    );
  }
  const copy = allocate(x.shape, x.dtype, x.storage.device);
  execute({
    kind: 'map',
    shape: x.shape,
    inputs: [x],
    scalars: [],
    values: [input(0, computeType(x.dtype))],
    outputs: [copy],
  });
  return copy;
}
