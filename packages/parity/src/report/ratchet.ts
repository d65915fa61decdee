import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Direction, type Report, right } from './counts.js';

/** How many cases passed, or would but for rounding, by device, group and direction, when the file was last updated. */
export type Ratchet = Record<string, Record<string, Record<Direction, number>>>;

/** The ratchet file of this package. */
export const ratchetFile = fileURLToPath(new URL('../../ratchet.json', import.meta.url));

export function readRatchet(file: string = ratchetFile): Ratchet {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Ratchet) : {};
}

/** Writes the counts of a report into the ratchet; groups that did not run keep theirs. */
export function updateRatchet(report: Report, file: string = ratchetFile): void {
  const ratchet = readRatchet(file);
  const own = ratchet[report.device] ?? {};
  for (const [group, { forward, gradient }] of Object.entries(report.groups)) {
    own[group] = { forward: right(forward), gradient: right(gradient) };
  }
  ratchet[report.device] = own;
  writeFileSync(file, `${JSON.stringify(ratchet, null, 2)}\n`);
}

/** A count that is not what the ratchet says. */
export interface Change {
  readonly group: string;
  readonly direction: Direction;
  readonly before: number;
  readonly now: number;
}

/** What fell and what rose since the ratchet was updated. */
export function changes(
  report: Report,
  ratchet: Ratchet = readRatchet(),
): { readonly fallen: Change[]; readonly risen: Change[] } {
  const all = Object.entries(report.groups).flatMap(([group, counts]) =>
    (['forward', 'gradient'] as const).map((direction): Change => {
      const before = ratchet[report.device]?.[group]?.[direction] ?? 0;
      return { group, direction, before, now: right(counts[direction]) };
    }),
  );
  return {
    fallen: all.filter((c) => c.now < c.before),
    risen: all.filter((c) => c.now > c.before),
  };
}

/** Changes as lines of text. */
export const describeChanges = (list: readonly Change[]): string =>
  list.map((c) => `${c.group} ${c.direction}: ${c.before} -> ${c.now}`).join('\n');
