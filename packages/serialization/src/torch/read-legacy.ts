import { itemSize } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { Budget, pickleFactor } from '../io/budget.js';
import { fillAll } from '../io/fill.js';
import type { Source } from '../io/source.js';
import type { LoadOptions } from '../options.js';
import { DictNode, ListNode } from '../pickle/nodes.js';
import { type Pickle, readPickle } from '../pickle/reader.js';
import { viewOf } from '../zip/records.js';
import { checkNames, convertFilled } from './converter.js';
import { foreignSize } from './dtypes.js';
import { parseRef, type StorageRef, StorageTable } from './storages.js';

/** What begins every file of the old format. */
export const legacyMagic = 0x1950a86a20f9469cfc6cn;
export const legacyProtocol = 1001;

/** The most that the pickles before the storages may take: they hold no tensors. */
const growth = 2 ** 20;

/**
 * Reads what `torch.save` wrote before version 1.6 (`_use_new_zipfile_serialization=False`): pickles, then the storages
 * one after another, each after its length.
 *
 * @throws FileError if the file is damaged, or names what files may not name.
 */
export async function readTorchLegacy(source: Source, options: LoadOptions): Promise<unknown> {
  const title = source.name;
  const { pickles, end, budget } = await readHead(source, options);
  const [magic, protocol, system, tree, keys] = pickles as [Pickle, Pickle, Pickle, Pickle, Pickle];
  if (magic.root !== legacyMagic) {
    throw new FileError(
      `${title}: a pickle, but not one that torch.save wrote; load it in Python and save it with torch.save`,
    );
  }
  if (protocol.root !== legacyProtocol) {
    throw new FileError(
      `${title}: version ${typeof protocol.root === 'number' ? protocol.root : '?'} of PyTorch's old format is not known`,
    );
  }
  checkNames(title, tree, options);
  const sections = await findStorages(source, end, keys, tree);
  const table = new StorageTable(title, tree.persistent, (key) => {
    const section = sections.get(key);
    if (!section) throw new FileError(`${title}: the file has no storage ${quote(key)}`);
    return section.bytes;
  });
  await table.prepare(options.mapLocation);
  const bigEndian = isBigEndian(system);
  return convertFilled({ title, table, options, budget }, tree.root, () => {
    const fills = [...table.used()].map(({ key, storage }) => {
      const { offset } = sections.get(key) as Section;
      return { storage, source, offset, bigEndian };
    });
    return fillAll(fills, options);
  });
}

/** The five pickles at the beginning; more of the file is read until they are whole. */
async function readHead(
  source: Source,
  options: LoadOptions,
): Promise<{ pickles: Pickle[]; end: number; budget: Budget }> {
  for (let size = Math.min(growth, source.size); ; size = Math.min(size * 8, source.size)) {
    const bytes = await source.read(0, size);
    const budget = new Budget(source.name, size, pickleFactor, options.maxExpansion);
    try {
      const pickles: Pickle[] = [];
      let end = 0;
      for (let i = 0; i < 5; i++) {
        const pickle = readPickle(bytes, end, { title: source.name, budget });
        pickles.push(pickle);
        end = pickle.end;
        if (i === 0 && pickle.root !== legacyMagic) {
          return { pickles: Array<Pickle>(5).fill(pickle), end, budget };
        }
      }
      return { pickles, end, budget };
    } catch (error) {
      if (
        size >= source.size ||
        !(error instanceof FileError) ||
        !error.message.includes('truncated')
      )
        throw error;
    }
  }
}

interface Section {
  readonly offset: number;
  readonly bytes: number;
}

/** Where each storage lies, from the list of keys and the lengths before them. */
async function findStorages(
  source: Source,
  start: number,
  keys: Pickle,
  tree: Pickle,
): Promise<Map<string, Section>> {
  const title = source.name;
  if (!(keys.root instanceof ListNode))
    throw new FileError(`${title}: the list of storages is missing`);
  const refs = new Map<string, StorageRef>();
  for (const node of tree.persistent) {
    const ref = parseRef(title, node);
    refs.set(ref.key, ref);
  }
  const sections = new Map<string, Section>();
  let at = start;
  for (const item of keys.root.items) {
    const key = String(item);
    const ref = refs.get(key);
    if (!ref || sections.has(key))
      throw new FileError(
        `${title}: the list of storages has ${quote(key)}, which no tensor uses or which it has twice`,
      );
    const length = viewOf(await source.read(at, 8)).getBigUint64(0, true);
    if (length !== BigInt(ref.length)) {
      throw new FileError(
        `${title}: storage ${quote(key)} is to have ${ref.length} elements, the file holds ${length}`,
      );
    }
    const size = ref.foreign === undefined ? 1 : foreignSize(ref.foreign);
    const bytes = ref.length * (ref.dtype ? itemSize(ref.dtype) : size);
    at += 8;
    if (at + bytes > source.size) {
      throw new FileError(
        `${title}: truncated: storage ${quote(key)} needs ${bytes} bytes, ${source.size - at} are left`,
      );
    }
    sections.set(key, { offset: at, bytes });
    at += bytes;
  }
  return sections;
}

function isBigEndian({ root }: Pickle): boolean {
  if (!(root instanceof DictNode)) return false;
  const at = root.entries.indexOf('little_endian');
  return at >= 0 && root.entries[at + 1] === false;
}
