import { crc32 } from '../io/crc32.js';
import type { Sink } from '../io/sink.js';
import { deflate } from './inflate.js';
import {
  CENTRAL,
  centralBytes,
  DESCRIPTOR,
  END,
  END64,
  end64Bytes,
  endBytes,
  LOCAL,
  LOCATOR64,
  large,
  localBytes,
  locator64Bytes,
  viewOf,
} from './records.js';

interface Written {
  readonly name: Uint8Array;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly at: number;
}

/** Bit 3: sizes and checksum follow the data. Bit 11: names are UTF-8. */
const flags = 0x0808;
/** 1 January 1980, the earliest date there is, so that equal contents give equal files. */
const date = 0x0021;
/** Contents begin at multiples of this, as PyTorch maps them into memory. */
const alignment = 64;

/** Writes a zip file from front to back; entries may be of any size. */
export class ZipWriter {
  readonly #sink: Sink;
  readonly #written: Written[] = [];
  #at = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Adds an entry from its whole contents. */
  async add(name: string, bytes: Uint8Array, options: { compress?: boolean } = {}): Promise<void> {
    if (options.compress) {
      const packed = await deflate(bytes);
      return this.#entry(name, 8, packed.length, async () => {
        await this.#put(packed);
        return { crc: crc32(bytes), size: bytes.length };
      });
    }
    return this.addStream(name, bytes.length, (write) => write(bytes));
  }

  /**
   * Adds an entry of known size whose contents `produce` writes piece by piece.
   *
   * @param produce may not change a piece until `write` has resolved.
   */
  addStream(
    name: string,
    size: number,
    produce: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    return this.#entry(name, 0, size, async () => {
      let crc = 0;
      await produce(async (bytes) => {
        crc = crc32(bytes, crc);
        await this.#put(bytes);
      });
      return { crc, size };
    });
  }

  async #entry(
    title: string,
    method: number,
    packedSize: number,
    content: () => Promise<{ crc: number; size: number }>,
  ): Promise<void> {
    const name = new TextEncoder().encode(title);
    const at = this.#at;
    await this.#put(localHeader(name, method, at));
    const start = this.#at;
    const { crc, size } = await content();
    if (this.#at - start !== packedSize)
      throw new RangeError(`zip: ${title} was to have ${packedSize} bytes`);
    await this.#put(descriptor(crc, packedSize, size));
    this.#written.push({ name, method, crc, packedSize, size, at });
  }

  /** Writes the directory; nothing may follow. */
  async finish(): Promise<void> {
    const start = this.#at;
    for (const entry of this.#written) await this.#put(centralHeader(entry));
    await this.#put(endRecords(this.#written.length, start, this.#at - start));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#at += bytes.length;
  }
}

function localHeader(name: Uint8Array, method: number, at: number): Uint8Array {
  const start = at + localBytes + name.length + 4;
  const padding = (alignment - (start % alignment)) % alignment;
  const bytes = new Uint8Array(localBytes + name.length + 4 + padding);
  const view = viewOf(bytes);
  view.setUint32(0, LOCAL, true);
  view.setUint16(4, 45, true);
  view.setUint16(6, flags, true);
  view.setUint16(8, method, true);
  view.setUint16(12, date, true);
  view.setUint16(26, name.length, true);
  view.setUint16(28, 4 + padding, true);
  bytes.set(name, localBytes);
  // PyTorch's own filler field, 'FB', full of Z.
  view.setUint16(localBytes + name.length, 0x4246, true);
  view.setUint16(localBytes + name.length + 2, padding, true);
  bytes.fill(0x5a, localBytes + name.length + 4);
  return bytes;
}

function descriptor(crc: number, packedSize: number, size: number): Uint8Array {
  const wide = packedSize >= large || size >= large;
  const bytes = new Uint8Array(wide ? 24 : 16);
  const view = viewOf(bytes);
  view.setUint32(0, DESCRIPTOR, true);
  view.setUint32(4, crc, true);
  if (wide) {
    view.setBigUint64(8, BigInt(packedSize), true);
    view.setBigUint64(16, BigInt(size), true);
  } else {
    view.setUint32(8, packedSize, true);
    view.setUint32(12, size, true);
  }
  return bytes;
}

function centralHeader({ name, method, crc, packedSize, size, at }: Written): Uint8Array {
  const fields = [size, packedSize, at];
  const wide = fields.filter((field) => field >= large);
  const extra = wide.length > 0 ? 4 + 8 * wide.length : 0;
  const bytes = new Uint8Array(centralBytes + name.length + extra);
  const view = viewOf(bytes);
  const [shownSize, shownPacked, shownAt] = fields.map((field) => Math.min(field, large)) as [
    number,
    number,
    number,
  ];
  view.setUint32(0, CENTRAL, true);
  view.setUint16(4, 45, true);
  view.setUint16(6, 45, true);
  view.setUint16(8, flags, true);
  view.setUint16(10, method, true);
  view.setUint16(14, date, true);
  view.setUint32(16, crc, true);
  view.setUint32(20, shownPacked, true);
  view.setUint32(24, shownSize, true);
  view.setUint16(28, name.length, true);
  view.setUint16(30, extra, true);
  view.setUint32(42, shownAt, true);
  bytes.set(name, centralBytes);
  if (extra > 0) {
    const start = centralBytes + name.length;
    view.setUint16(start, 1, true);
    view.setUint16(start + 2, extra - 4, true);
    wide.forEach((field, i) => {
      view.setBigUint64(start + 4 + 8 * i, BigInt(field), true);
    });
  }
  return bytes;
}

function endRecords(count: number, start: number, size: number): Uint8Array {
  const wide = count >= 0xffff || start >= large || size >= large;
  const prefix = wide ? end64Bytes + locator64Bytes : 0;
  const bytes = new Uint8Array(prefix + endBytes);
  const view = viewOf(bytes);
  if (wide) {
    view.setUint32(0, END64, true);
    view.setBigUint64(4, BigInt(end64Bytes - 12), true);
    view.setUint16(12, 45, true);
    view.setUint16(14, 45, true);
    view.setBigUint64(24, BigInt(count), true);
    view.setBigUint64(32, BigInt(count), true);
    view.setBigUint64(40, BigInt(size), true);
    view.setBigUint64(48, BigInt(start), true);
    view.setUint32(end64Bytes, LOCATOR64, true);
    view.setBigUint64(end64Bytes + 8, BigInt(start + size), true);
    view.setUint32(end64Bytes + 16, 1, true);
  }
  view.setUint32(prefix, END, true);
  view.setUint16(prefix + 8, Math.min(count, 0xffff), true);
  view.setUint16(prefix + 10, Math.min(count, 0xffff), true);
  view.setUint32(prefix + 12, Math.min(size, large), true);
  view.setUint32(prefix + 16, Math.min(start, large), true);
  return bytes;
}
