/** The types of WebAssembly values. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** The byte that encodes each. */
export const typeCodes: Record<ValueType, number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** A growing block of bytes with WebAssembly's number encodings. */
export class Bytes {
  #data = new Uint8Array(256);
  #view = new DataView(this.#data.buffer);
  length = 0;

  #reserve(count: number): void {
    if (this.length + count <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(this.#data.length * 2, this.length + count));
    grown.set(this.#data);
    this.#data = grown;
    this.#view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#data[this.length++] = value;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  float32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.length, BigInt.asIntN(64, value), true);
    this.length += 8;
  }

  append(other: Uint8Array): void {
    this.#reserve(other.length);
    this.#data.set(other, this.length);
    this.length += other.length;
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.unsigned(encoded.length);
    this.append(encoded);
  }

  opcode(code: number): void {
    if (code > 0xffff) {
      this.byte(code >>> 16);
      this.unsigned(code & 0xffff);
    } else {
      this.byte(code);
    }
  }

  view(): Uint8Array {
    return this.#data.subarray(0, this.length);
  }
}
