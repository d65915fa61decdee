import { type Form, isPlainObject, type Parameter, splitOutside } from './arguments.js';
import { kindOf, ValueError, wrongArgument } from './errors.js';
import { Tensor } from './tensor.js';

/** `a`, `a and b`, `a, b and c`. */
const listed = (words: readonly string[], last = 'and'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;

const nouns: Readonly<Record<string, readonly [string, string]>> = {
  T: ['a Tensor', 'Tensors'],
  S: ['a number', 'numbers'],
  n: ['a number', 'numbers'],
  i: ['a bigint', 'bigints'],
  b: ['a boolean', 'booleans'],
  s: ['a string', 'strings'],
  D: ["a dtype such as 'float32'", 'dtypes'],
  f: ['a function', 'functions'],
  I: ['an iterable', 'iterables'],
  o: ['an object', 'objects'],
  N: ['null', 'nulls'],
};

/** A kind in words: `n|n[]` is "a number or an array of numbers". */
function inWords(kind: string, many = false): string {
  const words = splitOutside(kind, '|').map((text) => {
    if (text.endsWith('[]')) {
      const item = text.slice(0, -2).replace(/^\((.*)\)$/, '$1');
      const items = item === '*' ? '' : ` of ${inWords(item, true)}`;
      return `${many ? 'arrays' : 'an array'}${items}`;
    }
    if (text.startsWith('@')) return `${/^@[AEIOU]/.test(text) ? 'an' : 'a'} ${text.slice(1)}`;
    return nouns[text]?.[many ? 1 : 0] ?? text;
  });
  return listed([...new Set(words)], 'or');
}

/** A value as the corrected call shows it. */
function shown(x: unknown, name = 'x'): string {
  if (typeof x === 'string') return `'${x}'`;
  if (typeof x === 'bigint') return `${x}n`;
  if (Array.isArray(x))
    return x.length > 8 ? '[...]' : `[${x.map((item) => shown(item)).join(', ')}]`;
  if (isPlainObject(x)) {
    return braces(Object.entries(x).map(([key, value]) => `${key}: ${shown(value, key)}`));
  }
  return x instanceof Tensor || typeof x === 'function' || typeof x === 'object'
    ? x === null
      ? 'null'
      : name
    : String(x);
}

const braces = (parts: readonly string[]): string =>
  parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;

/** How many letters must be put in, taken out, replaced or exchanged with the next, to make one word of another. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + same,
          exchanged ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

const letters = (word: string): string => word.replace(/[_-]/g, '').toLowerCase();

/** The known word that an unknown one was most likely meant to be: the same but for case and underscores, or a letter in three. */
export function meant(word: string, known: readonly string[]): string | undefined {
  const same = known.find((other) => letters(other) === letters(word));
  if (same !== undefined) return same;
  const near = known
    .map((other) => [distance(letters(word), letters(other)), other] as const)
    .filter(
      ([steps, other]) => steps <= Math.max(1, Math.floor(Math.min(word.length, other.length) / 3)),
    )
    .sort(([a], [b]) => a - b);
  return near[0]?.[1];
}

/** What is wrong with a call, and how many arguments it was right for. */
interface Fault {
  readonly progress: number;
  readonly sentence: string | Error;
}

const takesArray = ({ kind }: Parameter, item: string): boolean =>
  splitOutside(kind.text, '|').includes(`${item}[]`);

/** Items of an array that were given one by one, from an argument on. */
function oneArray(
  name: string,
  form: Form,
  args: readonly unknown[],
  i: number,
): string | undefined {
  const parameter = form.parameters[i];
  if (parameter === undefined) return undefined;
  const item = typeof args[i] === 'number' ? 'n' : args[i] instanceof Tensor ? 'T' : undefined;
  if (item === undefined || !takesArray(parameter, item)) return undefined;
  const fits = (x: unknown) => (item === 'n' ? typeof x === 'number' : x instanceof Tensor);
  const end = args.findIndex((x, j) => j >= i && !fits(x));
  const items = args.slice(i, end < 0 ? args.length : end);
  const after = end < 0 ? [] : args.slice(end);
  if (after.length > 1 || (after.length === 1 && !isPlainObject(after[0]))) return undefined;
  const words = items.map((x, j) => (item === 'n' ? String(x) : ('abcdefgh'[j] ?? '...')));
  const before = args.slice(0, i).map((x) => shown(x));
  const call = [...before, `[${words.join(', ')}]`, ...after.map((x) => shown(x))].join(', ');
  const what = /^(shape|sizes?)$/.test(parameter.name)
    ? 'sizes are'
    : /s$/.test(parameter.name)
      ? `${parameter.name} are`
      : `'${parameter.name}' is`;
  return `${name}: ${what} one array: ${name}(${call})`;
}

/** A plain object where a positional argument belongs: options too early, or an argument by name. */
function misplaced(
  name: string,
  form: Form,
  args: readonly unknown[],
  i: number,
): string | undefined {
  const x = args[i];
  if (!isPlainObject(x) || Object.keys(x).length === 0) return undefined;
  const keys = Object.keys(x);
  const before = args.slice(0, i).map((arg) => shown(arg));
  const gap = form.parameters.slice(i);
  if (keys.every((key) => form.options?.has(key)) && gap.every(({ optional }) => optional)) {
    const call = [...before, ...gap.map(() => 'undefined'), shown(x)].join(', ');
    return `${name}: options stand behind ${listed(gap.map(({ name: own }) => `'${own}'`))}: ${name}(${call})`;
  }
  const known = [...(form.options?.keys() ?? [])];
  if (gap.every(({ optional }) => optional) && keys.some((key) => meant(key, known))) {
    const wrong = wrongOption(name, form, x);
    if (typeof wrong === 'string') return wrong;
  }
  const named = gap.filter((parameter) =>
    keys.some((key) => letters(key) === letters(parameter.name)),
  );
  if (named.length === 0) return undefined;
  const values = new Map(keys.map((key) => [letters(key), x[key]]));
  const last = gap.indexOf(named.at(-1) as Parameter);
  const positional = gap.slice(0, last + 1).map((p) => shown(values.get(letters(p.name)), p.name));
  const others = keys.filter((key) => !named.some((p) => letters(p.name) === letters(key)));
  const options =
    others.length > 0 ? [braces(others.map((key) => `${key}: ${shown(x[key], key)}`))] : [];
  const call = [...before, ...positional, ...options].join(', ');
  return `${name} takes ${listed(named.map((p) => p.name))} by position: ${name}(${call})`;
}

/** Which options values given one after the other were meant as: PyTorch's order, those of another kind left out. */
function asOptions(form: Form, extras: readonly unknown[]): Map<string, unknown> | undefined {
  const found = new Map<string, unknown>();
  const keys = [...(form.options?.values() ?? [])];
  let next = 0;
  for (const x of extras) {
    // Null says nothing about what it was meant for.
    if (x === null) return undefined;
    if (x === undefined) {
      next++;
      continue;
    }
    while (next < keys.length && !keys[next]?.kind.admits(x)) next++;
    const key = keys[next++];
    if (key === undefined || key.kind.text === '*') return undefined;
    found.set(key.name, x);
  }
  return found.size > 0 ? found : undefined;
}

/** What is wrong with an options object. */
function wrongOption(
  name: string,
  form: Form,
  given: Record<string, unknown>,
): string | Error | undefined {
  const options = form.options as ReadonlyMap<string, Parameter>;
  const known = [...options.keys()];
  for (const [key, value] of Object.entries(given)) {
    const option = options.get(key);
    if (option === undefined) {
      const guess = meant(key, known);
      const positional = form.parameters.find((p) => letters(p.name) === letters(key));
      const way = guess
        ? `did you mean ${guess}?`
        : positional
          ? `${name} takes ${positional.name} by position`
          : `${name} takes ${known.length > 0 ? listed(known) : 'no options'}`;
      return `${name}: unknown option '${key}'; ${way}`;
    }
    if (value !== undefined && !option.kind.admits(value)) {
      const what = `${name}: option '${key}'`;
      const { text } = option.kind;
      return (
        unknownWord(what, text, value) ?? `${what} must be ${inWords(text)}, got ${kindOf(value)}`
      );
    }
  }
  const missing = form.needed.find((key) => given[key] === undefined);
  return missing === undefined ? undefined : `${name}: option '${missing}' is missing`;
}

/** Which of the strings that are taken a string was meant to be. */
function nearest(kind: string, x: unknown): string {
  if (typeof x !== 'string') return '';
  const words = splitOutside(kind, '|').filter((text) => text.startsWith("'"));
  const guess = meant(
    x,
    words.map((text) => text.slice(1, -1)),
  );
  return guess === undefined ? '' : `; did you mean '${guess}'?`;
}

/** The error for a word that is none of those a parameter knows, or undefined for a value of another kind. */
function unknownWord(what: string, kind: string, x: unknown): ValueError | undefined {
  if (typeof x !== 'string' || !kind.includes("'")) return undefined;
  return new ValueError(`${what} must be ${inWords(kind)}, got ${kindOf(x)}${nearest(kind, x)}`);
}

/** How many arguments a call takes, in words. */
function counted(form: Form): string {
  const names = form.parameters.map((p) => p.name);
  if (form.options) names.push('options');
  if (names.length === 0) return 'no arguments';
  return `${names.length === 1 ? 'one argument' : `at most ${names.length} arguments`} (${names.join(', ')})`;
}

/** What is wrong with the arguments behind the positional ones. */
function wrongRest(name: string, form: Form, args: readonly unknown[]): string | Error | undefined {
  const extras = args.slice(form.parameters.length);
  const last = extras.at(-1);
  if (form.options === undefined) {
    const array =
      form.parameters.length > 0 && oneArray(name, form, args, form.parameters.length - 1);
    return array || `${name} takes ${counted(form)}, got ${args.length}`;
  }
  if (extras.length <= 1 && (last === undefined || isPlainObject(last)))
    return wrongOption(name, form, (last ?? {}) as Record<string, unknown>);
  const named = isPlainObject(last) ? last : {};
  const positional = isPlainObject(last) ? extras.slice(0, -1) : extras;
  const found = asOptions(form, positional);
  if (found) {
    const all = [...found, ...Object.entries(named)].map(([key, x]) => `${key}: ${shown(x, key)}`);
    const keys = [...found.keys()];
    const noun = keys.length === 1 ? 'as an option' : 'as options';
    return `${name} takes ${listed(keys)} ${noun}: ${braces(all)}`;
  }
  if (form.parameters.length > 0) {
    const array = oneArray(name, form, args, form.parameters.length - 1);
    if (array) return array;
  }
  if (extras.length > 1 && isPlainObject(extras[0]))
    return `${name} takes ${counted(form)}, got ${args.length}`;
  const keys = [...form.options.keys()];
  return `${name}: options must be an object of ${listed(keys, 'or')}, got ${kindOf(extras[0])}`;
}

function faultOf(name: string, form: Form, args: readonly unknown[]): Fault {
  for (let i = 0; i < form.parameters.length; i++) {
    const { name: own, kind, optional } = form.parameters[i] as Parameter;
    const x = args[i];
    if (x === undefined ? optional || kind.text === '*' : kind.admits(x)) continue;
    return {
      progress: i,
      sentence:
        oneArray(name, form, args, i) ??
        misplaced(name, form, args, i) ??
        unknownWord(`${name}: argument '${own}' (position ${i + 1})`, kind.text, x) ??
        wrongArgument(name, own, i, inWords(kind.text), x),
    };
  }
  const { rest } = form;
  if (rest) {
    const i = args.findIndex((x, j) => j >= form.parameters.length && !rest.kind.admits(x));
    return {
      progress: i,
      sentence: wrongArgument(name, rest.name, i, inWords(rest.kind.text), args[i]),
    };
  }
  const sentence = wrongRest(name, form, args) ?? `${name} takes ${counted(form)}`;
  // An object that stands where options do was meant as options.
  const nearer = form.options !== undefined && isPlainObject(args[form.parameters.length]);
  return {
    progress: form.parameters.length + (nearer ? 0.5 : firstOptionFits(form, args) ? 0.25 : 0),
    sentence,
  };
}

/** Whether what stands where options do could be the first of them. */
function firstOptionFits(form: Form, args: readonly unknown[]): boolean {
  const x = args[form.parameters.length];
  if (x === undefined || form.options === undefined) return false;
  const [first] = form.options.values();
  return first?.kind.admits(x) ?? false;
}

/** The error for arguments that no form of a call takes; tells of the form that they come nearest to. */
export function refusal(
  name: string,
  forms: readonly Form[],
  given: readonly unknown[],
): TypeError {
  let count = given.length;
  const spread = forms.some(({ rest }) => rest !== undefined);
  while (!spread && count > 0 && given[count - 1] === undefined) count--;
  const args = given.slice(0, count);
  const [, index, list] = args;
  if (
    args.length === 3 &&
    typeof index === 'number' &&
    Array.isArray(list) &&
    list[index] === args[0]
  ) {
    return new TypeError(
      `${name} was given an element, its index and the array, as map does; write (x) => ${name}(x)`,
    );
  }
  let worst: Fault | undefined;
  let least = 0;
  for (const form of forms) {
    const fault = faultOf(name, form, args);
    const away = Math.abs(form.parameters.length - args.length);
    // Of forms that come equally near, the one for as many arguments tells more.
    const better = fault.progress === worst?.progress ? away <= least : true;
    if (worst === undefined || (fault.progress >= worst.progress && better)) {
      worst = fault;
      least = away;
    }
  }
  const { sentence } = worst as Fault;
  return typeof sentence === 'string' ? new TypeError(sentence) : sentence;
}
