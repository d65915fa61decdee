import { builtinModule } from '../platform.js';

type Fs = typeof import('node:fs/promises');

const nodeFs = (): typeof import('node:fs') =>
  builtinModule<typeof import('node:fs')>('node:fs') as typeof import('node:fs');
const nodeProcess = (): typeof import('node:process') =>
  builtinModule<typeof import('node:process')>('node:process') as typeof import('node:process');

/** What ends the names of files that are being written; no whole file is called so. */
const partSuffix = '.part';

/** How long a file of a writer that cannot be asked for (another machine's) must lie untouched before it counts as left behind. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** The most bytes of the target's name that a part's name keeps: file systems take 255 in all. */
const stemBytes = 180;

/** Who writes: a place where process numbers mean the same, the number, and when that process began. */
interface Writer {
  readonly place: string;
  readonly pid: number;
  readonly began: string;
}

let own: Writer | undefined;

/** This process, as the names of its parts tell. */
function ownWriter(): Writer {
  own ??= { place: placeOfProcesses(), pid: nodeProcess().pid, began: beginning('self') ?? '0' };
  return own;
}

/** Tells machines, their boots and their containers apart: where it is the same, process numbers can be compared. */
function placeOfProcesses(): string {
  const fs = nodeFs();
  const tried = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  return digest(
    [
      builtinModule<typeof import('node:os')>('node:os')?.hostname(),
      tried(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
      tried(() => fs.readlinkSync('/proc/self/ns/pid')),
    ].join('\n'),
  );
}

/** When a process began, in the clock of its machine; undefined where that cannot be told. */
function beginning(pid: number | 'self'): string | undefined {
  try {
    const stat = nodeFs().readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold spaces; what is counted comes after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Eight hexadecimal digits that depend on every character (FNV-1a). */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** What the name of a part keeps of its target's: all of it, unless it is very long. */
function stemOf(base: string): string {
  const bytes = new TextEncoder().encode(base);
  if (bytes.length <= stemBytes) return base;
  const kept = new TextDecoder().decode(bytes.subarray(0, stemBytes - 10)).replace(/\ufffd+$/, '');
  return `${kept}~${digest(base)}`;
}

/** @internal A name, beside the target called `base`, for what will become it: it says which process writes. */
export function partName(base: string): string {
  const { place, pid, began } = ownWriter();
  const unique = crypto.randomUUID().slice(0, 8);
  return `.${stemOf(base)}.${place}-${pid}-${began}-${unique}${partSuffix}`;
}

const tag = /\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}\.part$/;

/** Whether nobody writes a part any more; `now` is the clock of the file system. */
async function abandoned(fs: Fs, path: string, name: string, now: number): Promise<boolean> {
  const [, place, pid, began] = tag.exec(name) ?? [];
  if (place !== undefined && place === ownWriter().place)
    return !runs(Number(pid), began as string);
  const touched = await fs.lstat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => now,
  );
  return now - touched > abandonedAfter;
}

/** Whether the process of that number is still the one that began then. */
function runs(pid: number, began: string): boolean {
  try {
    nodeProcess().kill(pid, 0);
  } catch (error) {
    // One of another user may not be signalled, but is there.
    if ((error as { code?: string }).code !== 'EPERM') return false;
  }
  const since = beginning(pid);
  return since === undefined || began === '0' || since === began;
}

/**
 * Removes what writers that are no more left in a folder; never the part of a save in progress. A writer on another machine
 * cannot be asked: its parts go when nothing was written to them for a day.
 *
 * @internal
 * @param isTarget says, by what a part keeps of it, whether the target is one to look after.
 */
export async function removeAbandonedParts(
  folder: string,
  isTarget: (stem: string) => boolean,
  now = Date.now(),
): Promise<void> {
  const fs = builtinModule<Fs>('node:fs/promises') as Fs;
  const names = await fs.readdir(folder).catch(() => [] as string[]);
  for (const name of names) {
    if (!name.startsWith('.') || !name.endsWith(partSuffix)) continue;
    // Also without the writer's number, as an earlier release had them: `.model.pt.0a1b2c3d-4e5f.part`.
    if (!isTarget(name.slice(1).replace(/\.[0-9a-f-]+\.part$/, ''))) continue;
    const path = `${folder}/${name}`;
    if (await abandoned(fs, path, name, now)) await fs.rm(path, { force: true }).catch(() => {});
  }
}

/** @internal Whether a part belongs to the target called `base`. */
export const belongsTo =
  (base: string): ((stem: string) => boolean) =>
  (stem) =>
    stem === stemOf(base);
