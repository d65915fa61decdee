import { type Expr, NotImplementedError, ValueError } from '@sconce/core';
import { hasFunction } from './functions.js';

/** How the leaves of a tree read at one place of a kernel, as WGSL of the leaf's compute type. */
export interface Leaves {
  input?(index: number): string;
  load?(index: number, coordinates: readonly string[]): string;
  scalar(index: number, dtype: Expr['dtype']): string;
  coord?(axis: number): string;
  linear?(): string;
  stage?(index: number): string;
}

/** The WGSL type that values of a compute type have; int64 is held as int32. */
export function wgslType(dtype: Expr['dtype']): 'f32' | 'i32' | 'bool' {
  if (dtype === 'float64') {
    throw new NotImplementedError('since it computes in float64, which webgpu has not');
  }
  return dtype === 'float32' ? 'f32' : dtype === 'bool' ? 'bool' : 'i32';
}

/**
 * An integer as the int32 that holds it. The limits of int64, which stand for "beyond everything",
 * become those of int32.
 *
 * @throws ValueError if it does not fit.
 */
export function narrowInt64(value: bigint | number): number {
  if (value >= -2147483648 && value <= 2147483647) return Number(value);
  const big = BigInt(value);
  if (big >= 0x7fff_ffff_ffff_fc00n) return 2147483647;
  if (big <= -0x7fff_ffff_ffff_fc00n) return -2147483648;
  throw new ValueError(
    `webgpu holds int64 as int32 and ${value} does not fit; keep this tensor on the cpu, or use float32`,
  );
}

/** A literal that keeps the bits of a float32. */
function floatLiteral(value: number, functions: Set<string>): string {
  if (Number.isFinite(value)) {
    const text = String(value);
    const literal = /[.e]/.test(text) ? text : `${text}.0`;
    return value < 0 || Object.is(value, -0) ? `(-${literal.replace(/^-/, '')}f)` : `${literal}f`;
  }
  const name = Number.isNaN(value) ? 'nan' : 'inf';
  functions.add(name);
  return value < 0 ? `(-f_${name}())` : `f_${name}()`;
}

const comparisons: Partial<Record<Expr['op'], string>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

/** Whether it is all the same, for a comparison with this, if a denormal is taken for zero. */
const farFromZero = ({ op, value }: Expr): boolean =>
  op === 'const' && Math.abs(value as number) >= 2 ** -126;

const infix: Partial<Record<Expr['op'], string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
};

/** Levels of nesting after which a value is named: parsers of WGSL give up past some hundred. */
const deepest = 24;

const builtins = new Set(['abs', 'trunc', 'round', 'sqrt']);

/**
 * Writes trees as WGSL statements: values used more than once are named, so that the text grows with
 * the distinct nodes, and so are values that nest deeply. One object serves one block of a kernel, where all names stay visible.
 */
export class Block {
  readonly #leaves: Leaves;
  readonly #functions: Set<string>;
  readonly #prefix: string;
  readonly #names = new Map<Expr, string>();
  readonly #shared = new Set<Expr>();
  #text = '';
  #count = 0;

  /**
   * @param functions receives the names of the library functions that are called
   * @param prefix starts the names of values; distinct for blocks that see each other
   */
  constructor(leaves: Leaves, functions: Set<string>, prefix = 't') {
    this.#leaves = leaves;
    this.#functions = functions;
    this.#prefix = prefix;
  }

  /** The statements so far. */
  get text(): string {
    return this.#text;
  }

  /** Adds a statement. */
  add(statement: string): void {
    this.#text += `${statement}\n`;
  }

  /** Renders several trees that share names. */
  values(roots: readonly Expr[]): string[] {
    const seen = new Set<Expr>();
    /** How deep the text of a node nests. */
    const visit = (e: Expr): number => {
      if (seen.has(e)) {
        if (e.args.length > 0 || e.op === 'input' || e.op === 'linear') this.#shared.add(e);
        return 0;
      }
      seen.add(e);
      const depth = 1 + Math.max(0, ...e.args.map(visit));
      if (depth < deepest) return depth;
      this.#shared.add(e);
      return 0;
    };
    roots.forEach(visit);
    return roots.map((root) => this.#render(root));
  }

  /** Renders one tree. */
  value(root: Expr): string {
    return this.values([root])[0] as string;
  }

  /** Gives a WGSL expression a name. */
  name(text: string): string {
    const name = `${this.#prefix}${this.#count++}`;
    this.add(`let ${name}=${text};`);
    return name;
  }

  #variable(text: string): string {
    const name = `${this.#prefix}${this.#count++}`;
    this.add(`var ${name}=${text};`);
    return name;
  }

  #render(e: Expr): string {
    const known = this.#names.get(e);
    if (known !== undefined) return known;
    let text = this.#node(e);
    if (this.#shared.has(e)) text = this.name(text);
    this.#names.set(e, text);
    return text;
  }

  #call(name: string, ...args: string[]): string {
    this.#functions.add(name);
    return `f_${name}(${args.join(',')})`;
  }

  /** A comparison of floats, which devices do as if denormals were zeros, by their bits where that matters. */
  #compared(e: Expr, a: string, b: string): string {
    if (e.args.some(farFromZero) && e.op !== 'ne') return `(${a}${comparisons[e.op]}${b})`;
    switch (e.op) {
      case 'gt':
        return this.#call('lt', b, a);
      case 'ge':
        return this.#call('le', b, a);
      case 'ne':
        // Not by !=, which is false for NaN where WGSL is taken by its word.
        return `(!${this.#call('eq', a, b)})`;
      default:
        return this.#call(e.op, a, b);
    }
  }

  #node(e: Expr): string {
    const type = wgslType(e.dtype);
    switch (e.op) {
      case 'const':
        if (type === 'f32') return floatLiteral(e.value as number, this.#functions);
        if (type === 'bool') return String(e.value);
        return `i32(${narrowInt64(e.value as number | bigint)})`;
      case 'input':
        return leaf(this.#leaves.input, e)(e.value as number);
      case 'scalar':
        return this.#leaves.scalar(e.value as number, e.dtype);
      case 'coord':
        return leaf(this.#leaves.coord, e)(e.value as number);
      case 'linear':
        return leaf(this.#leaves.linear, e)();
      case 'stage':
        return leaf(this.#leaves.stage, e)(e.value as number);
    }
    const args = e.args.map((arg) => this.#render(arg));
    if (e.args.length > 0 && e.args.every((arg) => arg.op === 'const')) {
      // What WGSL can evaluate when it compiles it rejects where the result is not finite.
      args[0] = this.#variable(args[0] as string);
    }
    const [a = '', b = '', c = ''] = args;
    const from = e.args[0] && wgslType(e.args[0].dtype);
    switch (e.op) {
      case 'load': {
        // What lies outside is read all the same (WebGPU bounds every access) and not chosen.
        const valid = e.args.at(-2) as Expr;
        const value = leaf(this.#leaves.load, e)(e.value as number, args.slice(0, -2));
        if (valid.op === 'const' && valid.value === true) return value;
        return `select(${args.at(-1)},${value},${args.at(-2)})`;
      }
      case 'cast':
        if (type === from) return a;
        if (type === 'bool') return from === 'f32' ? this.#call('nonzero', a) : `(${a}!=0)`;
        if (from === 'bool') return type === 'f32' ? `select(0f,1f,${a})` : `select(0,1,${a})`;
        // Out of range gives what x86 gives: the least integer.
        return type === 'i32' ? this.#call('toint', a) : `f32(${a})`;
      case 'bitcast':
        return `bitcast<${type}>(${a})`;
      case 'idiv':
        return this.#call('idiv', a, b);
      case 'fmod':
        return this.#call(type === 'f32' ? 'fmod' : 'irem', a, b);
      case 'min':
      case 'max':
        return type === 'f32' ? this.#call(e.op, a, b) : `${e.op}(${a},${b})`;
      case 'neg':
        return `(-${a})`;
      case 'eq':
      case 'ne':
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
        return from === 'f32' ? this.#compared(e, a, b) : `(${a}${comparisons[e.op]}${b})`;
      case 'and':
        return `(${a}&${b})`;
      case 'or':
        return `(${a}|${b})`;
      case 'xor':
        return type === 'bool' ? `(${a}!=${b})` : `(${a}^${b})`;
      case 'not':
        return type === 'bool' ? `(!${a})` : `(~${a})`;
      case 'shl':
        return `(${a}<<(bitcast<u32>(${b})&31u))`;
      case 'shr':
        return `(${a}>>(bitcast<u32>(${b})&31u))`;
      case 'ushr':
        return `bitcast<i32>(bitcast<u32>(${a})>>(bitcast<u32>(${b})&31u))`;
      case 'where':
        return `select(${c},${b},${a})`;
    }
    const operator = infix[e.op];
    if (operator !== undefined) return `(${a}${operator}${b})`;
    if (builtins.has(e.op)) return `${e.op}(${a})`;
    if (hasFunction(e.op)) return this.#call(e.op, ...args);
    throw new NotImplementedError(`wgsl: no rendering for '${e.op}'`);
  }
}

function leaf<F>(render: F | undefined, e: Expr): F & object {
  if (!render) throw new NotImplementedError(`wgsl: '${e.op}' has no place in this kernel`);
  return render as F & object;
}
