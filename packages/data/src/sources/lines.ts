import { checking, IndexError, RuntimeError, takes } from '@sconce/core';
import { Dataset } from '../dataset.js';
import { IterableDataset } from '../iterable-dataset.js';
import * as signatures from '../signatures.js';
import {
  type ByteSource,
  cachedSource,
  chunksOf,
  isOpen,
  openSource,
  type SourceLike,
} from './byte-source.js';

const newline = 10;

/** Options of readers of lines. */
export interface LinesOptions {
  /** The most bytes of a line; default 16 MiB. */
  maxLineLength?: number;
}

/** The lines of UTF-8 text, without their ends, read piece by piece. @throws RuntimeError at a line that is too long, or is not UTF-8. */
export async function* readLines(
  source: SourceLike,
  options: LinesOptions = {},
): AsyncGenerator<string> {
  takes('readLines', signatures.readLines, arguments);
  const { maxLineLength = 2 ** 24 } = options;
  let number = 1;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const finish = (parts: readonly Uint8Array[]): string => {
    const text = decode(decoder, parts, number++);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  };
  let rest: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(source)) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      rest.push(chunk.subarray(start, end));
      yield finish(rest);
      rest = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.slice(start));
      length += chunk.length - start;
    }
    if (length > maxLineLength)
      throw new RuntimeError(
        `readLines: line ${number} is longer than maxLineLength (${maxLineLength} bytes)`,
      );
  }
  if (length > 0) yield finish(rest);
}

function decode(decoder: TextDecoder, parts: readonly Uint8Array[], line: number): string {
  const [only] = parts;
  let bytes = only ?? new Uint8Array(0);
  if (parts.length > 1) {
    bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RuntimeError(`readLines: line ${line} is not UTF-8`);
  }
}

function parse(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RuntimeError(`jsonLines: line ${line} is not JSON (${(error as Error).message})`);
  }
}

/**
 * The values of a file of JSON lines (`.jsonl`, `.ndjson`) one after another; empty lines are left out. Needs no memory for the whole,
 * and gives no order but the file's; see `JsonLinesDataset`.
 *
 * @throws RuntimeError at a line that is not JSON.
 * @example for await (const batch of new DataLoader(jsonLines<{ text: string }>('corpus.jsonl'), { batchSize: 8 })) { ... }
 */
export const jsonLines = checking(
  'jsonLines',
  signatures.jsonLines,
  <T = unknown>(source: SourceLike, options: LinesOptions = {}): IterableDataset<T> =>
    IterableDataset.from(async function* () {
      let line = 0;
      for await (const text of readLines(source, options)) {
        line++;
        if (text.trim() !== '') yield parse(text, line) as T;
      }
    }),
);

/**
 * The values of a file of JSON lines by index: where lines begin is found once, and each is read when it is asked for.
 *
 * @throws RuntimeError at a line that is not JSON.
 * @example const rows = await JsonLinesDataset.open<{ text: string }>('corpus.jsonl');
 */
export class JsonLinesDataset<T = unknown> extends Dataset<T> {
  readonly #source: ByteSource;
  /** Beginning and end of each line that is not empty. */
  readonly #spans: Float64Array;
  readonly #owned: boolean;

  private constructor(source: ByteSource, spans: Float64Array, owned: boolean) {
    super();
    this.#source = source;
    this.#spans = spans;
    this.#owned = owned;
  }

  static async open<T = unknown>(source: SourceLike): Promise<JsonLinesDataset<T>> {
    const open = await openSource(source);
    const spans: number[] = [];
    let begin = 0;
    let at = 0;
    let blank = true;
    for await (const chunk of chunksOf(open)) {
      for (const byte of chunk) {
        if (byte === newline) {
          if (!blank) spans.push(begin, at);
          begin = at + 1;
          blank = true;
        } else if (byte > 32) blank = false;
        at++;
      }
    }
    if (!blank) spans.push(begin, at);
    return new JsonLinesDataset(cachedSource(open), Float64Array.from(spans), !isOpen(source));
  }

  override get length(): number {
    return this.#spans.length / 2;
  }

  override async get(index: number): Promise<T> {
    const begin = this.#spans[2 * index];
    const end = this.#spans[2 * index + 1];
    if (begin === undefined || end === undefined)
      throw new IndexError(
        `JsonLinesDataset: index ${index} is out of range for ${this.length} lines`,
      );
    const bytes = await this.#source.read(begin, end - begin);
    const decoder = new TextDecoder('utf-8', { fatal: true });
    return parse(decode(decoder, [bytes], index + 1), index + 1) as T;
  }

  async close(): Promise<void> {
    if (this.#owned) await this.#source.close();
  }
}
