import { float } from '@sconce/core';
import { Slice, Tuple, type Value } from '../corpus/value.js';
import { builtins } from './builtins.js';
import { dictOf, keyIn, setOf, setValueAt } from './keys.js';
import { PyFunction } from './objects.js';
import {
  contains,
  equal,
  isPlain,
  itemAt,
  plainBinary,
  plainUnary,
  repr,
  sliced,
  truth,
} from './plain.js';
import type { Argument, Comprehension, Expression, Formatted, Parameter } from './syntax.js';

/** What the evaluated code can reach: everything that is not plain Python. */
export interface World {
  /** The value of a global name, or undefined. */
  global(name: string): Value | undefined;
  /** What `import path` binds. */
  module(path: string): Value;
  attribute(object: Value, name: string): Value;
  hasAttribute(object: Value, name: string): boolean;
  setAttribute(object: Value, name: string, value: Value): void;
  /** `isinstance(object, type)` for a type that is not Python's own. */
  isInstance(object: Value, type: Value): boolean;
  call(callee: Value, args: Value[], kwargs: Map<string, Value>): Value;
  subscript(object: Value, index: Value): Value;
  setSubscript(object: Value, index: Value, value: Value): void;
  binary(operator: string, left: Value, right: Value): Value;
  unary(operator: string, operand: Value): Value;
  /** Python's truth of an object. */
  truth(object: Value): boolean;
  /** `target op= value` on an object of the world; the new value of the target. */
  update(operator: string, target: Value, value: Value): Value;
  format(value: Value, spec: string): string;
  /** The items that a loop over the object meets; a promise of them where iteration is asynchronous. */
  iterate(object: Value): Value[] | Promise<Value[]>;
}

export type Scope = Map<string, Value>;

/** An error that Python raises of its own, by name. */
export const pythonError = (name: string, message: string): Error =>
  Object.assign(new Error(message), { name });

/** Evaluates the expressions of the corpus' Python; the world gives the meaning of everything from torch. */
export class Evaluator {
  readonly world: World;
  readonly #builtins: Readonly<Record<string, Value>>;

  constructor(world: World) {
    this.world = world;
    this.#builtins = builtins(this);
  }

  evaluate(node: Expression, scope: Scope): Value {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'number':
        return numberOf(node.text);
      case 'name':
        return this.#name(node.name, scope);
      case 'list':
        return this.#all(node.items, scope);
      case 'tuple':
        return Tuple.from(this.#all(node.items, scope));
      case 'set':
        return setOf(this.#all(node.items, scope));
      case 'dict':
        return dictOf(
          node.pairs.flatMap(([key, value]): (readonly [Value, Value])[] =>
            key
              ? [[this.evaluate(key, scope), this.evaluate(value, scope)]]
              : [...(this.evaluate(value, scope) as Map<Value, Value>)],
          ),
        );
      case 'comprehension':
        return this.#comprehension(node, scope);
      case 'lambda':
        return this.function(node.params, scope, (inner) => this.evaluate(node.body, inner));
      case 'attribute':
        return this.world.attribute(this.evaluate(node.object, scope), node.name);
      case 'subscript':
        return this.#subscript(this.evaluate(node.object, scope), this.evaluate(node.index, scope));
      case 'slice': {
        const [start, stop, step] = node.parts.map((p) =>
          p ? (this.evaluate(p, scope) as number | null) : null,
        );
        return new Slice(start ?? null, stop ?? null, step ?? null);
      }
      case 'call':
        return this.#call(node.callee, node.args, scope);
      case 'starred':
        throw new SyntaxError('python: a starred expression stands by itself');
      case 'unary': {
        const operand = this.evaluate(node.operand, scope);
        if (node.operator === 'not') return !this.truth(operand);
        return isPlain(operand)
          ? plainUnary(node.operator, operand)
          : this.world.unary(node.operator, operand);
      }
      case 'binary':
        return this.#binary(node, scope);
      case 'compare':
        return this.#compare(node, scope);
      case 'conditional':
        return this.truth(this.evaluate(node.test, scope))
          ? this.evaluate(node.chosen, scope)
          : this.evaluate(node.otherwise, scope);
      case 'joined':
        return node.parts
          .map((part) => (typeof part === 'string' ? part : this.#formatted(part, scope)))
          .join('');
    }
  }

  /** A function of Python whose body runs in a scope of its own. */
  function(params: readonly Parameter[], scope: Scope, run: (inner: Scope) => Value): PyFunction {
    const fallback = params.map((p) => p.value && this.evaluate(p.value, scope));
    return new PyFunction((args, kwargs) => {
      const inner = new Map(scope);
      const left = new Map(kwargs);
      let at = 0;
      let named = false;
      params.forEach(({ kind, name }, i) => {
        if (kind === 'rest') {
          inner.set(name, Tuple.from(args.slice(at)));
          at = args.length;
          named = true;
        } else if (kind === 'keywords') {
          inner.set(name, new Map(left));
          left.clear();
        } else if (at < args.length && !named) inner.set(name, args[at++]);
        else if (left.has(name)) {
          inner.set(name, left.get(name));
          left.delete(name);
        } else if (params[i]?.value) inner.set(name, fallback[i]);
        else throw new TypeError(`python: missing argument '${name}'`);
      });
      if (at < args.length) throw new TypeError(`python: ${args.length} arguments, ${at} taken`);
      for (const name of left.keys()) throw new TypeError(`python: unexpected argument '${name}'`);
      return run(inner);
    });
  }

  assign(target: Expression, value: Value, scope: Scope): void {
    switch (target.kind) {
      case 'name':
        scope.set(target.name, value);
        return;
      case 'attribute':
        this.world.setAttribute(this.evaluate(target.object, scope), target.name, value);
        return;
      case 'subscript':
        this.#setItem(
          this.evaluate(target.object, scope),
          this.evaluate(target.index, scope),
          value,
        );
        return;
      case 'list':
      case 'tuple':
        this.#unpack(target.items, this.items(value), scope);
        return;
      default:
        throw new SyntaxError(`python: cannot assign to ${target.kind}`);
    }
  }

  /** The items of a value, at once. */
  items(value: Value): Value[] {
    const items = this.itemsOrPromise(value);
    if (items instanceof Promise) throw new TypeError('python: asynchronous items');
    return items;
  }

  itemsOrPromise(value: Value): Value[] | Promise<Value[]> {
    if (typeof value === 'string') return [...value];
    if (value instanceof Set) return [...value];
    return Array.isArray(value) ? Array.from(value) : this.world.iterate(value);
  }

  truth(value: Value): boolean {
    return isPlain(value) || typeof value !== 'object' ? truth(value) : this.world.truth(value);
  }

  call(target: Value, args: Value[], kwargs: Map<string, Value> = new Map()): Value {
    if (target instanceof PyFunction) return target.call(args, kwargs);
    return this.world.call(target, args, kwargs);
  }

  binary(operator: string, left: Value, right: Value): Value {
    return isPlain(left) && isPlain(right)
      ? plainBinary(operator, left, right)
      : this.world.binary(operator, left, right);
  }

  repr(value: Value): string {
    return repr(value, (other) => this.world.format(other, ''));
  }

  /** `format(value, spec)`. */
  format(value: Value, spec: string): string {
    if (spec !== '' || !isPlain(value)) return this.world.format(value, spec);
    return typeof value === 'string' ? value : this.repr(value);
  }

  #formatted({ value, conversion, spec }: Formatted, scope: Scope): string {
    const found = this.evaluate(value, scope);
    return conversion === 'r' ? this.repr(found) : this.format(found, spec);
  }

  #all(items: readonly Expression[], scope: Scope): Value[] {
    return items.flatMap((item) =>
      item.kind === 'starred'
        ? this.items(this.evaluate(item.value, scope))
        : [this.evaluate(item, scope)],
    );
  }

  #unpack(targets: readonly Expression[], values: readonly Value[], scope: Scope): void {
    const star = targets.findIndex((t) => t.kind === 'starred');
    const fits = star < 0 ? values.length === targets.length : values.length >= targets.length - 1;
    if (!fits) {
      throw new TypeError(`python: ${values.length} values for ${targets.length} names`);
    }
    const extra = values.length - targets.length;
    targets.forEach((target, i) => {
      if (target.kind === 'starred') {
        this.assign(target.value, values.slice(i, i + extra + 1), scope);
      } else this.assign(target, values[star >= 0 && i > star ? i + extra : i], scope);
    });
  }

  #comprehension({ of, key, value, clauses }: Comprehension, scope: Scope): Value {
    const found: (readonly [Value, Value])[] = [];
    const collect = (at: number, outer: Scope): void => {
      const clause = clauses[at];
      if (!clause) {
        found.push([key && this.evaluate(key, outer), this.evaluate(value, outer)]);
        return;
      }
      step(at, outer, this.items(this.evaluate(clause.source, outer)));
    };
    const step = (at: number, outer: Scope, items: readonly Value[]): void => {
      const { target, tests } = clauses[at] as Comprehension['clauses'][number];
      for (const item of items) {
        const inner = new Map(outer);
        this.assign(target, item, inner);
        if (tests.every((test) => this.truth(this.evaluate(test, inner)))) collect(at + 1, inner);
      }
    };
    const made = (): Value => {
      if (of === 'dict') return dictOf(found);
      const values = found.map(([, item]) => item);
      return of === 'set' ? setOf(values) : values;
    };
    const first = (clauses[0] as Comprehension['clauses'][number]).source;
    return withItems(this.itemsOrPromise(this.evaluate(first, scope)), (items) => {
      step(0, scope, items);
      return made();
    });
  }

  #name(name: string, scope: Scope): Value {
    if (scope.has(name)) return scope.get(name);
    const builtin = Object.hasOwn(this.#builtins, name)
      ? this.#builtins[name]
      : this.world.global(name);
    if (builtin === undefined) throw new ReferenceError(`python: name '${name}' is not defined`);
    return builtin;
  }

  #subscript(object: Value, index: Value): Value {
    if (Array.isArray(object) || typeof object === 'string') {
      if (typeof index === 'number') return itemAt(object, index);
      if (index instanceof Slice) return sliced(object, index);
    }
    if (object instanceof Map) {
      const found = keyIn(object, index);
      if (!found) throw pythonError('KeyError', this.repr(index));
      return object.get(found.key);
    }
    return this.world.subscript(object, index);
  }

  #setItem(object: Value, index: Value, value: Value): void {
    if (object instanceof Map) setValueAt(object, index, value);
    else if (Array.isArray(object) && !(object instanceof Tuple) && typeof index === 'number') {
      itemAt(object, index);
      object[index < 0 ? index + object.length : index] = value;
    } else this.world.setSubscript(object, index, value);
  }

  #call(callee: Expression, args: readonly Argument[], scope: Scope): Value {
    const target = this.evaluate(callee, scope);
    const positional: Value[] = [];
    const keywords = new Map<string, Value>();
    for (const arg of args) {
      const value = this.evaluate(arg.value, scope);
      if (arg.kind === 'positional') positional.push(value);
      else if (arg.kind === 'spread') positional.push(...this.items(value));
      else if (arg.kind === 'keyword') keywords.set(arg.name, value);
      else for (const [k, v] of value as Map<string, Value>) keywords.set(k, v);
    }
    return this.call(target, positional, keywords);
  }

  #binary(node: Extract<Expression, { kind: 'binary' }>, scope: Scope): Value {
    const left = this.evaluate(node.left, scope);
    if (node.operator === 'and') return this.truth(left) ? this.evaluate(node.right, scope) : left;
    if (node.operator === 'or') return this.truth(left) ? left : this.evaluate(node.right, scope);
    return this.binary(node.operator, left, this.evaluate(node.right, scope));
  }

  /** `a < b < c`: each comparison in turn, up to the first that does not hold. */
  #compare({ first, rest }: Extract<Expression, { kind: 'compare' }>, scope: Scope): Value {
    let left = this.evaluate(first, scope);
    let result: Value = true;
    for (const [i, { operator, operand }] of rest.entries()) {
      const right = this.evaluate(operand, scope);
      result = this.#compared(operator, left, right);
      if (i < rest.length - 1 && !this.truth(result)) return result;
      left = right;
    }
    return result;
  }

  #compared(operator: string, left: Value, right: Value): Value {
    switch (operator) {
      case 'is':
        return same(left, right);
      case 'is not':
        return !same(left, right);
      case 'in':
        return this.#contains(right, left);
      case 'not in':
        return !this.#contains(right, left);
      default:
        return this.binary(operator, left, right);
    }
  }

  #contains(container: Value, item: Value): boolean {
    if (isPlain(container)) return contains(container, item);
    return this.items(container).some((own) =>
      isPlain(own) && isPlain(item) ? equal(own, item) : this.truth(this.binary('==', own, item)),
    );
  }
}

const same = (a: Value, b: Value): boolean => (a ?? null) === (b ?? null);

function numberOf(text: string): Value {
  if (/^0[xXbB]/.test(text)) return Number(text);
  if (/[.eE]/.test(text)) return float(Number(text));
  const exact = BigInt(text);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

/** `then` of the items, now or when they are there. */
export const withItems = (
  items: Value[] | Promise<Value[]>,
  then: (items: Value[]) => Value,
): Value => (items instanceof Promise ? items.then(then) : then(items));
