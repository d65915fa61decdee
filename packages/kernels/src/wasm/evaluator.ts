import type { DType, Expr, ExprFunction } from '@sconce/core';
import { itemSize } from '@sconce/core';
import type { LoopKernel, Operand } from '../kernel.js';
import { BROADCAST, CONTIGUOUS, STRIDED } from '../layout.js';
import type { ArgumentLayout } from './arguments.js';
import type { Code } from './code.js';
import { loadValue, type Place, storeValue } from './elements.js';
import { applyFunction, type ImportedMath } from './functions.js';
import { evaluateLoad } from './gather.js';
import { i32, i32x4, v128 } from './opcodes.js';
import { convert, literal, type Value } from './values.js';
import { Vectors } from './vectors.js';
import { weightOf } from './weights.js';

/** Locals that hold the current addresses (or, for indices, values) of operands. */
export type Pointers = Map<number, number>;

/**
 * How often a node changes: never, once a row (or group of rows), once a run along the vector
 * dimension, or with every vector.
 */
export type Level = 0 | 1 | 2 | 3;

/** What a vector of elements is evaluated with. */
interface Position {
  pointers: Pointers;
  level: Level;
  /** Elements after the pointers: multiples of 4 within an unrolled loop. */
  ahead: number;
  /** The local with the number of elements left, where it may be less than 4. */
  remaining: number | undefined;
}

/** Byte distances of lanes 1 to 3: for whole vectors, and held back at the last element. */
interface Distances {
  readonly whole: readonly number[];
  readonly clamped: readonly number[];
}

/** Evaluates expressions on four elements at the current position of a kernel's loops. */
export class Evaluator {
  readonly kernel: LoopKernel;
  readonly layout: ArgumentLayout;
  readonly code: Code;
  readonly v: Vectors;
  /** The imported JavaScript functions. */
  readonly math: ImportedMath;
  readonly #words = new Map<number, number>();
  readonly #levels = new Map<Expr, Level>();
  readonly #values: Map<Expr, Value>[] = [new Map(), new Map(), new Map(), new Map()];
  readonly #distances = new Map<number, Distances>();
  readonly #gatheredStreams: Set<number>;
  /** Lane numbers 0 to 3, held back at the last element of a run. */
  #lanes: number | undefined;
  /** A node whose values were left in an output, to be read again instead of computed. */
  kept: { readonly node: Expr; readonly output: number } | undefined;
  position: Position = { pointers: new Map(), level: 0, ahead: 0, remaining: undefined };

  constructor(
    kernel: LoopKernel,
    layout: ArgumentLayout,
    code: Code,
    fused: boolean,
    math: ImportedMath,
  ) {
    this.kernel = kernel;
    this.layout = layout;
    this.code = code;
    this.v = new Vectors(code, fused);
    this.math = math;
    this.#gatheredStreams = streamsUnderLoads(kernel);
  }

  // ---- arguments

  /** The 32-bit argument at a byte offset, as a local loaded once. */
  argument(offset: number): number {
    let local = this.#words.get(offset);
    if (local === undefined) {
      local = this.code.local('i32');
      const target = local;
      this.code.atStart(() => this.code.get(0).memory(i32.load, offset).set(target));
      this.#words.set(offset, local);
    }
    return local;
  }

  size = (dimension: number): number => this.argument(this.layout.size(dimension));
  stride = (operand: number, dimension: number): number =>
    this.argument(this.layout.stride(operand, dimension));

  // ---- operands: streams, outputs, indices, position

  get outputBase(): number {
    return this.kernel.streams.length;
  }
  get indexBase(): number {
    return this.outputBase + this.kernel.outputs.length;
  }
  get positionOperand(): number {
    return this.indexBase + this.kernel.indices.length;
  }

  operand(o: number): Operand {
    const { streams, outputs, indices, position } = this.kernel;
    return (streams[o] ??
      outputs[o - this.outputBase] ??
      indices[o - this.indexBase] ??
      position) as Operand;
  }

  /** How operand `o` moves between lanes; data that addresses depend on is never read past its end. */
  access(o: number): Operand['access'] {
    const { access } = this.operand(o);
    return access === CONTIGUOUS && this.#gatheredStreams.has(o) ? STRIDED : access;
  }

  /** Whether what changes less often than every vector is the same in all lanes. */
  get lanesAgree(): boolean {
    const { kind, vector } = this.kernel;
    return vector === 'reduced' || kind === 'map' || kind === 'scatter';
  }

  get vectorDimension(): number {
    const { kernel } = this;
    return kernel.vector === 'kept' ? kernel.kept - 1 : kernel.kept + kernel.reduced - 1;
  }

  /** The operands that some expressions use. */
  operandsOf(roots: readonly Expr[]): number[] {
    const { program } = this.kernel;
    const used = new Set<number>();
    for (const e of this.closure(roots)) {
      if (e.op === 'input') used.add(program.streams.indexOf(Number(e.value)));
      else if (e.op === 'coord' || e.op === 'linear') {
        used.add(this.indexBase + program.indices.indexOf(e));
      }
    }
    return [...used];
  }

  /** All nodes that some expressions consist of, arguments first. */
  closure(roots: readonly Expr[]): Expr[] {
    const reached = new Set<Expr>(roots);
    const { order } = this.kernel.program;
    for (let i = order.length - 1; i >= 0; i--) {
      const e = order[i] as Expr;
      if (reached.has(e) && e !== this.kept?.node) for (const a of e.args) reached.add(a);
    }
    return order.filter((e) => reached.has(e));
  }

  /** A rough price of what changes with every vector. */
  weight(roots: readonly Expr[]): number {
    let sum = 0;
    for (const e of this.closure(roots)) if (this.level(e) === 3) sum += weightOf(e);
    return sum;
  }

  // ---- evaluation

  level(e: Expr): Level {
    let level = this.#levels.get(e);
    if (level === undefined) {
      level = this.#findLevel(e);
      this.#levels.set(e, level);
    }
    return level;
  }

  #findLevel(e: Expr): Level {
    const { kernel } = this;
    const { program } = kernel;
    switch (e.op) {
      case 'const':
      case 'scalar':
        return 0;
      case 'stage':
        return 1;
      case 'input':
      case 'coord':
      case 'linear': {
        const o =
          e.op === 'input'
            ? program.streams.indexOf(Number(e.value))
            : this.indexBase + program.indices.indexOf(e);
        if (kernel.kind === 'map' || kernel.kind === 'scatter') {
          return this.access(o) === BROADCAST ? 2 : 3;
        }
        if (this.operand(o).fixed) return 1;
        return kernel.vector === 'reduced' && this.access(o) === BROADCAST ? 2 : 3;
      }
      default: {
        let level: Level = e.op === 'load' ? 1 : 0;
        for (const a of e.args) level = Math.max(level, this.level(a)) as Level;
        return level;
      }
    }
  }

  /** The value of a node at the current position; evaluated at most once for each change. */
  value(e: Expr): Value {
    const level = this.level(e);
    const values = this.#values[level] as Map<Expr, Value>;
    let value = values.get(e);
    if (!value) {
      if (level < this.position.level)
        throw new Error(`${e.op} was not prepared outside of its loop`);
      value = this.#evaluate(e);
      values.set(e, value);
    }
    return value;
  }

  /** Makes the result of a stage known. */
  define(e: Expr, value: Value): void {
    this.#values[1]?.set(e, value);
  }

  /** Evaluates all parts of some expressions that change at most as often as `level`, here and now. */
  prepare(level: Level, roots: readonly Expr[], pointers: Pointers): void {
    const before = this.position;
    for (const e of this.closure(roots)) {
      const own = this.level(e);
      if (own > level || (this.#values[own] as Map<Expr, Value>).has(e)) continue;
      this.position = { pointers, level: own, ahead: 0, remaining: before.remaining };
      this.value(e);
    }
    this.position = before;
  }

  /** Forgets what was evaluated at a level: a new row, run or vector begins. */
  forget(level: Level): void {
    this.#values[level]?.clear();
  }

  #evaluate(e: Expr): Value {
    const { v, code, kernel } = this;
    const { program } = kernel;
    if (e === this.kept?.node) {
      const o = this.outputBase + this.kept.output;
      return loadValue(v, this.operand(o).dtype, this.place(o));
    }
    switch (e.op) {
      case 'const':
        return literal(v, e.dtype, e.value as number | bigint | boolean);
      case 'scalar': {
        const at = this.layout.scalar(
          program.scalars.findIndex((s) => s.index === Number(e.value) && s.dtype === e.dtype),
        );
        const wide = e.dtype === 'float64' || e.dtype === 'int64';
        code.get(0).memory(wide ? v128.load64Splat : v128.load32Splat, at);
        const local = v.take();
        return { type: e.dtype, parts: wide ? [local, local] : [local] };
      }
      case 'input': {
        const o = program.streams.indexOf(Number(e.value));
        return loadValue(v, this.operand(o).dtype, this.place(o));
      }
      case 'coord':
      case 'linear':
        return this.index(this.indexBase + program.indices.indexOf(e));
      case 'stage':
        throw new Error(`stage ${e.value} is used before it is known`);
      case 'load':
        return evaluateLoad(this, e);
      case 'cast':
        return convert(v, this.value(e.args[0] as Expr), e.dtype);
      case 'bitcast':
        return { type: e.dtype, parts: this.value(e.args[0] as Expr).parts };
      default: {
        const args = e.args.map((a) => this.value(a));
        return applyFunction(v, e.op as ExprFunction, args, e.args, this.math);
      }
    }
  }

  /** Where the elements of an operand with memory are at the current position. */
  place(o: number): Place {
    const { pointers, level, ahead, remaining } = this.position;
    const pointer = pointers.get(o);
    if (pointer === undefined) throw new Error(`operand ${o} is not walked here`);
    const push = (): void => {
      this.code.get(pointer);
    };
    const { lanesAgree } = this;
    const access = this.access(o);
    if ((lanesAgree && level < 3) || access === BROADCAST) return { push, repeated: true };
    if (access === CONTIGUOUS) {
      return { push, offset: ahead * itemSize(this.operand(o).dtype) };
    }
    const distances = this.distances(o);
    return { push, distances: remaining === undefined ? distances.whole : distances.clamped };
  }

  /** The values of a coordinate or index at the current position. */
  index(o: number): Value {
    const { v, code } = this;
    const { pointers, level, ahead } = this.position;
    code.get(pointers.get(o) as number).op(i32x4.splat);
    const start = v.take();
    const { lanesAgree } = this;
    const access = this.access(o);
    if ((lanesAgree && level < 3) || access === BROADCAST) return { type: 'int32', parts: [start] };
    let lanes = this.lanes();
    if (ahead > 0) lanes = v.iadd(lanes, v.i32(ahead));
    if (access === CONTIGUOUS) return { type: 'int32', parts: [v.iadd(start, lanes)] };
    code.get(lanes).get(this.stride(o, this.vectorDimension)).op(i32x4.splat).op(i32x4.mul);
    return { type: 'int32', parts: [v.iadd(start, v.take())] };
  }

  /** Lane numbers, those past the end repeating the last. */
  lanes(): number {
    if (this.position.remaining === undefined) return this.v.i32(0, 1, 2, 3);
    this.#lanes ??= this.code.local('v128');
    return this.#lanes;
  }

  distances(o: number): Distances {
    let found = this.#distances.get(o);
    if (!found) {
      const { code } = this;
      const stride = this.stride(o, this.vectorDimension);
      const whole = [stride, code.local('i32'), code.local('i32')];
      code.atStart(() => {
        code
          .get(stride)
          .i32(1)
          .op(i32.shl)
          .set(whole[1] as number);
        code
          .get(stride)
          .i32(3)
          .op(i32.mul)
          .set(whole[2] as number);
      });
      found = { whole, clamped: [code.local('i32'), code.local('i32'), code.local('i32')] };
      this.#distances.set(o, found);
    }
    return found;
  }

  /** Stores a value of the current position in an output. */
  store(output: number, value: Value): void {
    const o = this.outputBase + output;
    storeValue(this.v, this.operand(o).dtype, value, this.place(o), this.position.remaining);
  }

  /** Stores lane 0 at an address. */
  storeOne(dtype: DType, value: Value, address: number): void {
    storeValue(this.v, dtype, value, { push: () => this.code.get(address) }, -1);
  }
}

/** Streams whose elements decide where something else is read or written. */
function streamsUnderLoads(kernel: LoopKernel): Set<number> {
  const { program } = kernel;
  const deciding = new Set<Expr>();
  for (const e of program.order)
    if (e.op === 'load') for (const a of e.args.slice(0, -1)) deciding.add(a);
  if (kernel.scatter) for (const value of program.values.slice(0, -1)) deciding.add(value);
  const found = new Set<number>();
  for (let i = program.order.length - 1; i >= 0; i--) {
    const e = program.order[i] as Expr;
    if (!deciding.has(e)) continue;
    if (e.op === 'input') found.add(program.streams.indexOf(Number(e.value)));
    for (const a of e.args) deciding.add(a);
  }
  return found;
}
