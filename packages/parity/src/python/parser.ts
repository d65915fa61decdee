import { ellipsis } from '../corpus/value.js';
import type { Argument, Comprehension, Expression, Formatted, Parameter } from './syntax.js';
import { type Token, tokenize, unescaped } from './tokens.js';

/** Binary operators by how strongly they bind, weakest first; `**` binds more than all of them. */
const levels: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%', '@'],
];

const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=']);

const constants: Record<string, unknown> = { None: null, True: true, False: false };

/** A parser of Python's expressions; what it does not know is a SyntaxError. */
export class Parser {
  readonly #source: string;
  readonly #tokens: Token[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  /** An expression, or several separated by commas as a tuple. */
  expressions(): Expression {
    const first = this.#item();
    if (!this.is(',')) return first;
    const items = [first];
    while (this.accept(',')) {
      if (this.atEnd() || [')', ']', '=', ':', ';'].some((end) => this.is(end))) break;
      items.push(this.#item());
    }
    return { kind: 'tuple', items };
  }

  expression(): Expression {
    if (this.accept('lambda')) {
      const params = this.parameters(':');
      return { kind: 'lambda', params, body: this.expression() };
    }
    const value = this.#or();
    if (!this.accept('if')) return value;
    const test = this.#or();
    this.expect('else');
    return { kind: 'conditional', test, chosen: value, otherwise: this.expression() };
  }

  /** What a loop assigns to: names, items, tuples of them. */
  target(): Expression {
    const one = () => (this.accept('*') ? starred(this.#postfix(this.#atom())) : this.#primary());
    const first = one();
    if (!this.is(',')) return first;
    const items = [first];
    while (this.accept(',')) {
      if (this.is('in')) break;
      items.push(one());
    }
    return { kind: 'tuple', items };
  }

  /** The parameters of a function, up to and with the token that ends them. */
  parameters(end: string): Parameter[] {
    const params: Parameter[] = [];
    while (!this.accept(end)) {
      const kind = this.accept('**') ? 'keywords' : this.accept('*') ? 'rest' : 'plain';
      // A star by itself only says that what follows goes by name.
      if (kind !== 'rest' || !this.is(',')) {
        const name = this.name();
        if (end !== ':' && this.accept(':')) this.expression();
        params.push({ kind, name, value: this.accept('=') ? this.expression() : null });
      }
      if (!this.is(end)) this.expect(',');
    }
    return params;
  }

  atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  end(): void {
    if (!this.atEnd()) this.fail();
  }

  peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  next(): Token {
    return this.#tokens[this.#at++] as Token;
  }

  is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === 'operator' || token.kind === 'name');
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail();
  }

  name(): string {
    const token = this.peek();
    if (token.kind !== 'name') this.fail();
    this.#at++;
    return token.text;
  }

  fail(): never {
    const token = this.peek();
    const found = token.kind === 'end' ? 'the end' : `'${token.text}'`;
    throw new SyntaxError(`python: unexpected ${found} in \`${this.#source}\``);
  }

  #item(): Expression {
    return this.accept('*') ? starred(this.expression()) : this.expression();
  }

  #or(): Expression {
    let left = this.#and();
    while (this.accept('or')) left = { kind: 'binary', operator: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.accept('and')) left = { kind: 'binary', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    if (this.accept('not')) return { kind: 'unary', operator: 'not', operand: this.#not() };
    const first = this.#level(0);
    const rest: { operator: string; operand: Expression }[] = [];
    for (let operator = this.#comparison(); operator; operator = this.#comparison()) {
      rest.push({ operator, operand: this.#level(0) });
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest };
  }

  #comparison(): string | undefined {
    if (this.accept('is')) return this.accept('not') ? 'is not' : 'is';
    if (this.accept('in')) return 'in';
    if (this.accept('not')) {
      this.expect('in');
      return 'not in';
    }
    const { kind, text } = this.peek();
    return kind === 'operator' && comparisons.has(text) ? this.next().text : undefined;
  }

  #level(level: number): Expression {
    const operators = levels[level];
    if (!operators) return this.#unary();
    let left = this.#level(level + 1);
    while (this.peek().kind === 'operator' && operators.includes(this.peek().text)) {
      const operator = this.next().text;
      left = { kind: 'binary', operator, left, right: this.#level(level + 1) };
    }
    return left;
  }

  #unary(): Expression {
    for (const operator of ['-', '+', '~']) {
      if (this.accept(operator)) return { kind: 'unary', operator, operand: this.#unary() };
    }
    const base = this.#primary();
    if (!this.accept('**')) return base;
    return { kind: 'binary', operator: '**', left: base, right: this.#unary() };
  }

  #primary(): Expression {
    return this.#postfix(this.#atom());
  }

  #postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.accept('.')) value = { kind: 'attribute', object: value, name: this.name() };
      else if (this.accept('(')) value = { kind: 'call', callee: value, args: this.#arguments() };
      else if (this.accept('[')) {
        value = { kind: 'subscript', object: value, index: this.#index() };
        this.expect(']');
      } else return value;
    }
  }

  #arguments(): Argument[] {
    const args: Argument[] = [];
    while (!this.accept(')')) {
      if (this.accept('**')) args.push({ kind: 'keywords', value: this.expression() });
      else if (this.accept('*')) args.push({ kind: 'spread', value: this.expression() });
      else {
        const value = this.expression();
        if (value.kind === 'name' && this.accept('=')) {
          args.push({ kind: 'keyword', name: value.name, value: this.expression() });
        } else if (this.is('for')) {
          args.push({ kind: 'positional', value: this.#comprehension('generator', null, value) });
        } else args.push({ kind: 'positional', value });
      }
      if (!this.is(')')) this.expect(',');
    }
    return args;
  }

  #index(): Expression {
    const first = this.#sliceOrExpression();
    if (!this.is(',')) return first;
    const items = [first];
    while (this.accept(',')) {
      if (this.is(']')) break;
      items.push(this.#sliceOrExpression());
    }
    return { kind: 'tuple', items };
  }

  #sliceOrExpression(): Expression {
    const parts: (Expression | null)[] = [null];
    if (!this.is(':')) {
      const value = this.#item();
      if (!this.is(':')) return value;
      parts[0] = value;
    }
    while (this.accept(':')) {
      const ends = this.is(':') || this.is(']') || this.is(',');
      parts.push(ends ? null : this.expression());
    }
    return { kind: 'slice', parts };
  }

  #atom(): Expression {
    const token = this.next();
    if (token.kind === 'number') return { kind: 'number', text: token.text.replaceAll('_', '') };
    if (token.kind === 'string' || token.kind === 'fstring') return this.#text(token);
    if (token.kind === 'name') {
      if (token.text in constants) return { kind: 'constant', value: constants[token.text] };
      return { kind: 'name', name: token.text };
    }
    if (token.text === '...') return { kind: 'constant', value: ellipsis };
    if (token.text === '(') return this.#parenthesized();
    if (token.text === '[') return this.#list();
    if (token.text === '{') return this.#braces();
    this.#at--;
    return this.fail();
  }

  /** Strings that stand side by side are one. */
  #text(first: Token): Expression {
    const parts: (string | Formatted)[] = [];
    for (let token = first; ; token = this.next()) {
      if (token.kind === 'string') parts.push(token.text);
      else parts.push(...formattedParts(token.text, () => this.fail()));
      if (this.peek().kind !== 'string' && this.peek().kind !== 'fstring') break;
    }
    if (parts.every((part) => typeof part === 'string')) {
      return { kind: 'constant', value: parts.join('') };
    }
    return { kind: 'joined', parts };
  }

  #parenthesized(): Expression {
    if (this.accept(')')) return { kind: 'tuple', items: [] };
    const first = this.#item();
    if (this.is('for')) {
      const value = this.#comprehension('generator', null, first);
      this.expect(')');
      return value;
    }
    if (this.accept(')')) return first;
    const items = [first];
    while (this.accept(',')) {
      if (this.is(')')) break;
      items.push(this.#item());
    }
    this.expect(')');
    return { kind: 'tuple', items };
  }

  #list(): Expression {
    const items: Expression[] = [];
    while (!this.accept(']')) {
      items.push(this.#item());
      if (items.length === 1 && this.is('for')) {
        const value = this.#comprehension('list', null, items[0] as Expression);
        this.expect(']');
        return value;
      }
      if (!this.is(']')) this.expect(',');
    }
    return { kind: 'list', items };
  }

  /** A dictionary, a set, or a comprehension of one. */
  #braces(): Expression {
    const pairs: [Expression | null, Expression][] = [];
    const items: Expression[] = [];
    while (!this.accept('}')) {
      if (this.accept('**')) pairs.push([null, this.expression()]);
      else {
        const first = this.#item();
        if (this.accept(':')) pairs.push([first, this.expression()]);
        else items.push(first);
      }
      if (this.is('for') && pairs.length + items.length === 1) {
        const [key, value] = pairs[0] ?? [null, items[0] as Expression];
        const made = this.#comprehension(key ? 'dict' : 'set', key, value);
        this.expect('}');
        return made;
      }
      if (!this.is('}')) this.expect(',');
    }
    if (pairs.length > 0 && items.length > 0) this.fail();
    return items.length > 0 ? { kind: 'set', items } : { kind: 'dict', pairs };
  }

  #comprehension(
    of: Comprehension['of'],
    key: Expression | null,
    value: Expression,
  ): Comprehension {
    const clauses: Comprehension['clauses'] = [];
    while (this.accept('for')) {
      const target = this.target();
      this.expect('in');
      const source = this.#or();
      const tests: Expression[] = [];
      while (this.accept('if')) tests.push(this.#or());
      clauses.push({ target, source, tests });
    }
    return { kind: 'comprehension', of, key, value, clauses };
  }
}

const starred = (value: Expression): Expression => ({ kind: 'starred', value });

/** The literal and the formatted parts of an f-string. */
function formattedParts(text: string, fail: () => never): (string | Formatted)[] {
  const parts: (string | Formatted)[] = [];
  let literal = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if ((c === '{' || c === '}') && text[i + 1] === c) {
      literal += c;
      i++;
    } else if (c === '{') {
      if (literal) parts.push(unescaped(literal));
      literal = '';
      const end = closing(text, i);
      if (end < 0) fail();
      const found = /^([\s\S]*?[^!=<>:]|[\s\S])(?:!([rs]))?(?::([^:{}()[\]]*))?$/.exec(
        text.slice(i + 1, end),
      );
      if (!found) fail();
      const [, code, conversion, spec] = found as unknown as [string, string, '' | 'r', string];
      parts.push({ value: parseExpression(code), conversion: conversion ?? '', spec: spec ?? '' });
      i = end;
    } else literal += c;
  }
  if (literal) parts.push(unescaped(literal));
  return parts;
}

/** Where the brace that opens at `from` closes. */
function closing(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (/[{[(]/.test(text[i] as string)) depth++;
    if (/[}\])]/.test(text[i] as string) && --depth === 0) return i;
  }
  return -1;
}

/** @throws SyntaxError if the source is no expression of the supported kinds. */
export function parseExpression(source: string): Expression {
  const parser = new Parser(source);
  const expression = parser.expressions();
  parser.end();
  return expression;
}
