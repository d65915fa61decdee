import type { Storage } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { Budget, pickleFactor } from '../io/budget.js';
import { type Fill, fillAll } from '../io/fill.js';
import { memorySource } from '../io/source.js';
import type { LoadOptions } from '../options.js';
import type { Node } from '../pickle/nodes.js';
import { type Pickle, readPickle } from '../pickle/reader.js';
import type { ZipEntry, ZipReader } from '../zip/reader.js';
import { checkNames, convertFilled } from './converter.js';
import { StorageTable } from './storages.js';

/** The folder of a zip file that PyTorch wrote; undefined if it is none. */
export function torchRoot(zip: ZipReader): string | undefined {
  for (const name of zip.entries.keys()) {
    const match = /^([^/]+)\/data\.pkl$/.exec(name);
    if (match) return match[1];
  }
  return undefined;
}

/** What reading a pickle may cost: by the bytes it has in the file. */
const pickleBudget = (zip: ZipReader, entry: ZipEntry, { maxExpansion }: LoadOptions): Budget =>
  new Budget(zip.source.name, entry.packedSize, pickleFactor, maxExpansion);

/** A PyTorch file whose pickle is read, and whose tensors are not. */
export class TorchZip {
  /** What was saved, as inert nodes. */
  readonly tree: Node;
  readonly #zip: ZipReader;
  readonly #root: string;
  readonly #title: string;
  readonly #pickle: Pickle;
  readonly #bigEndian: boolean;
  /** What is left of the cost that reading the whole file may have. */
  readonly budget: Budget;

  private constructor(
    zip: ZipReader,
    root: string,
    title: string,
    pickle: Pickle,
    bigEndian: boolean,
    budget: Budget,
  ) {
    this.budget = budget;
    this.tree = pickle.root;
    this.#zip = zip;
    this.#root = root;
    this.#title = title;
    this.#pickle = pickle;
    this.#bigEndian = bigEndian;
  }

  /** @throws FileError if the file is damaged, or names what files may not name. */
  static async open(zip: ZipReader, root: string, options: LoadOptions): Promise<TorchZip> {
    if (zip.entries.has(`${root}/constants.pkl`)) {
      throw new FileError(
        `${zip.source.name}: this is a TorchScript program; save its weights in Python: torch.save(model.state_dict(), 'weights.pt')`,
      );
    }
    const entry = zip.entries.get(`${root}/data.pkl`) as ZipEntry;
    const title = zip.title(entry);
    const budget = pickleBudget(zip, entry, options);
    const pickle = readPickle(await zip.read(entry), 0, { title, budget });
    checkNames(title, pickle, options);
    const bigEndian = await isBigEndian(zip, root);
    return new TorchZip(zip, root, title, pickle, bigEndian, budget);
  }

  /**
   * The value of a node, with its tensors read and no others.
   *
   * @param budget what that may cost; by default as much as reading the pickle.
   */
  async read(node: Node, options: LoadOptions, budget?: Budget): Promise<unknown> {
    const zip = this.#zip;
    const pickled = zip.entries.get(`${this.#root}/data.pkl`) as ZipEntry;
    const own = budget ?? pickleBudget(zip, pickled, options);
    const entryOf = (key: string): ZipEntry => {
      const entry = zip.entries.get(`${this.#root}/data/${key}`);
      if (!entry) throw new FileError(`${this.#title}: the file has no storage ${quote(key)}`);
      return entry;
    };
    const table = new StorageTable(
      this.#title,
      this.#pickle.persistent,
      (key) => entryOf(key).size,
    );
    await table.prepare(options.mapLocation);
    const given = { title: this.#title, table, options, budget: own };
    return convertFilled(given, node, async () => {
      const fills = [...table.used()].map(({ key, storage }) => this.#fill(entryOf(key), storage));
      await fillAll(await Promise.all(fills), options);
    });
  }

  /** What fills a storage. */
  async #fill(entry: ZipEntry, storage: Storage): Promise<Fill> {
    const zip = this.#zip;
    const bigEndian = this.#bigEndian;
    if (entry.compressed) {
      return { storage, source: memorySource(await zip.read(entry)), offset: 0, bigEndian };
    }
    const checksum = zip.verify ? { expected: entry.crc, name: zip.title(entry) } : undefined;
    const offset = await zip.offsetOf(entry);
    return { storage, source: zip.source, offset, bigEndian, checksum };
  }
}

/** Reads what `torch.save` wrote since version 1.6: a zip file of a pickle and of one entry for each storage. */
export async function readTorchZip(
  zip: ZipReader,
  root: string,
  options: LoadOptions,
): Promise<unknown> {
  const file = await TorchZip.open(zip, root, options);
  return file.read(file.tree, options, file.budget);
}

async function isBigEndian(zip: ZipReader, root: string): Promise<boolean> {
  const entry = zip.entries.get(`${root}/byteorder`);
  if (!entry) return false;
  const order = new TextDecoder().decode(await zip.read(entry));
  if (order !== 'little' && order !== 'big')
    throw new FileError(`${zip.title(entry)}: the byte order is ${quote(order)}`);
  return order === 'big';
}
