import { Parser } from './parser.js';
import type { Expression, Handler, Statement } from './syntax.js';

/** A line of a program, its continuations joined. */
interface Line {
  readonly indent: number;
  readonly text: string;
}

const assignment = /^(\+|-|\*|\/|\*\*|\/\/|%|@|&|\||\^|<<|>>)=$/;

/** A parser of the statements of a program. */
class Program {
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(source: string) {
    this.#lines = linesOf(source);
  }

  all(): Statement[] {
    const statements = this.#block(this.#lines[0]?.indent ?? 0);
    if (this.#at < this.#lines.length) {
      throw new SyntaxError(`python: unexpected indent: \`${this.#lines[this.#at]?.text}\``);
    }
    return statements;
  }

  #block(indent: number): Statement[] {
    const statements: Statement[] = [];
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      this.#at++;
      statements.push(...this.#statement(new Parser(line.text), indent));
    }
    return statements;
  }

  /** What follows a colon: an indented block, or a statement on the same line. */
  #body(parser: Parser, indent: number): Statement[] {
    parser.expect(':');
    if (!parser.atEnd()) return this.#statement(parser, indent);
    const next = this.#lines[this.#at];
    if (!next || next.indent <= indent) parser.fail();
    return this.#block((next as Line).indent);
  }

  /** The next line, if it goes on with a keyword at this depth. */
  #continued(keyword: string, indent: number): Parser | undefined {
    const next = this.#lines[this.#at];
    if (next?.indent !== indent) return undefined;
    const parser = new Parser(next.text);
    if (!parser.accept(keyword)) return undefined;
    this.#at++;
    return parser;
  }

  #statement(parser: Parser, indent: number): Statement[] {
    if (parser.accept('with')) return [this.#with(parser, indent)];
    if (parser.accept('if')) return [this.#if(parser, indent)];
    if (parser.accept('try')) return [this.#try(parser, indent)];
    if (parser.accept('while')) {
      return [{ kind: 'while', test: parser.expression(), body: this.#body(parser, indent) }];
    }
    if (parser.accept('for')) {
      const target = parser.target();
      parser.expect('in');
      const source = parser.expressions();
      return [{ kind: 'for', target, source, body: this.#body(parser, indent) }];
    }
    if (parser.accept('def')) {
      const name = parser.name();
      parser.expect('(');
      const params = parser.parameters(')');
      if (parser.accept('->')) parser.expression();
      return [{ kind: 'def', name, params, body: this.#body(parser, indent) }];
    }
    const statements = simple(parser);
    while (parser.accept(';') && !parser.atEnd()) statements.push(...simple(parser));
    parser.end();
    return statements;
  }

  #with(parser: Parser, indent: number): Statement {
    const items: { context: Expression; target: Expression | null }[] = [];
    do {
      const context = parser.expression();
      items.push({ context, target: parser.accept('as') ? parser.expression() : null });
    } while (parser.accept(','));
    return { kind: 'with', items, body: this.#body(parser, indent) };
  }

  #if(parser: Parser, indent: number): Statement {
    const test = parser.expression();
    const body = this.#body(parser, indent);
    const elif = this.#continued('elif', indent);
    if (elif) return { kind: 'if', test, body, otherwise: [this.#if(elif, indent)] };
    const last = this.#continued('else', indent);
    return { kind: 'if', test, body, otherwise: last ? this.#body(last, indent) : [] };
  }

  #try(parser: Parser, indent: number): Statement {
    const body = this.#body(parser, indent);
    const handlers: Handler[] = [];
    for (;;) {
      const line = this.#continued('except', indent);
      if (!line) break;
      const type = line.is(':') ? null : line.expression();
      const name = line.accept('as') ? line.name() : null;
      handlers.push({ type, name, body: this.#body(line, indent) });
    }
    const last = this.#continued('finally', indent);
    return { kind: 'try', body, handlers, final: last ? this.#body(last, indent) : [] };
  }
}

const ended = (parser: Parser): boolean => parser.atEnd() || parser.is(';');

function simple(parser: Parser): Statement[] {
  for (const kind of ['pass', 'break', 'continue'] as const) {
    if (parser.accept(kind)) return [{ kind }];
  }
  if (parser.accept('return')) {
    return [{ kind: 'return', value: ended(parser) ? null : parser.expressions() }];
  }
  if (parser.accept('raise')) {
    return [{ kind: 'raise', value: ended(parser) ? null : parser.expression() }];
  }
  if (parser.accept('assert')) {
    const test = parser.expression();
    return [{ kind: 'assert', test, message: parser.accept(',') ? parser.expression() : null }];
  }
  if (parser.accept('del')) return [{ kind: 'delete', target: parser.expressions() }];
  if (parser.accept('import')) return imports(parser, '');
  if (parser.accept('from')) {
    const path = dotted(parser);
    parser.expect('import');
    return imports(parser, `${path}.`);
  }
  const first = parser.expressions();
  const { text } = parser.peek();
  if (assignment.test(text)) {
    parser.next();
    const value = parser.expressions();
    return [{ kind: 'update', target: first, operator: text.slice(0, -1), value }];
  }
  const chain = [first];
  while (parser.accept('=')) chain.push(parser.expressions());
  const value = chain.pop() as Expression;
  return chain.length > 0
    ? [{ kind: 'assign', targets: chain, value }]
    : [{ kind: 'expression', value }];
}

function dotted(parser: Parser): string {
  let path = parser.name();
  while (parser.accept('.')) path += `.${parser.name()}`;
  return path;
}

function imports(parser: Parser, from: string): Statement[] {
  const statements: Statement[] = [];
  do {
    const path = `${from}${dotted(parser)}`;
    // `import torch.nn` binds the first name; what it names holds the rest.
    const own = from === '' ? path.replace(/\..*/, '') : path.slice(from.length);
    if (parser.accept('as')) statements.push({ kind: 'import', path, name: parser.name() });
    else statements.push({ kind: 'import', path: from === '' ? own : path, name: own });
  } while (parser.accept(','));
  return statements;
}

/** The lines of a program that hold something: brackets and strings may run over several. */
function linesOf(source: string): Line[] {
  const lines: Line[] = [];
  let text = '';
  let depth = 0;
  const flush = () => {
    const indent = text.length - text.trimStart().length;
    if (text.trim() !== '') lines.push({ indent, text: text.trim() });
    text = '';
  };
  const pieces =
    source.match(
      /'''[\s\S]*?'''|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|#[^\n]*|\\\n|[\s\S]/g,
    ) ?? [];
  for (const piece of pieces) {
    if (piece.startsWith('#')) continue;
    if (piece === '\\\n') text += ' ';
    else if (depth === 0 && piece === '\n') flush();
    else {
      if (/^[([{]$/.test(piece)) depth++;
      if (/^[)\]}]$/.test(piece)) depth--;
      text += piece;
    }
  }
  flush();
  return lines;
}

/** @throws SyntaxError if a line is no statement of the supported kinds. */
export const parseProgram = (source: string): Statement[] => new Program(source).all();
