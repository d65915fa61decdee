import { numel } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { type Budget, cost } from '../io/budget.js';
import type { Source } from '../io/source.js';
import { viewOf } from '../zip/records.js';
import { descrOf, type ElementType, parseDescr } from './descr.js';

/** What begins every `.npy` file. */
export const npyMagic = '\x93NUMPY';

/** Longer headers only structured types have. */
const headerLimit = 2 ** 16;

/** What a `.npy` file says of its array. */
export interface NpyHeader extends ElementType {
  readonly shape: readonly number[];
  /** Whether the first index runs fastest. */
  readonly fortran: boolean;
  /** Where the elements begin. */
  readonly offset: number;
}

/**
 * Reads the header of a `.npy` file of version 1 to 3.
 *
 * @throws FileError if it is malformed, or the elements have no dtype here.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export async function readNpyHeader(source: Source, budget: Budget): Promise<NpyHeader> {
  const { name } = source;
  const start = await source.read(0, Math.min(12, source.size));
  const version = start[6];
  if (String.fromCharCode(...start.subarray(0, 6)) !== npyMagic || start.length < 10) {
    throw new FileError(`${name}: not a .npy file`);
  }
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new FileError(`${name}: version ${version} of .npy files is not known`);
  }
  const first = version === 1 ? 10 : 12;
  if (start.length < first) throw new FileError(`${name}: truncated: its header is not whole`);
  const length =
    version === 1 ? viewOf(start).getUint16(8, true) : viewOf(start).getUint32(8, true);
  if (length > headerLimit)
    throw new FileError(`${name}: a .npy header of ${length} bytes is too long`);
  budget.spend(cost.tensor + cost.step * length);
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    await source.read(first, length),
  );
  return { ...parseHeader(name, text), offset: first + length };
}

/** The Python dictionary in the header, in whichever order its three keys stand. */
function parseHeader(name: string, text: string): Omit<NpyHeader, 'offset'> {
  const fault = (): FileError =>
    new FileError(`${name}: malformed .npy header ${quote(text.trim())}`);
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (body === undefined) throw fault();
  const item =
    /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"\\]*)\3|(True|False)|\(([\d\s,L]*)\)|(\[.*))\s*(?:,|$)/sy;
  const found = new Map<string, RegExpExecArray>();
  const end = body.trimEnd().length;
  while (item.lastIndex < end) {
    const match = item.exec(body);
    if (!match || found.has(match[2] as string)) throw fault();
    if (match[7])
      throw new FileError(
        `${name}: structured arrays have no dtype here; save each field as an array of its own`,
      );
    found.set(match[2] as string, match);
  }
  const descr = found.get('descr')?.[4];
  const fortran = found.get('fortran_order')?.[5];
  const sizes = found.get('shape')?.[6];
  if (descr === undefined || fortran === undefined || sizes === undefined) throw fault();
  const shape = sizes
    .split(',')
    .map((size) => size.trim().replace(/L$/, ''))
    .filter((size, i, all) => size !== '' || i < all.length - 1)
    .map((size) => (/^\d+$/.test(size) ? Number(size) : Number.NaN));
  if (!shape.every(Number.isSafeInteger) || shape.length > 64) throw fault();
  if (!Number.isSafeInteger(numel(shape) * 8))
    throw new FileError(`${name}: an array of shape [${shape.join(', ')}] is too large`);
  return { ...parseDescr(name, descr), shape, fortran: fortran === 'True' };
}

/** The header of a `.npy` file, padded so that elements begin at a multiple of 64 bytes. */
export function npyHeader(
  type: ElementType['dtype'],
  shape: readonly number[],
  fortran: boolean,
): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const order = fortran ? 'True' : 'False';
  const dict = `{'descr': '${descrOf(type)}', 'fortran_order': ${order}, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length).fill(0x20);
  new TextEncoder().encodeInto(`${dict.padEnd(length - 1)}\n`, bytes.subarray(10));
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
  return bytes;
}
