/** A token of Python code. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'fstring' | 'operator' | 'end';
  readonly text: string;
}

const operators = [
  '**=',
  '//=',
  '<<=',
  '>>=',
  '...',
  '**',
  '//',
  '==',
  '!=',
  '<=',
  '>=',
  '<<',
  '>>',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '@=',
  '&=',
  '|=',
  '^=',
  '->',
  ...'+-*/%@&|^~<>=()[]{},:.!;',
];

const quoted = (prefix: string): RegExp =>
  new RegExp(
    `(${prefix})(?:'''([\\s\\S]*?)'''|"""([\\s\\S]*?)"""|'((?:[^'\\\\\\n]|\\\\.)*)'|"((?:[^"\\\\\\n]|\\\\.)*)")`,
    'y',
  );

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /0[xX][0-9a-fA-F_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y],
  ['fstring', quoted('[rR]?[fF][rR]?')],
  ['string', quoted('[rRuU]?')],
  ['name', /[A-Za-z_]\w*/y],
];

/**
 * Splits Python code into tokens; comments go.
 *
 * @throws SyntaxError at a character that starts none.
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const skipped = /\s+|#[^\n]*|\\\n/y;
    skipped.lastIndex = at;
    const blank = skipped.exec(source);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    const token = match(source, at);
    if (!token) {
      throw new SyntaxError(`python: unexpected '${source[at]}' at ${at} of \`${source}\``);
    }
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

function match(source: string, at: number): { token: Token; end: number } | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (!found) continue;
    const content = found.slice(2).find((part) => part !== undefined);
    const raw = /r/i.test(found[1] ?? '');
    // What stands in the braces of an f-string is code, whose own strings keep their escapes.
    const text =
      content === undefined ? found[0] : raw || kind === 'fstring' ? content : unescaped(content);
    return { token: { kind, text }, end: at + found[0].length };
  }
  const text = operators.find((o) => source.startsWith(o, at));
  return text ? { token: { kind: 'operator', text }, end: at + text.length } : undefined;
}

/** The text of a string literal. */
export const unescaped = (text: string): string =>
  text.replace(/\\([\s\S])/g, (_, c: string) => ({ n: '\n', t: '\t', '\n': '' })[c] ?? c);
