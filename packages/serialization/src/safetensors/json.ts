/** More nesting or more values no entry of a header has. */
const maxDepth = 32;
const maxValues = 10_000;

/** Text that is no JSON, or not of the kind that is read. */
export class JsonFault extends Error {
  override name = 'JsonFault';
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** Whether a byte may stand in a number, or in true, false or null. */
const inWord = (code: number | undefined): boolean =>
  code !== undefined &&
  ((code >= 0x30 && code <= 0x39) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x45);

/**
 * Reads JSON piece by piece, so that what is wrong with the first entry of a large text is found before the rest is read.
 * Keys that stand twice are for the reader of the entries to refuse.
 */
export class JsonReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Calls `visit` with each key of an object; it must read the value. */
  members(visit: (key: string) => void): void {
    this.#take(0x7b);
    if (this.#next() !== 0x7d) {
      for (;;) {
        const key = this.text();
        this.#take(0x3a);
        visit(key);
        if (this.#next() !== 0x2c) break;
        this.#take(0x2c);
      }
    }
    this.#take(0x7d);
  }

  text(): string {
    this.#take(0x22);
    const start = this.#at;
    let escaped = false;
    let wide = false;
    for (;;) {
      const code = this.#bytes[this.#at++];
      if (code === undefined || code < 0x20) throw new JsonFault('a text does not end');
      if (code === 0x22) break;
      if (code > 0x7e) wide = true;
      if (code !== 0x5c) continue;
      escaped = true;
      this.#at++;
    }
    const end = this.#at - 1;
    if (!escaped && !wide && end - start < 256)
      return String.fromCharCode(...this.#bytes.subarray(start, end));
    try {
      const raw = strict.decode(this.#bytes.subarray(start, end));
      return escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
    } catch {
      throw new JsonFault('a text is malformed');
    }
  }

  /** Any value that is not large. */
  value(): unknown {
    let values = 0;
    const read = (depth: number): unknown => {
      if (depth > maxDepth || ++values > maxValues) throw new JsonFault('a value is too large');
      switch (this.#next()) {
        case 0x7b: {
          const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
          this.members((key) => {
            if (key in object) throw new JsonFault('a key stands twice');
            object[key] = read(depth + 1);
          });
          return object;
        }
        case 0x5b: {
          const items: unknown[] = [];
          this.#take(0x5b);
          if (this.#next() !== 0x5d) {
            for (;;) {
              items.push(read(depth + 1));
              if (this.#next() !== 0x2c) break;
              this.#take(0x2c);
            }
          }
          this.#take(0x5d);
          return items;
        }
        case 0x22:
          return this.text();
        default:
          return this.#word();
      }
    };
    return read(0);
  }

  /** Makes sure that nothing follows. */
  end(): void {
    if (this.#next() !== undefined) throw new JsonFault('something follows the end');
  }

  /** A number, or true, false, null. */
  #word(): unknown {
    const start = this.#at;
    let whole = 0;
    // Whole numbers, which nearly all are, need no text.
    for (; this.#at - start < 15; this.#at++) {
      const digit = (this.#bytes[this.#at] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      whole = 10 * whole + digit;
    }
    const leading = this.#bytes[start] === 0x30 && this.#at - start > 1;
    if (this.#at > start && !leading && !inWord(this.#bytes[this.#at])) return whole;
    while (this.#at - start < 64 && inWord(this.#bytes[this.#at])) this.#at++;
    try {
      return JSON.parse(String.fromCharCode(...this.#bytes.subarray(start, this.#at)));
    } catch {
      throw new JsonFault('a value is malformed');
    }
  }

  /** The next byte that is no space, which stays. */
  #next(): number | undefined {
    for (;;) {
      const code = this.#bytes[this.#at];
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  #take(code: number): void {
    if (this.#next() !== code) throw new JsonFault(`no '${String.fromCharCode(code)}'`);
    this.#at++;
  }
}
