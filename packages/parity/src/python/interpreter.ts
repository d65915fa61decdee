import type { Value } from '../corpus/value.js';
import { type Evaluator, pythonError, type Scope } from './evaluator.js';
import { keyIn } from './keys.js';
import { PyContext, PyType } from './objects.js';
import { isPlain } from './plain.js';
import type { Expression, Handler, Statement } from './syntax.js';

/** How a block ended before its last statement. */
type Ended =
  | { readonly kind: 'return'; readonly value: Value }
  | { readonly kind: 'break' | 'continue' };

/** Runs statements of the corpus' Python. */
export class Interpreter {
  readonly #evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
  }

  /** Runs statements; the variables they leave. */
  run(program: readonly Statement[], variables: Scope = new Map()): Scope {
    this.#block(program, variables);
    return variables;
  }

  #block(statements: readonly Statement[], scope: Scope): Ended | undefined {
    for (const statement of statements) {
      const ended = this.#execute(statement, scope);
      if (ended) return ended;
    }
    return undefined;
  }

  #execute(statement: Statement, scope: Scope): Ended | undefined {
    const evaluator = this.#evaluator;
    const value = (node: Expression) => evaluator.evaluate(node, scope);
    switch (statement.kind) {
      case 'expression':
        value(statement.value);
        return undefined;
      case 'assign': {
        const assigned = value(statement.value);
        for (const target of statement.targets) evaluator.assign(target, assigned, scope);
        return undefined;
      }
      case 'update': {
        const [target, operand] = [value(statement.target), value(statement.value)];
        const plain = isPlain(target) && isPlain(operand);
        const updated = plain
          ? evaluator.binary(statement.operator, target, operand)
          : evaluator.world.update(statement.operator, target, operand);
        evaluator.assign(statement.target, updated, scope);
        return undefined;
      }
      case 'with':
        return this.#with(statement.items, statement.body, scope);
      case 'for':
        return this.#loop(evaluator.items(value(statement.source)), statement, scope);
      case 'while': {
        const test = () => evaluator.truth(value(statement.test));
        while (test()) {
          const ended = this.#block(statement.body, scope);
          if (ended?.kind === 'break') break;
          if (ended?.kind === 'return') return ended;
        }
        return undefined;
      }
      case 'if':
        return this.#block(
          evaluator.truth(value(statement.test)) ? statement.body : statement.otherwise,
          scope,
        );
      case 'def': {
        const { name, params, body } = statement;
        const own = evaluator.function(params, scope, (inner) => {
          // The function sees itself, and what was defined after it.
          for (const [key, global] of scope) if (!inner.has(key)) inner.set(key, global);
          const ended = this.#block(body, inner);
          return ended?.kind === 'return' ? ended.value : null;
        });
        scope.set(name, own);
        return undefined;
      }
      case 'try':
        return this.#try(statement, scope);
      case 'return':
        return { kind: 'return', value: statement.value ? value(statement.value) : null };
      case 'raise': {
        const error = statement.value ? value(statement.value) : undefined;
        if (error instanceof PyType) throw pythonError(error.name, '');
        throw error instanceof Error ? error : new TypeError('python: no exception to raise');
      }
      case 'assert':
        if (evaluator.truth(value(statement.test))) return undefined;
        throw pythonError(
          'AssertionError',
          statement.message ? evaluator.format(value(statement.message), '') : '',
        );
      case 'delete':
        this.#delete(statement.target, scope);
        return undefined;
      case 'import':
        scope.set(statement.name, evaluator.world.module(statement.path));
        return undefined;
      case 'pass':
        return undefined;
      case 'break':
      case 'continue':
        return { kind: statement.kind };
    }
  }

  #loop(
    items: readonly Value[],
    { target, body }: Extract<Statement, { kind: 'for' }>,
    scope: Scope,
  ): Ended | undefined {
    for (const item of items) {
      this.#evaluator.assign(target, item, scope);
      const ended = this.#block(body, scope);
      if (ended?.kind === 'break') break;
      if (ended?.kind === 'return') return ended;
    }
    return undefined;
  }

  #with(
    items: Extract<Statement, { kind: 'with' }>['items'],
    body: readonly Statement[],
    scope: Scope,
  ): Ended | undefined {
    const [first, ...rest] = items;
    if (!first) return this.#block(body, scope);
    const context = this.#evaluator.evaluate(first.context, scope);
    if (!(context instanceof PyContext)) throw new TypeError('python: not a context manager');
    if (first.target) this.#evaluator.assign(first.target, context, scope);
    let ended: Ended | undefined;
    context.run(() => {
      ended = this.#with(rest, body, scope);
    });
    return ended;
  }

  #try(
    { body, handlers, final }: Extract<Statement, { kind: 'try' }>,
    scope: Scope,
  ): Ended | undefined {
    let ended: Ended | undefined;
    try {
      ended = this.#block(body, scope);
    } catch (error) {
      const handler = handlers.find((h) => this.#handles(h, error, scope));
      if (!handler) throw error;
      if (handler.name) scope.set(handler.name, error);
      ended = this.#block(handler.body, scope);
    } finally {
      const last = this.#block(final, scope);
      if (last) ended = last;
    }
    return ended;
  }

  #handles({ type }: Handler, error: unknown, scope: Scope): boolean {
    if (!type) return true;
    const named = this.#evaluator.evaluate(type, scope);
    const types = Array.isArray(named) ? named : [named];
    return types.some((t) => t instanceof PyType && t.holds(error));
  }

  #delete(target: Expression, scope: Scope): void {
    const evaluator = this.#evaluator;
    if (target.kind === 'name') scope.delete(target.name);
    else if (target.kind === 'tuple') for (const item of target.items) this.#delete(item, scope);
    else if (target.kind === 'subscript') {
      const object = evaluator.evaluate(target.object, scope);
      const index = evaluator.evaluate(target.index, scope);
      if (object instanceof Map) {
        const found = keyIn(object, index);
        if (!found) throw pythonError('KeyError', evaluator.repr(index));
        object.delete(found.key);
      } else if (Array.isArray(object) && typeof index === 'number') {
        object.splice(index, 1);
      } else throw new TypeError('python: the item cannot be deleted');
    } else throw new SyntaxError(`python: cannot delete ${target.kind}`);
  }
}
