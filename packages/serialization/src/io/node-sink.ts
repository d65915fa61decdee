import { FileError } from '../errors.js';
import type { nodeFs } from './node.js';
import { nodePath } from './node.js';
import type { Sink } from './sink.js';

type Fs = NonNullable<ReturnType<typeof nodeFs>>;
type Handle = Awaited<ReturnType<Fs['open']>>;

/** Small pieces are written together. */
const bufferBytes = 2 ** 18;

/** What ends the names of files that are being written; no whole file is called so. */
export const partSuffix = '.part';

/**
 * Writes beside the file, and puts what is whole in its place: whoever reads sees the old file or the new one, also
 * after a crash. Contents reach the disk before the name does, and the name before `commit` resolves.
 */
export async function openNodeSink(fs: Fs, path: string): Promise<Sink> {
  const { dirname, basename, join, resolve } = nodePath();
  // A link stays a link, to the new contents.
  const target = await fs.realpath(path).catch(() => resolve(path));
  const folder = dirname(target);
  const unique = crypto.randomUUID().slice(0, 13);
  const part = join(folder, `.${basename(target)}.${unique}${partSuffix}`);
  const mode = await fs.stat(target).then(
    (stat) => stat.mode & 0o777,
    () => undefined,
  );
  const handle = await fs.open(part, 'wx').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? `there is no folder ${folder}` : cause.message;
    throw new FileError(`save: ${path} cannot be written (${why})`, { cause });
  });
  if (mode !== undefined) await handle.chmod(mode);
  const writer = new BufferedWriter(handle);
  return {
    write: (bytes) => writer.write(bytes),
    async commit() {
      await writer.flush();
      await handle.sync();
      await handle.close();
      await fs.rename(part, target);
      await syncFolder(fs, folder);
    },
    async abort() {
      await handle.close().catch(() => {});
      await fs.rm(part, { force: true });
    },
  };
}

/** Makes the names in a folder durable, where the system has that. */
export async function syncFolder(fs: Fs, folder: string): Promise<void> {
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
      at += (await this.#handle.write(bytes, at, bytes.length - at)).bytesWritten;
    }
  }
}
