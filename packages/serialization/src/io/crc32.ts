import { nodeCrc32 } from './node.js';

type Crc32 = (bytes: Uint8Array, start: number) => number;

let chosen: Crc32 | undefined;

/**
 * The CRC-32 of zip files.
 *
 * @param start the checksum of what comes before; default 0, for nothing.
 */
export function crc32(bytes: Uint8Array, start = 0): number {
  chosen ??= nodeCrc32() ?? portable;
  return chosen(bytes, start);
}

/** Eight tables, so that eight bytes take one round. */
let tables: Int32Array | undefined;

function makeTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    t[n] = c;
  }
  for (let i = 256; i < t.length; i++) {
    const before = t[i - 256] as number;
    t[i] = (before >>> 8) ^ (t[before & 255] as number);
  }
  return t;
}

/** The same in JavaScript, for where Node's is missing. */
export function portable(bytes: Uint8Array, start = 0): number {
  tables ??= makeTables();
  const t = tables;
  let c = ~start;
  let i = 0;
  const at = (k: number): number => bytes[i + k] as number;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = c ^ (at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24));
    c =
      (t[0x700 | (low & 255)] as number) ^
      (t[0x600 | ((low >>> 8) & 255)] as number) ^
      (t[0x500 | ((low >>> 16) & 255)] as number) ^
      (t[0x400 | (low >>> 24)] as number) ^
      (t[0x300 | at(4)] as number) ^
      (t[0x200 | at(5)] as number) ^
      (t[0x100 | at(6)] as number) ^
      (t[at(7)] as number);
  }
  for (; i < bytes.length; i++) c = (c >>> 8) ^ (t[(c ^ (bytes[i] as number)) & 255] as number);
  return ~c >>> 0;
}
