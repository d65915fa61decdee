import { cpus } from 'node:os';

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] as number)) / 2;
}

/** Milliseconds that `work` takes, the mean of `repeats` calls. */
export function time(work: () => void, repeats = 1): number {
  const begin = performance.now();
  for (let i = 0; i < repeats; i++) work();
  return (performance.now() - begin) / repeats;
}

/**
 * Times several contenders in turn, round by round, so that what else the machine does hits all of them alike.
 *
 * @returns the times of each in milliseconds, one a round.
 */
export async function compare<Name extends string>(
  contenders: Readonly<Record<Name, () => void>>,
  options: { rounds: number; repeats?: number },
): Promise<Record<Name, number[]>> {
  const entries = Object.entries(contenders) as [Name, () => void][];
  const times = Object.fromEntries(entries.map(([name]) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >;
  for (const [, work] of entries) {
    time(work, 3);
    // Compilers and threads start between tasks.
    await new Promise((resolve) => setTimeout(resolve, 100));
    time(work, 3);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, work] of entries) {
      work(); // wakes its threads
      times[name].push(time(work, options.repeats));
    }
  }
  return times;
}

/** The middle of the ratios, round by round. */
export const medianRatio = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((t, i) => t / (under[i] as number)));

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The machine and the versions, for the line under a table. */
export function machine(extra: readonly string[] = []): string {
  const list = cpus();
  return [
    `${list.length} cores, ${list[0]?.model.trim()}`,
    `Node ${process.versions.node}`,
    ...extra,
  ].join('; ');
}
