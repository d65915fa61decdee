import { Float, float } from '@sconce/core';
import { Slice, Tuple, type Value } from '../corpus/value.js';
import { PyContext, PyFunction } from './objects.js';
import { isPlain, plainBinary, plainUnary, range, str, truth } from './plain.js';
import type { Argument, Expression, Statement } from './syntax.js';

/** What the evaluated code can reach: everything that is not plain Python. */
export interface World {
  /** The value of a global name, or undefined. */
  global(name: string): Value | undefined;
  attribute(object: Value, name: string): Value;
  setAttribute(object: Value, name: string, value: Value): void;
  call(callee: Value, args: Value[], kwargs: Map<string, Value>): Value;
  subscript(object: Value, index: Value): Value;
  setSubscript(object: Value, index: Value, value: Value): void;
  binary(operator: string, left: Value, right: Value): Value;
  unary(operator: string, operand: Value): Value;
  /** `target op= value` on an object of the world; the new value of the target. */
  update(operator: string, target: Value, value: Value): Value;
  format(value: Value, spec: string): string;
  /** The items that a loop over the object meets; a promise of them where iteration is asynchronous. */
  iterate(object: Value): Value[] | Promise<Value[]>;
}

type Scope = Map<string, Value>;

/** Evaluates the Python that the corpus uses; the world gives the meaning of everything from torch. */
export class Evaluator {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs statements; the variables they leave. */
  run(program: readonly Statement[], variables: Scope = new Map()): Scope {
    for (const statement of program) this.#execute(statement, variables);
    return variables;
  }

  #execute(statement: Statement, scope: Scope): void {
    switch (statement.kind) {
      case 'expression':
        this.evaluate(statement.value, scope);
        return;
      case 'assign':
        this.#assign(statement.target, this.evaluate(statement.value, scope), scope);
        return;
      case 'update': {
        const target = this.evaluate(statement.target, scope);
        const value = this.evaluate(statement.value, scope);
        const updated =
          isPlain(target) && isPlain(value)
            ? plainBinary(statement.operator, target, value)
            : this.#world.update(statement.operator, target, value);
        this.#assign(statement.target, updated, scope);
        return;
      }
      case 'with': {
        const context = this.evaluate(statement.context, scope);
        if (!(context instanceof PyContext)) throw new TypeError('python: not a context manager');
        context.run(() => this.run(statement.body, scope));
        return;
      }
    }
  }

  #assign(target: Expression, value: Value, scope: Scope): void {
    switch (target.kind) {
      case 'name':
        scope.set(target.name, value);
        return;
      case 'attribute':
        this.#world.setAttribute(this.evaluate(target.object, scope), target.name, value);
        return;
      case 'subscript':
        this.#world.setSubscript(
          this.evaluate(target.object, scope),
          this.evaluate(target.index, scope),
          value,
        );
        return;
      case 'tuple': {
        const values = this.#iterate(value);
        if (values.length !== target.items.length) {
          throw new TypeError(`python: ${values.length} values for ${target.items.length} names`);
        }
        target.items.forEach((item, i) => {
          this.#assign(item, values[i], scope);
        });
        return;
      }
      default:
        throw new SyntaxError(`python: cannot assign to ${target.kind}`);
    }
  }

  evaluate(node: Expression, scope: Scope): Value {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'number':
        return /[.eE]/.test(node.text) ? float(Number(node.text)) : Number(node.text);
      case 'name':
        return this.#name(node.name, scope);
      case 'list':
        return node.items.map((item) => this.evaluate(item, scope));
      case 'tuple':
        return Tuple.of(...node.items.map((item) => this.evaluate(item, scope)));
      case 'dict':
        return new Map(
          node.pairs.map(([k, v]) => [this.evaluate(k, scope), this.evaluate(v, scope)]),
        );
      case 'comprehension':
        return withItems(this.#items(this.evaluate(node.source, scope)), (items) =>
          items.map((item) => this.evaluate(node.value, this.#bound(node.target, item, scope))),
        );
      case 'lambda':
        return new PyFunction((args) => {
          const inner = new Map(scope);
          node.params.forEach((name, i) => {
            inner.set(name, args[i]);
          });
          return this.evaluate(node.body, inner);
        });
      case 'attribute':
        return this.#world.attribute(this.evaluate(node.object, scope), node.name);
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
      case 'unary': {
        const operand = this.evaluate(node.operand, scope);
        return isPlain(operand)
          ? plainUnary(node.operator, operand)
          : this.#world.unary(node.operator, operand);
      }
      case 'binary':
        return this.#binary(node, scope);
      case 'conditional':
        return truth(this.evaluate(node.test, scope))
          ? this.evaluate(node.chosen, scope)
          : this.evaluate(node.otherwise, scope);
      case 'format':
        return this.#world.format(this.evaluate(node.value, scope), node.spec);
    }
  }

  #bound(names: readonly string[], item: Value, scope: Scope): Scope {
    const inner = new Map(scope);
    const values = names.length === 1 ? [item] : this.#iterate(item);
    names.forEach((name, i) => {
      inner.set(name, values[i]);
    });
    return inner;
  }

  #items(value: Value): Value[] | Promise<Value[]> {
    return Array.isArray(value) ? Array.from(value) : this.#world.iterate(value);
  }

  #iterate(value: Value): Value[] {
    const items = this.#items(value);
    if (items instanceof Promise) throw new TypeError('python: asynchronous items');
    return items;
  }

  #name(name: string, scope: Scope): Value {
    if (scope.has(name)) return scope.get(name);
    const builtin = this.#builtins[name] ?? this.#world.global(name);
    if (builtin === undefined) throw new ReferenceError(`python: name '${name}' is not defined`);
    return builtin;
  }

  readonly #builtins: Record<string, Value> = {
    range: new PyFunction((args) => range(args as number[])),
    list: new PyFunction(([items]) => withItems(this.#items(items ?? []), (all) => [...all])),
    tuple: new PyFunction(([items]) => Tuple.of(...this.#iterate(items ?? []))),
    len: new PyFunction(([items]) => this.#iterate(items).length),
    zip: new PyFunction((lists) => {
      const all = lists.map((list) => this.#iterate(list));
      const length = Math.min(...all.map((list) => list.length));
      return Array.from({ length }, (_, i) => Tuple.of(...all.map((list) => list[i])));
    }),
    slice: new PyFunction((args) => {
      const [a, b, c] = args as (number | null)[];
      return args.length === 1
        ? new Slice(null, a ?? null, null)
        : new Slice(a ?? null, b ?? null, c ?? null);
    }),
    setattr: new PyFunction(([object, name, value]) => {
      this.#world.setAttribute(object, name as string, value);
      return null;
    }),
    float: new PyFunction(([x]) => float(typeof x === 'string' ? floatOf(x) : this.#number(x))),
    int: new PyFunction(([x]) => Math.trunc(this.#number(x))),
    bool: new PyFunction(([x]) => (isPlain(x) ? truth(x) : this.#number(x) !== 0)),
    str: new PyFunction(([x]) => (isPlain(x) ? str(x) : this.#world.format(x, ''))),
  };

  /** A number, also that of one-element tensors. */
  #number(x: Value): number {
    const plain = isPlain(x)
      ? x
      : this.#world.call(this.#world.attribute(x, 'item'), [], new Map());
    return Number(plain instanceof Float ? plain.value : plain);
  }

  #subscript(object: Value, index: Value): Value {
    if (Array.isArray(object) && typeof index === 'number') return object.at(index);
    if (object instanceof Map) return object.get(index);
    return this.#world.subscript(object, index);
  }

  #call(callee: Expression, args: readonly Argument[], scope: Scope): Value {
    const target = this.evaluate(callee, scope);
    const positional: Value[] = [];
    const keywords = new Map<string, Value>();
    for (const arg of args) {
      const value = this.evaluate(arg.value, scope);
      if (arg.kind === 'positional') positional.push(value);
      else if (arg.kind === 'spread') positional.push(...this.#iterate(value));
      else if (arg.kind === 'keyword') keywords.set(arg.name, value);
      else for (const [k, v] of value as Map<string, Value>) keywords.set(k, v);
    }
    if (target instanceof PyFunction) return target.call(positional, keywords);
    return this.#world.call(target, positional, keywords);
  }

  #binary(node: Extract<Expression, { kind: 'binary' }>, scope: Scope): Value {
    const left = this.evaluate(node.left, scope);
    if (node.operator === 'and') return truth(left) ? this.evaluate(node.right, scope) : left;
    if (node.operator === 'or') return truth(left) ? left : this.evaluate(node.right, scope);
    const right = this.evaluate(node.right, scope);
    if (node.operator === 'is') return left === right;
    return isPlain(left) && isPlain(right)
      ? plainBinary(node.operator, left, right)
      : this.#world.binary(node.operator, left, right);
  }
}

/** `then` of the items, now or when they are there. */
const withItems = (items: Value[] | Promise<Value[]>, then: (items: Value[]) => Value): Value =>
  items instanceof Promise ? items.then(then) : then(items);

/** `float(text)`. */
const floatOf = (text: string): number =>
  ({ inf: Infinity, '-inf': -Infinity, nan: Number.NaN })[text] ?? Number(text);
