import type { Counts, Report } from './counts.js';

const row = (name: string, direction: string, c: Counts): string[] => [
  name,
  direction,
  String(c.passed),
  String(c.failed),
  String(c.notImplemented),
  String(c.total),
  c.total === 0 ? '-' : `${((100 * c.passed) / c.total).toFixed(1)}%`,
];

const header = ['group', 'direction', 'passed', 'failed', 'not impl.', 'total', ''];

function rowsOf(report: Report): string[][] {
  return Object.entries(report.groups).flatMap(([name, { forward, gradient }]) => {
    const rows = [row(name, 'forward', forward)];
    if (gradient.total > 0) rows.push(row('', 'gradient', gradient));
    return rows;
  });
}

/** The counts as an aligned table. */
export function formatTable(report: Report): string {
  const rows = [header, ...rowsOf(report)];
  const widths = header.map((_, i) => Math.max(...rows.map((r) => (r[i] as string).length)));
  const line = (r: readonly string[]) =>
    r
      .map((cell, i) =>
        i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join('  ');
  const [first, ...rest] = rows.map(line);
  return [`parity on ${report.device}`, first, '-'.repeat((first as string).length), ...rest].join(
    '\n',
  );
}

/** The counts of several devices as one Markdown table: group by device, passed of total. */
export function formatMarkdown(reports: readonly Report[]): string {
  const cell = (c: Counts | undefined) =>
    !c || c.total === 0
      ? '–'
      : `${c.passed} / ${c.total} (${Math.floor((100 * c.passed) / c.total)}%)`;
  const names = [...new Set(reports.flatMap((r) => Object.keys(r.groups)))];
  const titles = reports.flatMap((r) => [`${r.device} forward`, `${r.device} gradient`]);
  const body = names.map((name) => {
    const cells = reports.flatMap((r) => [
      cell(r.groups[name]?.forward),
      cell(r.groups[name]?.gradient),
    ]);
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  return [
    `| group | ${titles.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(titles.length)}`,
    ...body,
  ].join('\n');
}
