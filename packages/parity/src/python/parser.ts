import { ellipsis } from '../corpus/value.js';
import type { Argument, Expression, Statement } from './syntax.js';
import { type Token, tokenize } from './tokens.js';

/** Binary operators by how strongly they bind, weakest first; `**` binds more than all of them. */
const levels: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['==', '!=', '<', '<=', '>', '>=', 'is', 'in'],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%', '@'],
];

const constants: Record<string, unknown> = { None: null, True: true, False: false };

/** A parser of the expressions that the corpus uses; anything else is a SyntaxError. */
class Parser {
  readonly #source: string;
  readonly #tokens: Token[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  /** An expression, or several separated by commas as a tuple. */
  expressions(): Expression {
    const first = this.expression();
    if (!this.#is(',')) return first;
    const items = [first];
    while (this.#accept(',')) {
      if (this.#peek().kind === 'end' || this.#is('=') || this.#is(']')) break;
      items.push(this.expression());
    }
    return { kind: 'tuple', items };
  }

  expression(): Expression {
    if (this.#accept('lambda')) return this.#lambda();
    const value = this.#level(0);
    if (!this.#accept('if')) return value;
    const test = this.#level(0);
    this.#expect('else');
    return { kind: 'conditional', test, chosen: value, otherwise: this.expression() };
  }

  statement(): Statement {
    const target = this.expressions();
    if (this.#accept('=')) return { kind: 'assign', target, value: this.expressions() };
    const { text } = this.#peek();
    if (/^(\+|-|\*|\/|\*\*|\/\/)=$/.test(text)) {
      this.#at++;
      return { kind: 'update', target, operator: text.slice(0, -1), value: this.expressions() };
    }
    return { kind: 'expression', value: target };
  }

  end(): void {
    if (this.#peek().kind !== 'end') this.#fail();
  }

  #lambda(): Expression {
    const params: string[] = [];
    while (!this.#accept(':')) {
      params.push(this.#name());
      this.#accept(',');
    }
    return { kind: 'lambda', params, body: this.expression() };
  }

  #level(level: number): Expression {
    const operators = levels[level];
    if (!operators) return this.#unary();
    if (level === 2 && this.#accept('not')) {
      return { kind: 'unary', operator: 'not', operand: this.#level(2) };
    }
    let left = this.#level(level + 1);
    while (operators.includes(this.#peek().text) && this.#peek().kind !== 'string') {
      const operator = this.#next().text;
      left = { kind: 'binary', operator, left, right: this.#level(level + 1) };
    }
    return left;
  }

  #unary(): Expression {
    for (const operator of ['-', '+', '~']) {
      if (this.#accept(operator)) return { kind: 'unary', operator, operand: this.#unary() };
    }
    const base = this.#postfix(this.#atom());
    if (!this.#accept('**')) return base;
    return { kind: 'binary', operator: '**', left: base, right: this.#unary() };
  }

  #postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.#accept('.')) value = { kind: 'attribute', object: value, name: this.#name() };
      else if (this.#accept('(')) value = { kind: 'call', callee: value, args: this.#arguments() };
      else if (this.#accept('[')) {
        value = { kind: 'subscript', object: value, index: this.#index() };
        this.#expect(']');
      } else return value;
    }
  }

  #arguments(): Argument[] {
    const args: Argument[] = [];
    while (!this.#accept(')')) {
      if (this.#accept('**')) args.push({ kind: 'keywords', value: this.expression() });
      else if (this.#accept('*')) args.push({ kind: 'spread', value: this.expression() });
      else {
        const value = this.expression();
        if (value.kind === 'name' && this.#accept('=')) {
          args.push({ kind: 'keyword', name: value.name, value: this.expression() });
        } else args.push({ kind: 'positional', value });
      }
      if (!this.#is(')')) this.#expect(',');
    }
    return args;
  }

  #index(): Expression {
    const first = this.#sliceOrExpression();
    if (!this.#is(',')) return first;
    const items = [first];
    while (this.#accept(',')) {
      if (this.#is(']')) break;
      items.push(this.#sliceOrExpression());
    }
    return { kind: 'tuple', items };
  }

  #sliceOrExpression(): Expression {
    const parts: (Expression | null)[] = [null];
    if (!this.#is(':')) {
      const value = this.expression();
      if (!this.#is(':')) return value;
      parts[0] = value;
    }
    while (this.#accept(':')) {
      const ends = this.#is(':') || this.#is(']') || this.#is(',');
      parts.push(ends ? null : this.expression());
    }
    return { kind: 'slice', parts };
  }

  #atom(): Expression {
    const token = this.#next();
    if (token.kind === 'number') return { kind: 'number', text: token.text };
    if (token.kind === 'string') return { kind: 'constant', value: token.text };
    if (token.kind === 'fstring') return this.#formatted(token.text);
    if (token.kind === 'name') {
      if (token.text in constants) return { kind: 'constant', value: constants[token.text] };
      return { kind: 'name', name: token.text };
    }
    if (token.text === '...') return { kind: 'constant', value: ellipsis };
    if (token.text === '(') return this.#parenthesized();
    if (token.text === '[') return this.#list();
    if (token.text === '{') return this.#dict();
    this.#at--;
    return this.#fail();
  }

  #parenthesized(): Expression {
    if (this.#accept(')')) return { kind: 'tuple', items: [] };
    const first = this.expression();
    if (this.#accept(')')) return first;
    const items = [first];
    while (this.#accept(',')) {
      if (this.#is(')')) break;
      items.push(this.expression());
    }
    this.#expect(')');
    return { kind: 'tuple', items };
  }

  #list(): Expression {
    const items: Expression[] = [];
    while (!this.#accept(']')) {
      items.push(this.expression());
      if (this.#accept('for')) {
        const target = [this.#name()];
        while (this.#accept(',')) target.push(this.#name());
        this.#expect('in');
        const source = this.#level(3);
        this.#expect(']');
        return { kind: 'comprehension', value: items[0] as Expression, target, source };
      }
      if (!this.#is(']')) this.#expect(',');
    }
    return { kind: 'list', items };
  }

  #dict(): Expression {
    const pairs: [Expression, Expression][] = [];
    while (!this.#accept('}')) {
      const key = this.expression();
      this.#expect(':');
      pairs.push([key, this.expression()]);
      if (!this.#is('}')) this.#expect(',');
    }
    return { kind: 'dict', pairs };
  }

  /** An f-string that holds one formatted value and nothing else. */
  #formatted(text: string): Expression {
    const found = /^\{(.*?)(?::([^:{}()]*))?\}$/.exec(text);
    if (!found) return this.#fail();
    return { kind: 'format', value: parseExpression(found[1] as string), spec: found[2] ?? '' };
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #next(): Token {
    return this.#tokens[this.#at++] as Token;
  }

  #is(text: string): boolean {
    const token = this.#peek();
    return token.text === text && (token.kind === 'operator' || token.kind === 'name');
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#fail();
  }

  #name(): string {
    const token = this.#next();
    if (token.kind !== 'name') {
      this.#at--;
      this.#fail();
    }
    return token.text;
  }

  #fail(): never {
    const token = this.#peek();
    const found = token.kind === 'end' ? 'the end' : `'${token.text}'`;
    throw new SyntaxError(`python: unexpected ${found} in \`${this.#source}\``);
  }
}

/** @throws SyntaxError if the source is no expression of the supported kinds. */
export function parseExpression(source: string): Expression {
  const parser = new Parser(source);
  const expression = parser.expressions();
  parser.end();
  return expression;
}

/** @throws SyntaxError if a line is no statement of the supported kinds. */
export function parseProgram(source: string): Statement[] {
  const lines = source.split('\n').filter((line) => line.trim() !== '');
  let at = 0;
  const indentOf = (line: string) => line.length - line.trimStart().length;
  const block = (indent: number): Statement[] => {
    const statements: Statement[] = [];
    while (at < lines.length && indentOf(lines[at] as string) === indent) {
      const line = (lines[at++] as string).trim();
      const context = /^with (.*):$/.exec(line);
      if (context) {
        const inner = indentOf(lines[at] ?? '');
        statements.push({
          kind: 'with',
          context: parseExpression(context[1] as string),
          body: inner > indent ? block(inner) : [],
        });
        continue;
      }
      const parser = new Parser(line);
      statements.push(parser.statement());
      parser.end();
    }
    return statements;
  };
  const program = block(0);
  if (at < lines.length) throw new SyntaxError(`python: unexpected indent: \`${lines[at]}\``);
  return program;
}
