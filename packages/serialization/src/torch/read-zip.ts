import { FileError, quote } from '../errors.js';
import { type Fill, fillAll } from '../io/fill.js';
import { memorySource } from '../io/source.js';
import type { LoadOptions } from '../options.js';
import { readPickle } from '../pickle/reader.js';
import type { ZipEntry, ZipReader } from '../zip/reader.js';
import { admission, Converter } from './converter.js';
import { StorageTable } from './storages.js';

/** The folder of a zip file that PyTorch wrote; undefined if it is none. */
export function torchRoot(zip: ZipReader): string | undefined {
  for (const name of zip.entries.keys()) {
    const match = /^([^/]+)\/data\.pkl$/.exec(name);
    if (match) return match[1];
  }
  return undefined;
}

/**
 * Reads what `torch.save` wrote since version 1.6: a zip file of a pickle and of one entry for each storage.
 *
 * @param only leaves tensors without their values, for a look at the rest.
 * @throws FileError if the file is damaged, or names what files may not name.
 */
export async function readTorchZip(
  zip: ZipReader,
  root: string,
  options: LoadOptions,
  only?: 'structure',
): Promise<unknown> {
  const { name: file } = zip.source;
  if (zip.entries.has(`${root}/constants.pkl`)) {
    throw new FileError(
      `${file}: this is a TorchScript program; save its weights in Python: torch.save(model.state_dict(), 'weights.pt')`,
    );
  }
  const pickle = zip.entries.get(`${root}/data.pkl`) as ZipEntry;
  const title = zip.title(pickle);
  const admit = admission(title, options);
  const { root: tree, persistent } = readPickle(await zip.read(pickle), 0, { title, admit });
  const entryOf = (key: string): ZipEntry => {
    const entry = zip.entries.get(`${root}/data/${key}`);
    if (!entry) throw new FileError(`${title}: the file has no storage ${quote(key)}`);
    return entry;
  };
  const table = new StorageTable(title, persistent, (key) => entryOf(key).size);
  await table.prepare(options.mapLocation);
  const value = new Converter(title, table, options).convert(tree);
  if (only === 'structure') return value;
  const bigEndian = await isBigEndian(zip, root);
  const fills: Fill[] = [];
  for (const { key, storage } of table.used()) {
    const entry = entryOf(key);
    const checksum = zip.verify ? { expected: entry.crc, name: zip.title(entry) } : undefined;
    fills.push(
      entry.compressed
        ? { storage, source: memorySource(await zip.read(entry)), offset: 0, bigEndian }
        : { storage, source: zip.source, offset: entry.offset, bigEndian, checksum },
    );
  }
  await fillAll(fills, options);
  return value;
}

async function isBigEndian(zip: ZipReader, root: string): Promise<boolean> {
  const entry = zip.entries.get(`${root}/byteorder`);
  if (!entry) return false;
  const order = new TextDecoder().decode(await zip.read(entry));
  if (order !== 'little' && order !== 'big') throw new FileError(`${zip.title(entry)}: the byte order is ${quote(order)}`);
  return order === 'big';
}
