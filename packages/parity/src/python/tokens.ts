/** A token of a Python expression. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'fstring' | 'operator' | 'end';
  readonly text: string;
}

const operators = [
  '**=',
  '//=',
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
  ...'+-*/%@&|^~<>=()[]{},:.',
];

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['fstring', /f'((?:[^'\\]|\\.)*)'|f"((?:[^"\\]|\\.)*)"/y],
  ['string', /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y],
  ['name', /[A-Za-z_]\w*/y],
];

/**
 * Splits a Python expression into tokens.
 *
 * @throws SyntaxError at a character that starts none.
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    if (/\s/.test(source[at] as string)) {
      at++;
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
    const quoted = found[1] ?? found[2];
    const text = quoted === undefined ? found[0] : unescaped(quoted);
    return { token: { kind, text }, end: at + found[0].length };
  }
  const text = operators.find((o) => source.startsWith(o, at));
  return text ? { token: { kind: 'operator', text }, end: at + text.length } : undefined;
}

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c);
