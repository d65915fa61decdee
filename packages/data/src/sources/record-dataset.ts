import {
  type DType,
  IndexError,
  itemSize,
  numel,
  RuntimeError,
  type Tensor,
  takes,
} from '@sconce/core';
import { Dataset } from '../dataset.js';
import * as signatures from '../signatures.js';
import { type ByteSource, type OpenOptions, openSource, type SourceLike } from './byte-source.js';
import { tensorOfBytes } from './elements.js';

/** Options of `RecordDataset`. */
export interface RecordOptions extends OpenOptions {
  dtype: DType;
  /** The shape of one record. */
  shape: readonly number[];
  /** Where the first one begins, in bytes; default 0. */
  offset?: number;
  /** How many there are; default: as many as fit. */
  length?: number;
  /** Whether the bytes of numbers are in the order of networks; default false. */
  bigEndian?: boolean;
}

/**
 * Records of one size in a file that is too large for memory, read when they are asked for: arrays of `.npy` files (whose header says
 * offset, dtype and shape), IDX, raw dumps; also over HTTP.
 *
 * @throws RuntimeError if the source is shorter than it should be.
 * @example
 * const images = await RecordDataset.open('images.bin', { dtype: 'uint8', shape: [3, 64, 64] });
 */
export class RecordDataset extends Dataset<Tensor> {
  readonly length: number;
  readonly #source: ByteSource;
  readonly #options: RecordOptions;
  readonly #bytes: number;

  private constructor(source: ByteSource, options: RecordOptions) {
    super();
    this.#source = source;
    this.#options = options;
    this.#bytes = numel(options.shape) * itemSize(options.dtype);
    const room = source.size - (options.offset ?? 0);
    this.length = options.length ?? Math.floor(room / Math.max(this.#bytes, 1));
    if (!(this.length >= 0 && this.length * this.#bytes <= room))
      throw new RuntimeError(
        `RecordDataset: ${this.length} records of ${this.#bytes} bytes do not fit ${source.size} bytes from ${options.offset ?? 0} on`,
      );
  }

  static async open(source: SourceLike, options: RecordOptions): Promise<RecordDataset> {
    takes('open', signatures.RecordDataset_open, arguments);
    return new RecordDataset(
      await openSource(source, { retries: options.retries, headers: options.headers }),
      options,
    );
  }

  override async get(index: number): Promise<Tensor> {
    if (!(index >= 0 && index < this.length))
      throw new IndexError(
        `RecordDataset: index ${index} is out of range for ${this.length} records`,
      );
    const { offset = 0, dtype, shape, bigEndian } = this.#options;
    const bytes = await this.#source.read(offset + index * this.#bytes, this.#bytes);
    return tensorOfBytes(bytes, dtype, shape, bigEndian);
  }

  override getItems(indices: readonly number[]): Promise<Tensor[]> {
    return Promise.all(indices.map((i) => this.get(i)));
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
