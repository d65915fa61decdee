import { removeAbandonedParts } from '@sconce/core';
import { FileError } from '../errors.js';
import { nodeFs, nodeFsSync, nodePath } from '../io/node.js';
import { openSource } from '../io/source.js';
import { DictNode } from '../pickle/nodes.js';
import { TorchZip, torchRoot } from '../torch/read-zip.js';
import { ZipReader } from '../zip/reader.js';

/** A checkpoint on the disk. */
export interface CheckpointInfo {
  readonly path: string;
  readonly step: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What the manager notes in each checkpoint, beside its parts. */
export interface Notes {
  readonly step: number;
  /** Counts the checkpoints of a folder: which is newest, whatever their steps. */
  readonly sequence: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly rng: ReadonlyMap<string, unknown>;
}

/** Where the notes stand in a checkpoint. */
export const notesKey = 'sconce';

/** A checkpoint that was looked at. */
export interface Known extends CheckpointInfo {
  readonly sequence: number;
}

/** A file that cannot be read, and why. */
export interface Broken {
  readonly path: string;
  readonly error: Error;
}

/** The checkpoint files in a folder. */
export class CheckpointFolder {
  readonly path: string;
  readonly #name: string;
  #known: Map<number, Known> | undefined;
  #broken: Broken[] = [];

  constructor(path: string, name: string) {
    this.path = path;
    this.#name = name;
  }

  fileOf(step: number): string {
    return nodePath().join(this.path, `${this.#name}-${String(step).padStart(10, '0')}.pt`);
  }

  /** Makes the folder, at once. */
  create(): void {
    nodeFsSync().mkdirSync(this.path, { recursive: true });
  }

  /** The checkpoints, oldest first, as they are on the disk when first asked for and changed from here since. */
  async known(): Promise<Known[]> {
    this.#known ??= await this.#scan();
    return [...this.#known.values()].sort((a, b) => a.sequence - b.sequence);
  }

  /** Files that look like checkpoints and cannot be read. */
  get broken(): readonly Broken[] {
    return this.#broken;
  }

  /** Takes note of a checkpoint that was written, and removes all that `keep` does not name. */
  async add(info: Known, keep: (known: readonly Known[]) => ReadonlySet<Known>): Promise<void> {
    await this.known();
    this.#known?.set(info.step, info);
    this.#broken = this.#broken.filter(({ path }) => path !== info.path);
    const all = await this.known();
    const kept = keep(all);
    for (const each of all) {
      if (kept.has(each)) continue;
      await nodeFs()?.rm(each.path, { force: true });
      this.#known?.delete(each.step);
    }
  }

  async #scan(): Promise<Map<number, Known>> {
    const fs = nodeFs() as NonNullable<ReturnType<typeof nodeFs>>;
    const { join } = nodePath();
    const known = new Map<number, Known>();
    await removeAbandonedParts(this.path, (stem) => stem.startsWith(`${this.#name}-`));
    const pattern = new RegExp(`^${this.#name}-(\\d{10,16})\\.pt$`);
    for (const file of await fs.readdir(this.path).catch(() => [])) {
      const path = join(this.path, file);
      if (!pattern.test(file)) continue;
      try {
        const { step, sequence, metrics } = await readNotes(path);
        known.set(step, { path, step, metrics, sequence });
      } catch (error) {
        this.#broken.push({ path, error: error as Error });
      }
    }
    return known;
  }
}

/** The notes of a checkpoint; tensors other than theirs are not read. */
async function readNotes(path: string): Promise<Notes> {
  const source = await openSource(path);
  try {
    const zip = await ZipReader.open(source);
    const root = torchRoot(zip);
    if (root === undefined) throw new FileError(`${path}: no checkpoint`);
    const file = await TorchZip.open(zip, root, {});
    const { tree } = file;
    const at = tree instanceof DictNode ? tree.entries.indexOf(notesKey) : -1;
    const node = tree instanceof DictNode && at >= 0 ? tree.entries[at + 1] : undefined;
    if (node === undefined) throw new FileError(`${path}: no checkpoint of a CheckpointManager`);
    const notes = await file.read(node, { mapLocation: 'cpu' });
    return checkNotes(path, notes);
  } finally {
    await source.close();
  }
}

/** @throws FileError unless a value is what the manager notes. */
export function checkNotes(path: string, value: unknown): Notes {
  const { step, sequence, metrics, rng } = (value ?? {}) as Partial<Notes>;
  const whole = Number.isSafeInteger(step) && Number.isSafeInteger(sequence);
  if (!whole || typeof metrics !== 'object' || !(rng instanceof Map)) {
    throw new FileError(`${path}: no checkpoint of a CheckpointManager`);
  }
  return value as Notes;
}
