import { type Device, itemSize, numel, Storage, type Tensor } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { Budget, headerFactor } from '../io/budget.js';
import { type Fill, fillAll } from '../io/fill.js';
import { memorySource, type Source } from '../io/source.js';
import type { LoadOptions } from '../options.js';
import { checkedView } from '../view.js';
import type { ZipEntry, ZipReader } from '../zip/reader.js';
import { stridesOf } from './array.js';
import { readNpyHeader } from './header.js';

/** Reads a `.npy` file; an array in Fortran order keeps it, as strides. */
export async function readNpy(
  source: Source,
  device: Device,
  options: LoadOptions,
): Promise<Tensor> {
  const { tensor, fill } = await prepareNpy(
    source,
    device,
    new Budget(source.name, source.size, headerFactor, options.maxExpansion),
  );
  await fillAll([fill], options);
  return tensor;
}

/** The tensor of a `.npy` file, and what fills it. */
export async function prepareNpy(
  source: Source,
  device: Device,
  budget: Budget,
): Promise<{ tensor: Tensor; fill: Fill }> {
  const { dtype, bigEndian, shape, fortran, offset } = await readNpyHeader(source, budget);
  const count = numel(shape);
  const bytes = count * itemSize(dtype);
  if (source.size - offset !== bytes) {
    const fault = source.size - offset < bytes ? 'truncated: an' : 'an';
    throw new FileError(
      `${source.name}: ${fault} array of shape [${shape.join(', ')}] and dtype ${dtype} takes ${bytes} bytes, the file has ${source.size - offset}`,
    );
  }
  const storage = new Storage(device, dtype, count);
  const tensor = checkedView(source.name, storage, shape, stridesOf(shape, fortran), 0);
  return { tensor, fill: { storage, source, offset, bigEndian } };
}

/** An array of a `.npz` file as a source of its own. */
export async function entrySource(zip: ZipReader, entry: ZipEntry): Promise<Source> {
  const name = zip.title(entry);
  if (entry.compressed) return memorySource(await zip.read(entry), name);
  const { source } = zip;
  const { readInto } = source;
  const start = await zip.offsetOf(entry);
  const inside = (offset: number, length: number): number => {
    if (offset + length <= entry.size) return start + offset;
    throw new FileError(
      `${name}: truncated: bytes ${offset} to ${offset + length} are needed, it has ${entry.size}`,
    );
  };
  return {
    name,
    size: entry.size,
    read: async (offset, length) => source.read(inside(offset, length), length),
    ...(readInto && {
      readInto: async (target: Uint8Array, offset: number) =>
        readInto(target, inside(offset, target.length)),
    }),
    async close() {},
  };
}

/** The arrays of a `.npz` file by their names. */
export function npzEntries(zip: ZipReader): Map<string, ZipEntry> {
  const arrays = new Map<string, ZipEntry>();
  for (const [name, entry] of zip.entries) {
    if (!name.endsWith('.npy')) {
      throw new FileError(
        `${zip.source.name}: not a .npz file: the entry ${quote(name)} is no .npy file`,
      );
    }
    arrays.set(name.slice(0, -4), entry);
  }
  return arrays;
}

/** What the headers of a `.npz` file's arrays may cost, all together. */
export const npzBudget = ({ source }: ZipReader, { maxExpansion }: LoadOptions): Budget =>
  new Budget(source.name, source.size, headerFactor, maxExpansion);

/** Reads one array of a `.npz` file; its checksum is that of the header and the elements together. */
export async function readNpzArray(
  zip: ZipReader,
  entry: ZipEntry,
  device: Device,
  options: LoadOptions,
  budget = npzBudget(zip, options),
): Promise<Tensor> {
  const source = await entrySource(zip, entry);
  const { tensor, fill } = await prepareNpy(source, device, budget);
  if (entry.compressed || !zip.verify) {
    await fillAll([fill], options);
    return tensor;
  }
  const header = await source.read(0, fill.offset);
  const checksum = { expected: entry.crc, name: source.name, before: header };
  await fillAll([{ ...fill, checksum }], options);
  return tensor;
}
