import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Direction, Failure, Report } from './counts.js';

/** Why a case does not pass; see exceptions.txt. */
export type Kind = 'quirk' | 'superset' | 'fault';

/** A case of the public corpus that does not pass. */
export interface Exception {
  readonly case: string;
  readonly direction: Direction;
  readonly kind: Kind;
  readonly reason: string;
}

/** The lists of this package: what is so on every device, and what is so on a device of a type besides. */
const files: Readonly<Record<string, readonly string[]>> = {
  webgpu: ['exceptions.txt', 'exceptions-webgpu.txt'],
};
const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');

/** @throws Error for a line that is none. */
export function parseExceptions(text: string): Exception[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const found = /^(\S+) (forward|gradient) (quirk|superset|fault) (\S.*)$/.exec(line);
      if (!found) throw new Error(`exceptions.txt: not 'case direction kind reason': ${line}`);
      const [, name, direction, kind, reason] = found as unknown as [
        string,
        string,
        Direction,
        Kind,
        string,
      ];
      return { case: name, direction, kind, reason };
    });
}

const known = new Map<string, readonly Exception[]>();

/** The exceptions of a device, as the lists have them. */
export function exceptions(device = 'cpu'): readonly Exception[] {
  const type = device.split(':')[0] as string;
  let list = known.get(type);
  if (!list) {
    list = (files[type] ?? ['exceptions.txt']).flatMap((name) => parseExceptions(read(name)));
    known.set(type, list);
  }
  return list;
}

const key = (name: string, direction: Direction): string => `${name} ${direction}`;

/** What failed although it should not, and what passed although it is listed as failing. */
export interface Surprises {
  readonly failures: readonly Failure[];
  readonly passes: readonly Exception[];
  /** Failures that the list explains. */
  readonly explained: number;
}

/**
 * Holds a report against the list. What is not implemented is no failure here: the ratchet counts it.
 *
 * @param ran whether a listed case was part of the run.
 */
export function surprises(
  report: Report,
  ran: (exception: Exception) => boolean,
  list: readonly Exception[] = exceptions(report.device),
): Surprises {
  const listed = new Set(list.map((e) => key(e.case, e.direction)));
  const failed = report.failures.filter((f) => !/^(not implemented|needs [^:]+): /.test(f.reason));
  const unexpected = failed.filter((f) => !listed.has(key(f.case, f.kind)));
  const names = new Set(report.failures.map((f) => key(f.case, f.kind)));
  return {
    failures: unexpected,
    passes: list.filter((e) => ran(e) && !names.has(key(e.case, e.direction))),
    explained: failed.length - unexpected.length,
  };
}

/** The group of a case. */
export const groupOf = (exception: Exception): string =>
  exception.case.slice(0, exception.case.indexOf('/'));

/** One line about how a report compares with the list. */
export function describeSurprises({ failures, passes, explained }: Surprises): string {
  const lines = [`exceptions.txt explains ${explained} of ${explained + failures.length} failures`];
  for (const f of failures) lines.push(`  not listed: ${f.case} [${f.kind}] ${f.reason}`);
  for (const e of passes) lines.push(`  listed, but passes: ${e.case} [${e.direction}]`);
  return lines.join('\n');
}
