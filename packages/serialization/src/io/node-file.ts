import { FileError } from '../errors.js';
import { type nodeFs, nodePath } from './node.js';
import { checkRange, type FileHandleLike, type Source } from './source.js';

type Fs = NonNullable<ReturnType<typeof nodeFs>>;

/** Opens a file by its path, for reads at any place. */
export async function openNodeFile(fs: Fs, path: string): Promise<Source> {
  const handle = await fs.open(path, 'r').catch((cause: Error) => {
    throw new FileError(`load: ${path} cannot be opened (${cause.message})`, { cause });
  });
  const { dirname, join } = nodePath();
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new FileError(`load: ${path} is a folder; pass a file in it`);
    return {
      ...reader(handle, path, stat.size),
      sibling: (name) => openNodeFile(fs, join(dirname(path), name)),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A handle that its owner opened, and closes. */
export async function openNodeHandle(handle: FileHandleLike): Promise<Source> {
  const { size } = await handle.stat();
  return { ...reader(handle, 'the given file handle', size), async close() {} };
}

function reader(handle: FileHandleLike, name: string, size: number): Omit<Source, 'close'> {
  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    checkRange(name, size, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
      if (bytesRead === 0)
        throw new FileError(`${name}: the file became shorter while it was read`);
      done += bytesRead;
    }
  };
  return {
    name,
    size,
    readInto,
    async read(offset, length) {
      checkRange(name, size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
  };
}
