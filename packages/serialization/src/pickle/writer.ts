import { FileError } from '../errors.js';

const text = new TextEncoder();

/** Appends pickle opcodes of protocol 2, which every Python reads. */
export class PickleWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #memo = 0;
  readonly #globals = new Map<string, number>();
  readonly #texts = new Map<string, number>();

  constructor() {
    this.#op(0x80, 2);
  }

  /** Ends the pickle, and gives its bytes. */
  finish(): Uint8Array {
    this.#op(0x2e);
    return this.#bytes.slice(0, this.#at);
  }

  #room(count: number): number {
    const at = this.#at;
    this.#at = at + count;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  #op(...codes: number[]): void {
    const at = this.#room(codes.length);
    this.#bytes.set(codes, at);
  }

  #u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  mark(): void {
    this.#op(0x28);
  }

  none(): void {
    this.#op(0x4e);
  }

  bool(value: boolean): void {
    this.#op(value ? 0x88 : 0x89);
  }

  int(value: number | bigint): void {
    const small = Number(value);
    if (small >= 0 && small < 256) this.#op(0x4b, small);
    else if (small >= 0 && small < 65536) this.#op(0x4d, small & 255, small >> 8);
    else if (small >= -(2 ** 31) && small < 2 ** 31) {
      this.#op(0x4a);
      this.#u32(small);
    } else this.#long(BigInt(value));
  }

  #long(value: bigint): void {
    let size = 1;
    while (BigInt.asIntN(8 * size, value) !== value) size++;
    if (size > 255) throw new FileError(`save: an integer of ${size} bytes is too long`);
    this.#op(0x8a, size);
    for (let i = 0; i < size; i++) this.#op(Number(BigInt.asUintN(8, value >> BigInt(8 * i))));
  }

  float(value: number): void {
    this.#op(0x47);
    const at = this.#room(8);
    this.#view.setFloat64(at, value, false);
  }

  /** A text; one that came before is referred to. */
  text(value: string): void {
    const known = this.#texts.get(value);
    if (known !== undefined) {
      this.recall(known);
      return;
    }
    if (/\p{Surrogate}/u.test(value)) {
      throw new FileError('save: a text has half a surrogate pair, which is no character');
    }
    const bytes = text.encode(value);
    this.#op(0x58);
    this.#u32(bytes.length);
    this.#raw(bytes);
    this.#texts.set(value, this.remember());
  }

  /** A class or function by its module and name. */
  global(module: string, name: string): void {
    const key = `${module}\n${name}\n`;
    const known = this.#globals.get(key);
    if (known !== undefined) {
      this.recall(known);
      return;
    }
    this.#op(0x63);
    this.#raw(text.encode(key));
    this.#globals.set(key, this.remember());
  }

  /** Remembers what was written last; gives the number to recall it by. */
  remember(): number {
    const index = this.#memo++;
    if (index < 256) this.#op(0x71, index);
    else {
      this.#op(0x72);
      this.#u32(index);
    }
    return index;
  }

  /** What was remembered under a number. */
  recall(index: number): void {
    if (index < 256) this.#op(0x68, index);
    else {
      this.#op(0x6a);
      this.#u32(index);
    }
  }

  emptyDict(): void {
    this.#op(0x7d);
  }

  emptyList(): void {
    this.#op(0x5d);
  }

  emptyTuple(): void {
    this.#op(0x29);
  }

  /** Makes a tuple of what was written since the last mark. */
  tuple(): void {
    this.#op(0x74);
  }

  /** Makes a tuple of the last one, two or three values. */
  tupleOf(count: 1 | 2 | 3): void {
    this.#op(0x84 + count);
  }

  /** Appends what was written since the last mark to the list before it. */
  appends(): void {
    this.#op(0x65);
  }

  /** Sets what was written since the last mark, keys and values, in the mapping before it. */
  setItems(): void {
    this.#op(0x75);
  }

  /** Calls the function before the last tuple with it. */
  reduce(): void {
    this.#op(0x52);
  }

  /** Makes an object of the class before the last tuple. */
  newObject(): void {
    this.#op(0x81);
  }

  /** Gives the object before it the last value as state. */
  build(): void {
    this.#op(0x62);
  }

  /** Refers to something outside by the last value. */
  persistentId(): void {
    this.#op(0x51);
  }
}
