import {
  builtinModule,
  fromTypedArray,
  IndexError,
  openWholeFile,
  RuntimeError,
  type Tensor,
  takes,
} from '@sconce/core';
import { Dataset } from '../dataset.js';
import * as signatures from '../signatures.js';
import {
  type ByteSource,
  type CacheOptions,
  cachedSource,
  type OpenOptions,
  openSource,
  type SourceLike,
} from './byte-source.js';

/** How tokens are stored: 16 bits hold vocabularies up to 65,536. */
export type TokenFormat = 'uint16' | 'uint32';

const bytesOf: Record<TokenFormat, number> = { uint16: 2, uint32: 4 };

/** Options of `TokenDataset`. */
export interface TokenOptions extends OpenOptions, CacheOptions {
  /** How tokens are stored; default `'uint16'`. */
  format?: TokenFormat;
  /** Tokens from one sample to the next; default the context, so that they do not overlap. */
  stride?: number;
}

/**
 * Windows of a long file of tokens for language models: samples `[input, target]`, both int64 [context], the target one token further.
 * Read when they are asked for, through a cache, so the file may be larger than memory; also over HTTP.
 *
 * @example
 * const corpus = await TokenDataset.open('train.bin', 256);
 * for await (const [x, y] of new DataLoader(corpus, { batchSize: 32, shuffle: true })) { ... }
 */
export class TokenDataset extends Dataset<readonly [Tensor, Tensor]> {
  /** Tokens in an input. */
  readonly context: number;
  readonly stride: number;
  /** Tokens in the file. */
  readonly tokens: number;
  readonly #source: ByteSource;
  readonly #format: TokenFormat;

  private constructor(source: ByteSource, context: number, options: TokenOptions) {
    super();
    const { format = 'uint16', stride = context } = options;
    for (const [name, value] of Object.entries({ context, stride }))
      if (!Number.isInteger(value) || value < 1)
        throw new RuntimeError(`TokenDataset: ${name} should be a positive integer, got ${value}`);
    this.tokens = source.size / bytesOf[format];
    if (!Number.isInteger(this.tokens) || this.tokens < context + 1)
      throw new RuntimeError(
        `TokenDataset: ${source.size} bytes are not whole ${format} tokens, at least ${context + 1} of them`,
      );
    this.context = context;
    this.stride = stride;
    this.#format = format;
    this.#source = cachedSource(source, { blockSize: options.blockSize, blocks: options.blocks });
  }

  static async open(
    source: SourceLike,
    context: number,
    options: TokenOptions = {},
  ): Promise<TokenDataset> {
    takes('open', signatures.TokenDataset_open, arguments);
    const { retries, headers } = options;
    return new TokenDataset(await openSource(source, { retries, headers }), context, options);
  }

  override get length(): number {
    return Math.floor((this.tokens - 1 - this.context) / this.stride) + 1;
  }

  override async get(index: number): Promise<readonly [Tensor, Tensor]> {
    if (!(index >= 0 && index < this.length))
      throw new IndexError(
        `TokenDataset: index ${index} is out of range for ${this.length} windows`,
      );
    const ids = await this.read(index * this.stride, this.context + 1);
    const n = this.context;
    return [
      fromTypedArray(ids.slice(0, n), [n], { device: 'cpu' }),
      fromTypedArray(ids.slice(1), [n], { device: 'cpu' }),
    ];
  }

  override getItems(indices: readonly number[]): Promise<(readonly [Tensor, Tensor])[]> {
    return Promise.all(indices.map((i) => this.get(i)));
  }

  /** Tokens from a place on. */
  async read(start: number, count: number): Promise<BigInt64Array> {
    const size = bytesOf[this.#format];
    const bytes = await this.#source.read(start * size, count * size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ids = new BigInt64Array(count);
    for (let i = 0; i < count; i++)
      ids[i] = BigInt(size === 2 ? view.getUint16(2 * i, true) : view.getUint32(4 * i, true));
    return ids;
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** What makes tokens of text: `Tokenizer` of `@huggingface/tokenizers` does, and so does anything like it. */
export interface TokenizerLike {
  encode(text: string): { readonly ids: readonly number[] };
}

/** Options of `tokenize`. */
export interface TokenizeOptions {
  /** A token to put after each text, such as the end of a document. */
  separator?: number;
}

/** The tokens of texts, one after another, in pieces as they come. */
export async function* tokenize(
  texts: Iterable<string> | AsyncIterable<string>,
  tokenizer: TokenizerLike,
  options: TokenizeOptions = {},
): AsyncGenerator<readonly number[]> {
  takes('tokenize', signatures.tokenize, arguments);
  const { separator } = options;
  for await (const text of texts) {
    const { ids } = tokenizer.encode(text);
    yield separator === undefined ? ids : [...ids, separator];
  }
}

/** Tokens as the bytes of a token file. @throws RuntimeError if one does not fit the format. */
export function tokenBytes(ids: readonly number[], format: TokenFormat = 'uint16'): Uint8Array {
  takes('tokenBytes', signatures.tokenBytes, arguments);
  const size = bytesOf[format];
  const bytes = new Uint8Array(ids.length * size);
  const view = new DataView(bytes.buffer);
  const most = 2 ** (8 * size) - 1;
  for (const [i, id] of ids.entries()) {
    if (!(Number.isInteger(id) && id >= 0 && id <= most))
      throw new RuntimeError(
        `tokenBytes: token ${id} does not fit ${format}${format === 'uint16' ? "; use 'uint32'" : ''}`,
      );
    if (size === 2) view.setUint16(2 * i, id, true);
    else view.setUint32(4 * i, id, true);
  }
  return bytes;
}

/**
 * Writes a token file for `TokenDataset` (Node), piece by piece, so that a corpus never has to fit memory.
 *
 * @returns how many tokens were written.
 * @throws RuntimeError if the path names anything but a file that may be written, or a new one; the disk is full; or a token does not fit.
 * @example
 * import { Tokenizer } from '@huggingface/tokenizers';
 * const tokenizer = new Tokenizer(JSON.parse(await readFile('tokenizer.json', 'utf8')), {});
 * await writeTokens('train.bin', tokenize(readLines('corpus.txt'), tokenizer));
 */
export async function writeTokens(
  path: string,
  pieces: Iterable<readonly number[]> | AsyncIterable<readonly number[]>,
  options: { format?: TokenFormat } = {},
): Promise<number> {
  takes('writeTokens', signatures.writeTokens, arguments);
  if (!builtinModule('node:fs'))
    throw new RuntimeError(
      'writeTokens: files are there in Node alone; in a browser put tokenBytes(ids) where they are to be',
    );
  // A reader never sees half a file.
  const file = await openWholeFile(
    path,
    (message, options) => new RuntimeError(`writeTokens: ${message}`, options),
  );
  let count = 0;
  try {
    for await (const ids of pieces) {
      await file.write(tokenBytes(ids, options.format));
      count += ids.length;
    }
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
  return count;
}
