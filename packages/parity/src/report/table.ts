import type { Counts, Report } from './counts.js';

/** Cases that the device can hold: what shares are of. */
const held = ({ total, unheld }: Counts): number => total - unheld;

const row = (name: string, direction: string, c: Counts): string[] => [
  name,
  direction,
  String(c.passed),
  String(c.rounding),
  String(c.failed),
  String(c.notImplemented),
  String(held(c)),
  held(c) === 0 ? '-' : `${((100 * c.passed) / held(c)).toFixed(1)}%`,
  c.unheld === 0 ? '' : String(c.unheld),
];

const columns = ['direction', 'passed', 'rounding', 'failed', 'not impl.', 'total', '', 'not held'];

function rowsOf(counts: Report['groups']): string[][] {
  return Object.entries(counts).flatMap(([name, { forward, gradient }]) => {
    const rows = [row(name, 'forward', forward)];
    if (gradient.total > 0) rows.push(row('', 'gradient', gradient));
    return rows;
  });
}

function aligned(title: string, counts: Report['groups']): string[] {
  const header = [title, ...columns];
  const rows = [header, ...rowsOf(counts)];
  const widths = header.map((_, i) => Math.max(...rows.map((r) => (r[i] as string).length)));
  const line = (r: readonly string[]) =>
    r
      .map((cell, i) =>
        i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join('  ')
      .trimEnd();
  const [first, ...rest] = rows.map(line);
  return [first as string, '-'.repeat((first as string).length), ...rest];
}

/**
 * The counts as aligned tables, by group and by dtype. What needs something that the device does not hold (`not held`) is
 * no part of totals and shares.
 */
export function formatTable(report: Report): string {
  const lines = [`parity on ${report.device}`, ...aligned('group', report.groups)];
  if (Object.keys(report.dtypes).length > 0) lines.push('', ...aligned('dtype', report.dtypes));
  return lines.join('\n');
}

/** The counts of several devices as one Markdown table: group by device, passed of what the device can hold, and rounding apart. */
export function formatMarkdown(reports: readonly Report[]): string {
  const cell = (c: Counts | undefined) =>
    !c || held(c) === 0
      ? '–'
      : `${c.passed} / ${held(c)} (${Math.floor((100 * c.passed) / held(c))}%)`;
  const names = [...new Set(reports.flatMap((r) => Object.keys(r.groups)))];
  const roundings = (counts: Record<string, Counts> | undefined) => {
    const all = Object.values(counts ?? {}).reduce((n, c) => n + c.rounding, 0);
    return String(all);
  };
  const titles = reports.flatMap((r) => [
    `${r.device} forward`,
    `${r.device} gradient`,
    `${r.device} rounding`,
  ]);
  const body = names.map((name) => {
    const cells = reports.flatMap((r) => [
      cell(r.groups[name]?.forward),
      cell(r.groups[name]?.gradient),
      roundings(r.groups[name]),
    ]);
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  return [
    `| group | ${titles.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(titles.length)}`,
    ...body,
  ].join('\n');
}
