import type { ComputeType } from '../dtype.js';
import { computeType } from '../dtype.js';
import { SconceError } from '../errors.js';
import { type Expr, type ExprFunction, exprKey } from '../expr.js';
import type { ScalarValue } from '../primitive.js';
import { castFunction, elementFunction, numberToBigint } from './functions.js';
import type { HostView, Register, Space } from './space.js';
import { BLOCK, broadcastStrides, cells, copyIn, gather, register } from './space.js';

/** What the leaves of expressions refer to while one primitive runs. */
export interface Environment {
  readonly operation: string;
  readonly inputs: readonly HostView[];
  readonly scalars: readonly ScalarValue[];
  /** Results of the stages of a reduction, one for each row at hand. */
  readonly stages?: readonly Register[];
  /** Which of those rows the position is in, counted from the start of the space. */
  readonly rowOf?: (position: number) => number;
}

/** Computes the register of one node for the current positions. */
type Step = (environment: Environment, space: Space) => void;

/**
 * Expressions compiled to closures, one a distinct node in order of need. Each fills its register for
 * a whole run of positions, so that the cost of the closure is paid once a run, and a node shared
 * by several others is computed once.
 */
export class Program {
  readonly #steps: Step[] = [];
  readonly #registers = new Map<Expr, Register>();
  readonly #roots: readonly Expr[];

  private constructor(roots: readonly Expr[]) {
    this.#roots = roots;
    for (const root of roots) this.#compile(root);
  }

  static #cache = new Map<string, Program>();

  /** The program of these expressions, compiled once. */
  static of(roots: readonly Expr[]): Program {
    const key = roots.map((root) => root.id).join(' ');
    let program = Program.#cache.get(key);
    if (!program) {
      program = new Program(roots);
      Program.#cache.set(key, program);
    }
    return program;
  }

  /** Computes all roots at the current positions of `space`; read them with `result` before the next run. */
  run(environment: Environment, space: Space): void {
    for (const step of this.#steps) step(environment, space);
  }

  /** The values of root `index` from the last run. */
  result(index: number): Register {
    return this.#registers.get(this.#roots[index] as Expr) as Register;
  }

  #compile(node: Expr): Register {
    const known = this.#registers.get(node);
    if (known) return known;
    const args = node.args.map((arg) => this.#compile(arg));
    if (node.op === 'bitcast') {
      const from = args[0] as Register;
      const Same = register(node.dtype, 0).constructor as new (buffer: ArrayBufferLike) => Register;
      const same = new Same(from.buffer);
      this.#registers.set(node, same);
      return same;
    }
    const out = register(node.dtype, BLOCK);
    this.#registers.set(node, out);
    if (node.op === 'const') {
      (out as Float64Array).fill(
        (typeof node.value === 'boolean' ? Number(node.value) : node.value) as number,
      );
    } else this.#steps.push(stepOf(node, args, out));
    return out;
  }
}

function stepOf(node: Expr, args: readonly Register[], out: Register): Step {
  const index = Number(node.value);
  switch (node.op) {
    case 'input':
      return inputStep(node, index, out);
    case 'load':
      return loadStep(node, index, args, out);
    case 'scalar':
      return ({ scalars }) => {
        (out as Float64Array).fill(scalarOf(scalars[index] as ScalarValue, node.dtype) as number);
      };
    case 'coord':
      return (_, space) => {
        (out as Int32Array).set(space.coords(index).subarray(0, space.length));
      };
    case 'linear':
      return (_, space) => {
        (out as Int32Array).set(space.linear().subarray(0, space.length));
      };
    case 'stage':
      return stageStep(node, index, out);
    case 'cast':
      return mapStep(castFunction((node.args[0] as Expr).dtype, node.dtype), args, out);
    case 'where':
      return whereStep(args, out);
    default: {
      const type = (node.args[0] as Expr).dtype;
      const f = elementFunction(node.op as ExprFunction, type);
      if (!f)
        throw new SconceError(`expression ${exprKey(node)}: ${node.op} has no meaning on ${type}`);
      return mapStep(f, args, out);
    }
  }
}

/** A run-time number as an element of a type. */
function scalarOf(value: ScalarValue, type: ComputeType): number | bigint {
  if (type === 'int64') return typeof value === 'bigint' ? value : numberToBigint(value);
  if (type === 'bool') return Number(value) === 0 ? 0 : 1;
  return typeof value === 'bigint'
    ? Number(type === 'int32' ? BigInt.asIntN(32, value) : value)
    : value;
}

function mapStep(f: unknown, args: readonly Register[], out: Register): Step {
  const to = cells(out);
  const [a = [], b = []] = args.map(cells);
  if (args.length === 1) {
    const unary = f as (x: number) => number;
    return (_, { length }) => {
      for (let i = 0; i < length; i++) to[i] = unary(a[i] as number);
    };
  }
  const binary = f as (x: number, y: number) => number;
  return (_, { length }) => {
    for (let i = 0; i < length; i++) to[i] = binary(a[i] as number, b[i] as number);
  };
}

function whereStep(args: readonly Register[], out: Register): Step {
  const to = cells(out);
  const [condition = [], a = [], b = []] = args.map(cells);
  return (_, { length }) => {
    for (let i = 0; i < length; i++) to[i] = (condition[i] ? a[i] : b[i]) as number;
  };
}

function viewOf(node: Expr, environment: Environment, index: number): HostView {
  const view = environment.inputs[index];
  const { operation } = environment;
  if (!view)
    throw new SconceError(
      `${operation}: ${exprKey(node)} refers to input ${index}, there are ${environment.inputs.length}`,
    );
  if (computeType(view.dtype) !== node.dtype) {
    throw new SconceError(
      `${operation}: ${node.op} ${index} is read as ${node.dtype} but holds ${view.dtype}`,
    );
  }
  return view;
}

function inputStep(node: Expr, index: number, out: Register): Step {
  const offsets = new Int32Array(BLOCK);
  return (environment, space) => {
    const view = viewOf(node, environment, index);
    const strides = broadcastStrides(view, space.sizes.length);
    if (space.follows(strides)) copyIn(view, view.offset + space.start, space.length, out);
    else gather(view, space.offsets(strides, view.offset, offsets), space.length, out);
  };
}

function loadStep(node: Expr, index: number, args: readonly Register[], out: Register): Step {
  const coords = args.slice(0, -2) as Int32Array[];
  const valid = args.at(-2) as Uint8Array;
  const fill = cells(args.at(-1) as Register);
  const offsets = new Int32Array(BLOCK);
  const to = cells(out);
  return (environment, { length }) => {
    const view = viewOf(node, environment, index);
    if (view.shape.length !== coords.length) {
      throw new SconceError(
        `${environment.operation}: load of input ${index} has ${coords.length} coordinates, the input has ${view.shape.length} dimensions`,
      );
    }
    // Positions that read nothing come first in no order: those that do are packed to the front.
    let reads = 0;
    const places: number[] = [];
    for (let i = 0; i < length; i++) {
      if (!valid[i]) continue;
      offsets[reads++] = elementOffset(environment.operation, view, coords, i);
      places.push(i);
    }
    const values = register(node.dtype, reads);
    gather(view, offsets, reads, values);
    const from = cells(values);
    for (let i = 0; i < length; i++) to[i] = fill[i] as number;
    for (let k = 0; k < reads; k++) to[places[k] as number] = from[k] as number;
  };
}

/** Where the element at the i-th of some computed coordinates lies; out of range is a bug of the operation. */
export function elementOffset(
  operation: string,
  view: HostView,
  coords: readonly Int32Array[],
  i: number,
): number {
  let offset = view.offset;
  for (let d = 0; d < coords.length; d++) {
    const at = (coords[d] as Int32Array)[i] as number;
    if (at < 0 || at >= (view.shape[d] as number)) {
      throw new SconceError(
        `${operation}: coordinates [${coords.map((c) => c[i]).join(', ')}] are outside shape [${view.shape.join(', ')}]`,
      );
    }
    offset += at * (view.strides[d] as number);
  }
  return offset;
}

function stageStep(node: Expr, index: number, out: Register): Step {
  const to = cells(out);
  return ({ operation, stages = [], rowOf }, space) => {
    const source = stages[index];
    if (!source || !rowOf) {
      throw new SconceError(
        `${operation}: stage ${index} is not computed where ${exprKey(node)} uses it`,
      );
    }
    const from = cells(source);
    // Positions of arg reductions are held as int32; the node says which integer it wants.
    const wide = out instanceof BigInt64Array && !(source instanceof BigInt64Array);
    for (let i = 0; i < space.length; i++) {
      const value = from[rowOf(space.start + i)] as number;
      to[i] = wide ? (BigInt(value) as unknown as number) : value;
    }
  };
}
