import { FileError } from '../errors.js';

/** Longer lines of text are no pickle anyone wrote. */
const lineLimit = 2 ** 20;
/** Longer integers are no data. */
const integerLimit = 4096;

const strict = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('latin1');

/** Reads the operands of pickle opcodes, never past the end. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #title: string;
  at: number;

  constructor(bytes: Uint8Array, at: number, title: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#title = title;
    this.at = at;
  }

  fault(what: string): FileError {
    return new FileError(`${this.#title}: ${what} (at byte ${this.at})`);
  }

  #take(length: number): number {
    const { at } = this;
    if (length > this.#bytes.length - at) {
      throw this.fault(
        `truncated: ${length} more bytes are needed, ${this.#bytes.length - at} are left`,
      );
    }
    this.at = at + length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** A length of 64 bits. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  utf8(length: number): string {
    const at = this.#take(length);
    try {
      return strict.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw this.fault('a text is not valid UTF-8');
    }
  }

  /** A string of Python 2, whose encoding is not known: UTF-8 if it can be, else Latin-1. */
  oldText(bytes: Uint8Array): string {
    try {
      return strict.decode(bytes);
    } catch {
      return latin1.decode(bytes);
    }
  }

  /** The text up to the next line end. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0) throw this.fault('truncated: a line does not end');
    if (end - this.at > lineLimit) throw this.fault(`a line is ${end - this.at} bytes long`);
    const text = this.oldText(this.#bytes.subarray(this.at, end));
    this.at = end + 1;
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }

  /** A little-endian integer in two's complement. */
  integer(length: number): number | bigint {
    if (length > integerLimit) throw this.fault(`an integer of ${length} bytes is too long`);
    if (length === 0) return 0;
    const at = this.#take(length);
    // As one text, since adding byte by byte would take time that grows with the square.
    let digits = '0x';
    for (let i = at + length - 1; i >= at; i--) {
      digits += (this.#bytes[i] as number).toString(16).padStart(2, '0');
    }
    return narrow(BigInt.asIntN(8 * length, BigInt(digits)));
  }

  /** An integer written out. */
  decimal(): number | bigint {
    const text = this.line().replace(/L$/, '').trim();
    if (text.length > integerLimit || !/^[+-]?\d+$/.test(text))
      throw this.fault('a number is malformed');
    return narrow(BigInt(text.replace('+', '')));
  }
}

const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
