/** How far reading or writing has come. */
export interface Progress {
  /** Bytes of tensors done. */
  readonly bytes: number;
  /** Bytes of tensors in all. */
  readonly total: number;
}

/** What long transfers report to, and are stopped by. */
export interface TransferOptions {
  /** Called as bytes arrive or leave, about once for every 8 MB. */
  onProgress?: (progress: Progress) => void;
  /** Stops the transfer; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Counts bytes against a known total. */
export class Meter {
  readonly #options: TransferOptions;
  readonly #total: number;
  #bytes = 0;

  constructor(options: TransferOptions, total: number) {
    this.#options = options;
    this.#total = total;
    options.signal?.throwIfAborted();
  }

  /** @throws the signal's reason if the transfer was stopped. */
  add(bytes: number): void {
    this.#options.signal?.throwIfAborted();
    this.#bytes += bytes;
    this.#options.onProgress?.({ bytes: this.#bytes, total: this.#total });
  }
}
