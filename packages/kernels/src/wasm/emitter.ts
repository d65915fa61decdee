import type { DType, Expr, ExprFunction } from '@sconce/core';
import type { LoopKernel, Operand } from '../kernel.js';
import { BROADCAST, CONTIGUOUS, STRIDED } from '../layout.js';
import type { ArgumentLayout } from './arguments.js';
import type { Code } from './assembler.js';
import { applyFunction, type ImportedMath } from './functions.js';
import { control, i32, i32x4, v128 } from './opcodes.js';
import {
  convert,
  literal,
  loadValue,
  type Place,
  pushLane,
  select,
  storeValue,
  type Value,
} from './values.js';
import { Vectors } from './vectors.js';

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

const weights: Partial<Record<string, number>> = {
  const: 0,
  scalar: 0,
  input: 1,
  load: 16,
  add: 1,
  sub: 1,
  mul: 1,
  neg: 1,
  abs: 1,
  div: 4,
  sqrt: 5,
  min: 3,
  max: 3,
  where: 2,
  cast: 2,
  bitcast: 0,
  exp: 20,
  exp2: 20,
  sigmoid: 35,
  tanh: 36,
  log: 34,
  erf: 52,
  sin: 33,
  cos: 33,
  pow: 165,
  lgamma: 560,
  digamma: 400,
};

/** Bodies up to this weight are written twice, for whole vectors and for the last one. */
export const LIGHT = 300;

/** A rough price of evaluating a node once on four elements: 1 is a quarter of a nanosecond. */
export function weightOf(e: Expr): number {
  const known = weights[e.op];
  const wide = e.dtype === 'float64' || e.dtype === 'int64' ? 2 : 1;
  // Functions of float64 go through JavaScript, lane by lane.
  if (known !== undefined && (wide === 1 || known < 16)) return known * wide;
  return e.args.length === 0 || e.dtype === 'bool' || e.dtype === 'int32' ? 2 : 105;
}

/** Writes one exported function of a kernel: arguments, evaluation of expressions, loops. */
export class Emitter {
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
        return this.#load(e);
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
    const once =
      this.kernel.vector === 'reduced' ||
      this.kernel.kind === 'map' ||
      this.kernel.kind === 'scatter';
    const access = this.access(o);
    if ((once && level < 3) || access === BROADCAST) return { push, repeated: true };
    if (access === CONTIGUOUS) {
      return { push, offset: ahead * itemBytes[this.operand(o).dtype] };
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
    const once =
      this.kernel.vector === 'reduced' ||
      this.kernel.kind === 'map' ||
      this.kernel.kind === 'scatter';
    const access = this.access(o);
    if ((once && level < 3) || access === BROADCAST) return { type: 'int32', parts: [start] };
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

  /** Reads an operand at computed coordinates. */
  #load(e: Expr): Value {
    const { v, code, kernel } = this;
    const l = kernel.program.loads.indexOf(Number(e.value));
    const { dtype } = kernel.loads[l] as { dtype: DType };
    const coords = e.args.slice(0, -2);
    const valid = e.args.at(-2) as Expr;
    const fill = e.args.at(-1) as Expr;
    const always = valid.op === 'const' && valid.value === true;
    const base = this.argument(this.layout.loadPointer(l));
    if (this.level(e) < 3 && this.#uniformLevels(e)) {
      // One element for all lanes.
      return this.#loadOne(e, l, dtype, base);
    }
    // Evaluated before the scope: values live longer than it.
    const where = coords.map((c) => this.value(c).parts[0] as number);
    const mask = always ? undefined : (this.value(valid).parts[0] as number);
    const addresses = v.scoped(() => {
      code.get(base).op(i32x4.splat);
      let sum = v.take();
      const safe = sum;
      where.forEach((local, d) => {
        code.get(local);
        code
          .get(this.argument(this.layout.loadStride(l, d)))
          .op(i32x4.splat)
          .op(i32x4.mul);
        sum = v.iadd(sum, v.take());
      });
      // Where nothing may be read, read the first element of the operand and drop it.
      return mask === undefined ? sum : v.select(mask, sum, safe);
    });
    const loaded = this.gather(dtype, addresses);
    return always ? loaded : select(v, this.value(valid), loaded, this.value(fill));
  }

  /** Whether nodes below level 3 have the same value in all lanes. */
  #uniformLevels(_e: Expr): boolean {
    return (
      this.kernel.vector === 'reduced' ||
      this.kernel.kind === 'map' ||
      this.kernel.kind === 'scatter'
    );
  }

  #loadOne(e: Expr, l: number, dtype: DType, base: number): Value {
    const { v, code } = this;
    const coords = e.args.slice(0, -2);
    const valid = e.args.at(-2) as Expr;
    const fill = e.args.at(-1) as Expr;
    const address = code.local('i32');
    code.get(base);
    coords.forEach((c, d) => {
      pushLane(v, this.value(c), 0);
      code
        .get(this.argument(this.layout.loadStride(l, d)))
        .op(i32.mul)
        .op(i32.add);
    });
    code.set(address);
    const always = valid.op === 'const' && valid.value === true;
    if (!always) {
      code.get(address).get(base);
      pushLane(v, this.value(valid), 0);
      code.op(control.select).set(address);
    }
    const loaded = loadValue(v, dtype, { push: () => code.get(address), repeated: true });
    return always ? loaded : select(v, this.value(valid), loaded, this.value(fill));
  }

  /** Loads four elements from four addresses, at once if they follow one another. */
  gather(dtype: DType, addresses: number): Value {
    const { v, code } = this;
    const bytes = itemBytes[dtype];
    const lane = [0, 1, 2, 3].map(() => code.local('i32'));
    code
      .get(addresses)
      .lane(i32x4.extractLane, 0)
      .set(lane[0] as number);
    const distances = [1, 2, 3].map((k) => lane[k] as number);
    const wide = bytes === 8;
    const results = [code.local('v128'), ...(wide ? [code.local('v128')] : [])];
    const finish = (value: Value): void => {
      value.parts.forEach((p, i) => {
        code.get(p).set(results[i] as number);
      });
    };
    let type: Value['type'] = 'float32';
    code
      .get(addresses)
      .get(lane[0] as number)
      .op(i32x4.splat)
      .op(i32x4.sub);
    code
      .get(v.i32(0, bytes, 2 * bytes, 3 * bytes))
      .op(i32x4.eq)
      .op(i32x4.allTrue);
    code.if(
      () => {
        v.scope(() => {
          const value = loadValue(v, dtype, { push: () => code.get(lane[0] as number) });
          type = value.type;
          finish(value);
          return [];
        });
      },
      () => {
        v.scope(() => {
          for (const k of [1, 2, 3]) {
            code.get(addresses).lane(i32x4.extractLane, k);
            code
              .get(lane[0] as number)
              .op(i32.sub)
              .set(lane[k] as number);
          }
          finish(loadValue(v, dtype, { push: () => code.get(lane[0] as number), distances }));
          return [];
        });
      },
    );
    return { type, parts: results };
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

  // ---- loops

  /** A loop that runs `body` while the condition that `test` pushes holds. */
  while(test: () => void, body: () => void): void {
    const { code } = this;
    code.block((done) => {
      code.loop((again) => {
        test();
        code.op(i32.eqz).brIf(done);
        body();
        code.br(again);
      });
    });
  }

  /** The address of an operand's first element, or 0 for an index. */
  base(o: number): number | undefined {
    return o < this.indexBase ? this.argument(this.layout.pointer(o)) : undefined;
  }

  /**
   * Walks positions [begin, end) of the dimensions in row-major order, one run along the last of them at a time.
   * Without `begin` it starts at 0.
   */
  walk(
    dimensions: readonly number[],
    begin: number | undefined,
    end: number,
    operands: readonly number[],
    bases: (o: number) => number | undefined,
    run: (count: number, pointers: Pointers) => void,
  ): void {
    const { code } = this;
    const inner = dimensions.at(-1) as number;
    const outer = dimensions.slice(0, -1);
    const pointers: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
    const count = code.local('i32');
    const pushBase = (o: number): void => {
      const base = bases(o);
      if (base === undefined) code.i32(0);
      else code.get(base);
    };
    if (outer.length === 0) {
      for (const [o, pointer] of pointers) {
        pushBase(o);
        if (begin !== undefined) code.get(begin).get(this.stride(o, inner)).op(i32.mul).op(i32.add);
        code.set(pointer);
      }
      code.get(end);
      if (begin !== undefined) code.get(begin).op(i32.sub);
      code.set(count);
      run(count, pointers);
      return;
    }
    const at = code.local('i32');
    const coordinates = new Map(dimensions.map((d) => [d, code.local('i32')]));
    const coordinate = (d: number): number => coordinates.get(d) as number;
    if (begin === undefined) {
      code.i32(0).set(at);
      for (const d of dimensions) code.i32(0).set(coordinate(d));
    } else {
      this.unravel(dimensions, begin, coordinate);
      code.get(begin).set(at);
    }
    this.while(
      () => code.get(at).get(end).op(i32.ltU),
      () => {
        code.get(this.size(inner)).get(coordinate(inner)).op(i32.sub).set(count);
        code.get(end).get(at).op(i32.sub).get(count).op(i32.ltU);
        code.if(() => code.get(end).get(at).op(i32.sub).set(count));
        for (const [o, pointer] of pointers) {
          pushBase(o);
          for (const d of begin === undefined ? outer : dimensions) {
            code.get(coordinate(d)).get(this.stride(o, d)).op(i32.mul).op(i32.add);
          }
          code.set(pointer);
        }
        run(count, pointers);
        code.get(at).get(count).op(i32.add).set(at);
        code.i32(0).set(coordinate(inner));
        this.advance(outer, coordinate);
      },
    );
  }

  /** Splits a flat position into coordinates. */
  unravel(dimensions: readonly number[], flat: number, coordinate: (d: number) => number): void {
    const { code } = this;
    const rest = code.local('i32');
    code.get(flat).set(rest);
    for (let i = dimensions.length - 1; i > 0; i--) {
      const d = dimensions[i] as number;
      code.get(rest).get(this.size(d)).op(i32.remU).set(coordinate(d));
      code.get(rest).get(this.size(d)).op(i32.divU).set(rest);
    }
    code.get(rest).set(coordinate(dimensions[0] as number));
  }

  /** Steps coordinates to the next position, the last dimension first. */
  advance(dimensions: readonly number[], coordinate: (d: number) => number): void {
    const { code } = this;
    const step = (i: number): void => {
      const d = dimensions[i] as number;
      code.get(coordinate(d)).i32(1).op(i32.add).tee(coordinate(d));
      if (i === 0) {
        code.op(control.drop);
        return;
      }
      code.get(this.size(d)).op(i32.eq);
      code.if(() => {
        code.i32(0).set(coordinate(d));
        step(i - 1);
      });
    };
    if (dimensions.length > 0) step(dimensions.length - 1);
  }

  /** Nested loops over whole dimensions; `body` runs at each position. */
  nest(
    dimensions: readonly number[],
    operands: readonly number[],
    from: Pointers,
    body: (pointers: Pointers) => void,
  ): void {
    const { code } = this;
    const level = (i: number, outer: Pointers): void => {
      const d = dimensions[i];
      if (d === undefined) {
        body(outer);
        return;
      }
      const pointers: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
      for (const [o, pointer] of pointers) code.get(outer.get(o) as number).set(pointer);
      const left = code.local('i32');
      code.get(this.size(d)).set(left);
      this.while(
        () => code.get(left),
        () => {
          level(i + 1, pointers);
          for (const [o, pointer] of pointers) {
            code.get(pointer).get(this.stride(o, d)).op(i32.add).set(pointer);
          }
          code.get(left).i32(1).op(i32.sub).set(left);
        },
      );
    };
    level(0, from);
  }

  /**
   * Runs `body` on vectors of four along a run of `count` elements; with `unroll`, on that many
   * vectors at a time while there are enough (operands must then be contiguous or repeated); `body` is
   * called for each of them, or once for all if `together`, with how many there are.
   * The last vector may be partial: `position.remaining` says so. `light` bodies are written
   * twice, so that the main loop tests nothing.
   */
  vectors(
    count: number,
    pointers: Pointers,
    options: { light: boolean; unroll?: number; together?: boolean },
    body: (u: number) => void,
  ): void {
    const { code, v } = this;
    const before = this.position;
    const remaining = code.local('i32');
    const operands = [...pointers.keys()];
    const strided = operands.filter((o) => o < this.indexBase && this.access(o) === STRIDED);
    const indexed = operands.some((o) => o >= this.indexBase && this.access(o) !== BROADCAST);
    code.get(count).set(remaining);
    const step = (vectors: number): void => {
      for (const [o, pointer] of pointers) {
        const access = this.access(o);
        if (access === BROADCAST) continue;
        code.get(pointer);
        if (access === CONTIGUOUS) {
          code.i32(vectors * 4 * (o < this.indexBase ? itemBytes[this.operand(o).dtype] : 1));
        } else {
          code
            .get(this.stride(o, this.vectorDimension))
            .i32(2 + Math.log2(vectors))
            .op(i32.shl);
        }
        code.op(i32.add).set(pointer);
      }
      code
        .get(remaining)
        .i32(4 * vectors)
        .op(i32.sub)
        .set(remaining);
    };
    const once = (u: number, partial: boolean, argument: number): void => {
      this.position = {
        pointers,
        level: 3,
        ahead: u * 4,
        remaining: partial ? remaining : undefined,
      };
      this.forget(3);
      v.scope(() => {
        body(argument);
        return [];
      });
      this.forget(3);
    };
    const unroll = options.unroll ?? 1;
    const { together = false } = options;
    if (options.light) {
      this.while(
        () =>
          code
            .get(remaining)
            .i32(4 * unroll)
            .op(i32.geS),
        () => {
          if (together) once(0, false, unroll);
          else for (let u = 0; u < unroll; u++) once(u, false, u);
          step(unroll);
        },
      );
    }
    for (const o of strided) {
      const { whole, clamped } = this.distances(o);
      whole.forEach((local, k) => {
        code.get(local).set(clamped[k] as number);
      });
    }
    this.position = { ...before, remaining };
    if (indexed) code.get(v.i32(0, 1, 2, 3)).set(this.lanes());
    this.while(
      () => code.get(remaining).i32(0).op(i32.gtS),
      () => {
        if (strided.length > 0 || indexed) {
          code.get(remaining).i32(4).op(i32.ltS);
          code.if(() => {
            for (const o of strided) {
              const { clamped } = this.distances(o);
              const [first, second, third] = clamped as [number, number, number];
              code
                .get(first)
                .i32(0)
                .get(remaining)
                .i32(1)
                .op(i32.gtS)
                .op(control.select)
                .set(first);
              code
                .get(second)
                .get(first)
                .get(remaining)
                .i32(2)
                .op(i32.gtS)
                .op(control.select)
                .set(second);
              code.get(second).set(third);
            }
            if (indexed) {
              this.position = { ...before, remaining };
              code.get(v.i32(0, 1, 2, 3));
              code.get(remaining).i32(1).op(i32.sub).op(i32x4.splat).op(i32x4.minS);
              code.set(this.lanes());
            }
          });
        }
        once(0, true, together ? 1 : 0);
        step(1);
      },
    );
    this.position = before;
  }

  /** A mask of the lanes that hold elements in a vector that may be partial. */
  activeLanes(): number | undefined {
    const { remaining } = this.position;
    if (remaining === undefined) return undefined;
    this.code
      .get(this.v.i32(0, 1, 2, 3))
      .get(remaining)
      .op(i32x4.splat)
      .op(i32x4.ltS);
    return this.v.take();
  }

  /** A value copied to locals of its own, which no scope frees. */
  variable(type: Value['type']): Value {
    const parts = [this.code.local('v128')];
    if (type === 'float64' || type === 'int64') parts.push(this.code.local('v128'));
    return { type, parts };
  }

  assign(target: Value, value: Value): void {
    value.parts.forEach((p, i) => {
      this.code.get(p).set(target.parts[i] as number);
    });
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

export const itemBytes: Record<DType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
};
