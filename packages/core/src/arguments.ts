import { refusal } from './arguments-refusal.js';
import { isDType } from './dtype.js';
import { ValueError } from './errors.js';
import { isScalar } from './scalar.js';
import { signatures } from './signatures.js';
import { Tensor } from './tensor.js';

/**
 * What calls take is written down in short texts that `pnpm signatures` reads off the types (`signatures.ts`):
 * `self:T dim?:n|n[] {keepdim:b out:T}` is a tensor, a number or an array of numbers that may be left out, and a trailing object of
 * options, each with its kind. Forms of one call stand apart by ` | `, `...dims:n` takes all that follow, `upper!:b` must be given.
 *
 * Kinds: `T` Tensor, `S` a plain number of any type, `n` number, `i` bigint, `b` boolean, `s` string, `'sum'` that string, `D` dtype, `f`
 * function, `I` iterable, `o` object, `@Name` an object of that class, `N` null, `*` anything; `n[]` is an array of numbers.
 */
export interface Kind {
  readonly text: string;
  readonly admits: (x: unknown) => boolean;
}

/** One parameter or option. */
export interface Parameter {
  readonly name: string;
  readonly kind: Kind;
  readonly optional: boolean;
}

/** One way to call. */
export interface Form {
  readonly parameters: readonly Parameter[];
  readonly required: number;
  readonly rest: Parameter | undefined;
  readonly options: ReadonlyMap<string, Parameter> | undefined;
  readonly needed: readonly string[];
}

const isObject = (x: unknown): x is object =>
  (typeof x === 'object' && x !== null) || typeof x === 'function';

const letters: Readonly<Record<string, (x: unknown) => boolean>> = {
  T: (x) => x instanceof Tensor,
  S: isScalar,
  n: (x) => typeof x === 'number',
  i: (x) => typeof x === 'bigint',
  b: (x) => typeof x === 'boolean',
  s: (x) => typeof x === 'string',
  D: (x) => typeof x === 'string' && isDType(x),
  f: (x) => typeof x === 'function',
  I: (x) => isObject(x) && typeof (x as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function',
  o: isObject,
  N: (x) => x === null,
  '*': () => true,
};

/** Splits a text at a separator, but not inside of parentheses. */
export function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === separator && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function test(text: string): (x: unknown) => boolean {
  const parts = splitOutside(text, '|');
  if (parts.length > 1) {
    const tests = parts.map(test);
    const [a, b] = tests as [Kind['admits'], Kind['admits']];
    if (tests.length === 2) return (x) => a(x) || b(x);
    return (x) => tests.some((admits) => admits(x));
  }
  if (text.endsWith('[]')) {
    const item = text.slice(0, -2);
    const admits = test(item.startsWith('(') ? item.slice(1, -1) : item);
    return (x) => {
      if (!Array.isArray(x)) return false;
      // Holes are visited too.
      for (let i = 0; i < x.length; i++) if (!admits(x[i])) return false;
      return true;
    };
  }
  if (text.startsWith("'")) {
    const value = text.slice(1, -1);
    return (x) => x === value;
  }
  if (text.startsWith('@')) {
    return (x) => isObject(x) && !Array.isArray(x) && !(x instanceof Tensor);
  }
  return letters[text] as (x: unknown) => boolean;
}

const kinds = new Map<string, Kind>();

function kindFrom(text: string): Kind {
  const known = kinds.get(text);
  if (known) return known;
  const kind = { text, admits: test(text) };
  kinds.set(text, kind);
  return kind;
}

function parameter(text: string): Parameter {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon);
  return {
    name: name.replace(/[?!]$/, ''),
    kind: kindFrom(text.slice(colon + 1)),
    optional: name.endsWith('?'),
  };
}

export function parseForm(text: string): Form {
  const brace = text.indexOf('{');
  const list = (brace < 0 ? text : text.slice(0, brace)).split(' ').filter((word) => word !== '');
  const rest = list.find((word) => word.startsWith('...'));
  const parameters = list.filter((word) => word !== rest).map(parameter);
  const keys = brace < 0 ? [] : text.slice(brace + 1, -1).split(' ');
  return {
    parameters,
    required: parameters.filter(({ optional }) => !optional).length,
    rest: rest === undefined ? undefined : parameter(rest.slice(3)),
    options:
      brace < 0 ? undefined : new Map(keys.map((key) => [parameter(key).name, parameter(key)])),
    needed: keys.filter((key) => key.includes('!:')).map((key) => parameter(key).name),
  };
}

/** Whether a value is what an options object is written as: braces, not an instance of a class. */
export function isPlainObject(x: unknown): x is Record<string, unknown> {
  if (typeof x !== 'object' || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  // Objects of other realms have another `Object.prototype`, at the end of a chain all the same.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Options of an in-place method, which have been looked at, on their way to the operation. */
export class InPlace {
  readonly inplace = true;
  readonly out: Tensor;

  constructor(out: Tensor, options: object | undefined) {
    Object.assign(this, options);
    this.out = out;
  }
}

function admitsOptions(form: Form, x: unknown): boolean {
  if (x instanceof InPlace) return true;
  if (x !== undefined) {
    if (!isPlainObject(x)) return false;
    const known = form.options as ReadonlyMap<string, Parameter>;
    for (const key in x) {
      const option = known.get(key);
      if (option === undefined) return false;
      const value = x[key];
      if (value !== undefined && !option.kind.admits(value)) return false;
    }
  }
  for (const name of form.needed) {
    if ((x as Record<string, unknown> | undefined)?.[name] === undefined) return false;
  }
  return true;
}

function admits(form: Form, args: ArrayLike<unknown>): boolean {
  const { parameters, rest, options } = form;
  const count = parameters.length;
  for (let i = 0; i < count; i++) {
    const x = args[i];
    const { kind, optional } = parameters[i] as Parameter;
    if (x === undefined ? !optional && kind.text !== '*' : !kind.admits(x)) return false;
  }
  let next = count;
  if (rest !== undefined) {
    for (; next < args.length; next++) if (!rest.kind.admits(args[next])) return false;
    return true;
  }
  if (options !== undefined && !admitsOptions(form, args[next++])) return false;
  for (; next < args.length; next++) if (args[next] !== undefined) return false;
  return true;
}

/** What a call takes, ready to be held against arguments; read when first asked, since a program calls few of all functions. */
export class Guard {
  readonly name: string;
  readonly #signature: string | (() => string);
  #text: string | undefined;
  #forms: readonly Form[] | undefined;
  #tensors: number | undefined;

  constructor(name: string, signature: string | (() => string)) {
    this.name = name;
    this.#signature = signature;
  }

  get #read(): string {
    const signature = this.#signature;
    this.#text ??= typeof signature === 'string' ? signature : signature();
    return this.#text;
  }

  get forms(): readonly Form[] {
    this.#forms ??= this.#read.split(' | ').map(parseForm);
    return this.#forms;
  }

  /** How many tensors alone are a right call: the common case, told without looking further; -1 if there is no such number. */
  get tensors(): number {
    if (this.#tensors === undefined) {
      const [first = ''] = this.#read.split(' | ', 1);
      const alone = /^((?:\w+\??:T\S* ?)*)(?:\{[^!]*\})?$/.exec(first)?.[1];
      this.#tensors = alone === undefined ? -1 : (alone.match(/:/g)?.length ?? 0);
    }
    return this.#tensors;
  }

  admits(args: ArrayLike<unknown>): boolean {
    const count = this.tensors;
    if (args.length === count) {
      let i = 0;
      while (i < count && args[i] instanceof Tensor) i++;
      if (i === count) return true;
    }
    return this.#admitted(args);
  }

  #admitted(args: ArrayLike<unknown>): boolean {
    const { forms } = this;
    for (let i = 0; i < forms.length; i++) if (admits(forms[i] as Form, args)) return true;
    return false;
  }

  /** @throws TypeError if the arguments are none that the call takes, ValueError for a word that is none of those it knows. */
  check(args: ArrayLike<unknown>, name = this.name): void {
    if (!this.admits(args)) throw refusal(name, this.forms, Array.from(args));
  }

  /** As `check`, but lets the function itself tell of a word that it does not know, if it does. */
  checkFor(run: (...args: unknown[]) => unknown, self: readonly unknown[], args: unknown[]): void {
    if (!this.admits(args)) this.#refuse(run, self, args);
  }

  #refuse(run: (...args: unknown[]) => unknown, self: readonly unknown[], args: unknown[]): never {
    const error = refusal(this.name, this.forms, args);
    if (error instanceof ValueError) run(...self, ...args);
    throw error;
  }
}

const guards = new Map<string, Guard>();

/**
 * Holds the arguments of a call against its signature: the first line of functions, constructors and methods.
 *
 * @param name as messages show the call.
 * @param signature the text of it in the package's `signatures.ts`.
 * @throws TypeError that names the call, what was found and the right spelling, for an argument too many or of another kind, or an unknown
 *   option; ValueError for a word that is none of those an option knows.
 * @example takes('Linear', signatures.Linear, arguments);
 */
export function takes(name: string, signature: string, args: ArrayLike<unknown>): void {
  let guard = guards.get(signature);
  if (guard === undefined) {
    guard = new Guard(name, signature);
    guards.set(signature, guard);
  }
  guard.check(args, name);
}

/**
 * A function that holds its arguments against its signature first: `takes` for functions that are no declarations.
 *
 * @example export const relu6_ = checking('relu6_', signatures.relu6_, (input: Tensor): Tensor => relu6(input, { inplace: true }));
 */
export function checking<F extends (...args: never[]) => unknown>(
  name: string,
  signature: string,
  fn: F,
): F {
  const guard = new Guard(name, signature);
  const run = fn as unknown as (...args: unknown[]) => unknown;
  return ((...args: unknown[]) => {
    guard.check(args);
    return run(...args);
  }) as unknown as F;
}

const texts: ReadonlyMap<string, string> = new Map(Object.entries(signatures));
const bare = new WeakMap<object, (...args: unknown[]) => unknown>();

/** The function as it is without the look at its arguments, for callers that have had one. */
export const unguarded = <F extends (...args: never[]) => unknown>(fn: F): F =>
  (bare.get(fn) as unknown as F | undefined) ?? fn;

const none: readonly unknown[] = [];

/** A function of core that looks at its arguments first, if `signatures.ts` has its name. */
export function guarded<F extends (...args: never[]) => unknown>(name: string, fn: F): F {
  const text = texts.get(name);
  if (text === undefined) return fn;
  const guard = new Guard(name, text);
  const run = fn as unknown as (...args: unknown[]) => unknown;
  const call = (...args: unknown[]) => {
    if (!guard.admits(args)) guard.checkFor(run, none, args);
    return run(...args);
  };
  bare.set(call, run);
  return call as unknown as F;
}

/** What a method of tensors takes: what is written down for it, or what the function of its name takes behind the tensor. */
export function methodGuard(name: string): Guard | undefined {
  const own = texts.get(`Tensor_${name}`);
  if (own !== undefined) return new Guard(name, own);
  const text = texts.get(name);
  const withoutSelf = (form: string) => form.replace(/^\w+:\S+ ?/, '');
  return text === undefined
    ? undefined
    : new Guard(name, () => text.split(' | ').map(withoutSelf).join(' | '));
}
