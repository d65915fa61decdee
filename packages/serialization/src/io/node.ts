import { builtinModule } from '@sconce/core';

type Fs = typeof import('node:fs/promises');
type FsSync = typeof import('node:fs');
type Path = typeof import('node:path');
type Url = typeof import('node:url');
type Zlib = typeof import('node:zlib');

/** Node's `fs/promises`, where there is one. */
export const nodeFs = (): Fs | undefined => builtinModule<Fs>('node:fs/promises');
/** Node's `fs`; only after `nodeFs` was found. */
export const nodeFsSync = (): FsSync => builtinModule<FsSync>('node:fs') as FsSync;
/** Node's `path`; only after `nodeFs` was found. */
export const nodePath = (): Path => builtinModule<Path>('node:path') as Path;
/** The path of a `file:` URL; only after `nodeFs` was found. */
export const pathOfUrl = (url: URL): string =>
  (builtinModule<Url>('node:url') as Url).fileURLToPath(url);
/** Node's native CRC-32, where there is one. */
export const nodeCrc32 = (): Zlib['crc32'] | undefined => builtinModule<Zlib>('node:zlib')?.crc32;
