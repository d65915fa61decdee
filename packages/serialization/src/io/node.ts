/** A module of Node, or undefined elsewhere; asked for at run time, so that no bundler follows it. */
function builtin(name: string): unknown {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.(name);
}

type Fs = typeof import('node:fs/promises');
type FsSync = typeof import('node:fs');
type Path = typeof import('node:path');
type Url = typeof import('node:url');
type Zlib = typeof import('node:zlib');

/** Node's `fs/promises`, where there is one. */
export const nodeFs = (): Fs | undefined => builtin('node:fs/promises') as Fs | undefined;
/** Node's `fs`; only after `nodeFs` was found. */
export const nodeFsSync = (): FsSync => builtin('node:fs') as FsSync;
/** Node's `path`; only after `nodeFs` was found. */
export const nodePath = (): Path => builtin('node:path') as Path;
/** The path of a `file:` URL; only after `nodeFs` was found. */
export const pathOfUrl = (url: URL): string => (builtin('node:url') as Url).fileURLToPath(url);
/** Node's native CRC-32, where there is one. */
export const nodeCrc32 = (): Zlib['crc32'] | undefined =>
  (builtin('node:zlib') as Zlib | undefined)?.crc32;
