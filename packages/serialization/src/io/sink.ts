/** Where a file is written to, from front to back. */
export interface Sink {
  /** Writes bytes, which may be changed once this has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written the file. */
  commit(): Promise<void>;
  /** Leaves things as they were. */
  abort(): Promise<void>;
}
