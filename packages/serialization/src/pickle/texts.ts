import { quote } from '../errors.js';
import type { Cursor } from './cursor.js';

/** A float as Python writes it out; undefined if the text is none. */
export function parseFloatText(text: string): number | undefined {
  const special = new Map([
    ['nan', Number.NaN],
    ['inf', Number.POSITIVE_INFINITY],
    ['-inf', Number.NEGATIVE_INFINITY],
  ]);
  const known = special.get(text.trim().toLowerCase());
  if (known !== undefined) return known;
  // Python writes 24 characters at most; others may write more, but not without end.
  if (text.length > 1000) return undefined;
  return /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

/** A Python string literal as `repr` writes it. */
export function unquote(text: string, read: Cursor): string {
  const match = /^(['"])(.*)\1$/s.exec(text.trim());
  if (!match) throw read.fault('a text is not quoted');
  return (match[2] as string).replace(
    /\\(?:x([0-9a-fA-F]{2})|(.))/gs,
    (whole: string, hex: string | undefined, char: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const plain: Record<string, string> = {
        n: '\n',
        r: '\r',
        t: '\t',
        '\\': '\\',
        "'": "'",
        '"': '"',
      };
      const known = plain[char ?? ''];
      if (known === undefined) throw read.fault(`a text has the unknown escape ${quote(whole)}`);
      return known;
    },
  );
}

/** Python's raw-unicode-escape. */
export function rawUnicode(text: string, read: Cursor): string {
  return text.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (_, short?: string, long?: string) => {
      const point = Number.parseInt((short ?? long) as string, 16);
      if (point > 0x10ffff) throw read.fault('a text has a character that does not exist');
      return String.fromCodePoint(point);
    },
  );
}
