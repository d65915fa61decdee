import { IndexError } from '../errors.js';

/** A list of positions, or of bools, in a written index. */
export interface IndexList {
  readonly list: readonly number[] | readonly boolean[];
}

/** One part of a written index. */
export type TextPart =
  | number
  | readonly [number | null, number | null, number | null]
  | null
  | boolean
  | IndexList
  | '...';

/** A part of the text and where it stands. */
interface Piece {
  readonly text: string;
  readonly at: number;
}

const words: Readonly<Record<string, TextPart>> = {
  '...': '...',
  None: null,
  null: null,
  True: true,
  true: true,
  False: false,
  false: false,
};

const whole = /^[+-]?\d+$/;
const range = /^([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?)?$/;

const refused = (text: string, { text: part, at }: Piece): IndexError =>
  new IndexError(
    `at: '${text}' is no index: ${part === '' ? 'nothing stands' : `'${part}' stands`} at position ${at}; between commas stand positions (3, -1), ranges (1:5, ::2), lists ([0, 2]), '...', None, True or False`,
  );

/** The pieces between commas, those inside of brackets left together; a comma at the end adds none. */
function pieces(text: string, from = 0): Piece[] {
  const found: Piece[] = [];
  let start = 0;
  let depth = 0;
  const push = (end: number) => {
    const raw = text.slice(start, end);
    found.push({ text: raw.trim(), at: from + start + (raw.length - raw.trimStart().length) });
    start = end + 1;
  };
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']') depth--;
    else if (text[i] === ',' && depth === 0) push(i);
  }
  if (found.length === 0 || text.slice(start).trim() !== '') push(text.length);
  return found;
}

function parseList(text: string, piece: Piece): IndexList {
  const inner = piece.text.slice(1, -1);
  if (inner.trim() === '') return { list: [] };
  const list = pieces(inner, piece.at + 1).map((item): number | boolean => {
    const value = whole.test(item.text) ? Number(item.text) : words[item.text];
    if (typeof value !== 'number' && typeof value !== 'boolean') throw refused(text, item);
    return value;
  });
  if (list.some((x) => typeof x !== typeof list[0])) throw refused(text, piece);
  return { list: list as number[] | boolean[] };
}

function parsePiece(text: string, piece: Piece): TextPart {
  const part = piece.text;
  if (Object.hasOwn(words, part)) return words[part] as TextPart;
  if (whole.test(part)) return Number(part);
  if (part.startsWith('[') && part.endsWith(']')) return parseList(text, piece);
  const bounds = range.exec(part);
  if (!bounds) throw refused(text, piece);
  const [start, end, step] = bounds
    .slice(1)
    .map((s: string | undefined) => (s === undefined ? null : Number(s)));
  return [start ?? null, end ?? null, step ?? null];
}

/**
 * Reads an index written as in Python: `1:5, ..., None, [0, 2], ::2`.
 *
 * @throws IndexError that names what is no index, and the position it stands at.
 */
export const parseIndex = (text: string): TextPart[] =>
  pieces(text).map((piece) => parsePiece(text, piece));
