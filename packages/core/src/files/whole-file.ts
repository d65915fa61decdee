import { SconceError } from '../errors.js';
import { builtinModule } from '../platform.js';
import { belongsTo, partName, removeAbandonedParts } from './part-file.js';

type Fs = typeof import('node:fs/promises');
type Handle = Awaited<ReturnType<Fs['open']>>;
type Stats = Awaited<ReturnType<Fs['stat']>>;

const nodePath = (): typeof import('node:path') =>
  builtinModule<typeof import('node:path')>('node:path') as typeof import('node:path');

/** Small pieces are written together. */
const bufferBytes = 2 ** 18;

/** What is wrong with a disk, and what to do about it. */
const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room, or save to another',
  EDQUOT: 'the quota of this user is used up; make room, or save elsewhere',
  EFBIG: 'files of this size are not allowed there; save elsewhere, or in parts with maxShardBytes',
  EROFS: 'the disk is read-only; save to another',
  EACCES: 'the folder may not be written to; change its permissions, or save elsewhere',
  EPERM: 'that is not permitted; save elsewhere',
  EIO: 'the disk reports a fault; save to another',
  ENOTDIR: 'a part of the path is a file and no folder',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'links lead in a circle',
  EISDIR: 'it is a folder; name a file in it',
  EMFILE: 'too many files are open',
};

/** A file while it is written. */
export interface WholeFile {
  /** Writes bytes, which may be changed once this has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written the file. */
  commit(): Promise<void>;
  /** Leaves things as they were. */
  abort(): Promise<void>;
}

/** Makes the error of who writes: of the path and what is wrong with it. */
export type WriteFault = (message: string, options?: ErrorOptions) => Error;

/** A path as messages show it: printable. */
const quote = (path: string): string =>
  `'${path.replace(/[^ -~\u00a0-\uffff]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;

/** Carries out a step of writing; what the system refuses becomes an error of the path, why, and the way out. */
async function attempt<T>(path: string, fault: WriteFault, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    if (cause instanceof SconceError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = reasons[code ?? ''];
    const why = reason ? `${reason} (${code})` : message;
    throw fault(`${quote(path)} cannot be written: ${why}`, { cause });
  }
}

/**
 * Writes beside the file, and puts what is whole in its place: whoever reads sees the old file or the new one, also
 * after a crash. Contents reach the disk before the name does, and the name before `commit` resolves. What killed
 * writers of the same file left is removed.
 *
 * @internal
 * @throws what `fault` makes if the path names anything but a file that may be written, or a new one.
 */
export async function openWholeFile(path: string, fault: WriteFault): Promise<WholeFile> {
  const fs = builtinModule<Fs>('node:fs/promises') as Fs;
  const { dirname, basename, join } = nodePath();
  const { target, mode } = await attempt(path, fault, () => placeOf(fs, path, fault));
  const folder = dirname(target);
  const base = basename(target);
  const part = join(folder, partName(base));
  const handle = await attempt(path, fault, () => openPart(fs, part, folder, mode));
  const writer = new BufferedWriter(handle);
  const abort = async (): Promise<void> => {
    await handle.close().catch(() => {});
    await fs.rm(part, { force: true }).catch(() => {});
  };
  try {
    await attempt(path, fault, async () => {
      if (mode !== undefined) await handle.chmod(mode);
      // The clock of the disk, which may be another machine's, is what ages are measured by.
      const { mtimeMs } = await handle.stat();
      await removeAbandonedParts(folder, belongsTo(base), mtimeMs);
    });
  } catch (error) {
    await abort();
    throw error;
  }
  return {
    write: (bytes) => attempt(path, fault, () => writer.write(bytes)),
    commit: () =>
      attempt(path, fault, async () => {
        await writer.flush();
        await handle.sync();
        await handle.close();
        await fs.rename(part, target);
        await syncFolder(fs, folder);
      }),
    abort,
  };
}

async function openPart(
  fs: Fs,
  part: string,
  folder: string,
  mode: number | undefined,
): Promise<Handle> {
  try {
    return await fs.open(part, 'wx', mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`there is no folder ${quote(folder)}; make it first`, { cause: error });
  }
}

/** Where a path leads, links followed, and the permissions of the file that is there. */
async function placeOf(
  fs: Fs,
  path: string,
  fault: WriteFault,
): Promise<{ target: string; mode: number | undefined }> {
  const refused = (why: string): Error => fault(`${quote(path)} ${why}`);
  if (path === '') throw refused('is no path; name a file');
  if (path.endsWith('/')) throw refused('is the name of a folder; name a file in it');
  const there = await orMissing(fs.stat(path));
  if (!there) return { target: await newFile(fs, path), mode: undefined };
  if (there.isDirectory()) throw refused('is a folder; name a file in it');
  if (!there.isFile()) {
    throw refused(
      `is ${kindOf(there)}, and only files are written; write to it with node:fs, or name a file`,
    );
  }
  const mode = there.mode & 0o777;
  const writable = await fs.access(path, fs.constants.W_OK).then(
    () => (mode & 0o222) !== 0,
    () => false,
  );
  if (!writable)
    throw refused('is read-only; allow writing to it, remove it, or save under another name');
  return { target: await fs.realpath(path), mode };
}

/** What a call gives, or undefined if there is no such file. */
async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where a file is to be made: a link to what is not there yet stays, and its target is made. */
async function newFile(fs: Fs, path: string): Promise<string> {
  const { basename, dirname, join, resolve } = nodePath();
  let at = resolve(path);
  for (let links = 0; links < 40; links++) {
    const folder = await orMissing(fs.realpath(dirname(at)));
    if (folder === undefined) return at;
    at = join(folder, basename(at));
    const found = await orMissing(fs.lstat(at));
    if (!found?.isSymbolicLink()) return at;
    at = resolve(folder, await fs.readlink(at));
  }
  throw Object.assign(new Error('links lead in a circle'), { code: 'ELOOP' });
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** Makes the names in a folder durable, where the system has that. */
async function syncFolder(fs: Fs, folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Windows opens no folders, and some file systems sync none.
    const { code } = error as { code?: string };
    if (!['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'ENOTSUP'].includes(code ?? '')) throw error;
  }
}

class BufferedWriter {
  readonly #handle: Handle;
  readonly #buffer = new Uint8Array(bufferBytes);
  #used = 0;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#used + bytes.length > bufferBytes) await this.flush();
    if (bytes.length >= bufferBytes) return this.#all(bytes);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async flush(): Promise<void> {
    const used = this.#used;
    this.#used = 0;
    await this.#all(this.#buffer.subarray(0, used));
  }

  async #all(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at);
      // A disk that takes nothing and reports no fault would be asked for ever.
      if (bytesWritten === 0) throw new Error('the system took none of the bytes it was given');
      at += bytesWritten;
    }
  }
}
