import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type OperatorCounts, type OperatorReport, type Report, right } from './counts.js';
import { type Form, hasForm, torchForms } from './forms.js';

/** The page that says which operators work where. */
export const coverageFile = fileURLToPath(new URL('../../../../docs/coverage.md', import.meta.url));

const devices = ['cpu', 'webgpu'] as const;
const forms = ['function', 'method', 'inplace', 'derivative'] as const;
/** Cells of a device: forward and gradient. */
type Cells = readonly [forward: string, gradient: string];

/** One operator of the page. */
interface CoverageRow {
  readonly operator: string;
  /** A mark for each of `forms`. */
  readonly forms: readonly string[];
  readonly cells: Readonly<Record<string, Cells>>;
}

/** The page as data. */
export type Coverage = ReadonlyMap<string, CoverageRow>;

const untested: Cells = ['·', '·'];

/** `11+1r/12`: those that rounding put outside the tolerance, and those that need what the device does not hold, named apart. */
function count({ passed, rounding, total, unheld }: OperatorCounts): string {
  if (total === 0) return '·';
  const held = total - unheld;
  const own = rounding > 0 ? `${passed}+${rounding}r` : String(passed);
  return `${held > 0 ? `${own}/${held}` : ''}${unheld > 0 ? ` +${unheld}d` : ''}`.trim();
}

const cellsOf = (report: OperatorReport | undefined, device: string): Cells =>
  report === undefined
    ? untested
    : [
        `${count(report.forward)}${report.readsValues && device !== 'cpu' ? ' h' : ''}`,
        count(report.gradient),
      ];

function formMark(operator: string, form: (typeof forms)[number], has: ReadonlySet<Form>): string {
  if (!has.has(form)) return '';
  return hasForm(operator, form) ? '✓' : '✗';
}

/** The page as the reports say; devices that did not run keep what `before` has. */
export function coverageOf(reports: readonly Report[], before: Coverage): Coverage {
  const known = torchForms();
  const others = [...before.keys(), ...reports.flatMap((r) => Object.keys(r.operators))];
  const rows = new Map<string, CoverageRow>();
  for (const operator of [...known.keys(), ...others]) {
    const has = known.get(operator) ?? new Set<Form>();
    const cells = Object.fromEntries(
      devices.map((device): [string, Cells] => {
        const report = reports.find((r) => r.device.split(':')[0] === device);
        const kept = before.get(operator)?.cells[device] ?? untested;
        return [device, report ? cellsOf(report.operators[operator], device) : kept];
      }),
    );
    rows.set(operator, { operator, forms: forms.map((f) => formMark(operator, f, has)), cells });
  }
  return rows;
}

const counted = /^(\d+)(?:\+(\d+)r)?\/(\d+)/;

/** What the counts of a cell are. */
function numbersOf(cell: string): { passed: number; rounding: number; total: number } {
  const [, passed, rounding, total] = counted.exec(cell) ?? [];
  return {
    passed: Number(passed ?? 0),
    rounding: Number(rounding ?? 0),
    total: Number(total ?? 0),
  };
}

const titles = ['operator', 'function', 'method', 'in-place', 'derivative'];
const deviceTitles = devices.flatMap((d) => [`${d} forward`, `${d} gradient`]);

function summary(rows: Coverage): string[] {
  const lines = devices.map((device) => {
    const parts = ([0, 1] as const).map((direction) => {
      const cells = [...rows.values()]
        .map((row) => numbersOf((row.cells[device] as Cells)[direction]))
        .filter(({ total }) => total > 0);
      const whole = cells.filter((cell) => right(cell) === cell.total).length;
      const sum = (of: 'passed' | 'rounding' | 'total') =>
        cells.reduce((n, cell) => n + cell[of], 0);
      return `${whole} of ${cells.length} | ${sum('passed')} of ${sum('total')} | ${sum('rounding')}`;
    });
    return `| ${device} | ${parts.join(' | ')} |`;
  });
  return [
    '| device | operators, forward | cases | rounding | operators, gradient | cases | rounding |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ];
}

/** The page as Markdown. */
export function formatCoverage(rows: Coverage): string {
  const lines = [...rows.values()].map(
    (row) =>
      `| ${[`\`${row.operator}\``, ...row.forms, ...devices.flatMap((d) => row.cells[d] as Cells)].join(' | ')} |`,
  );
  return `# Coverage

Which of PyTorch's operators work, and where. The parity runner writes this page from PyTorch's own cases
(\`pnpm parity --device cpu --device webgpu --coverage\`), and CI fails where it no longer says what the runner finds.

An operator is a row of PyTorch 1.13's operator database, under PyTorch's name; ours is the same in camelCase. Behind a slash
stands the variant that the database tests apart. The last rows are cases written by hand for what it lacks.

${summary(rows).join('\n')}

**function**, **method**, **in-place**, **derivative**, of those that PyTorch has: ✓ is there (a derivative also where it follows from those of
the parts), ✗ is not.

**forward** and **gradient** of a device: cases passed of those run.

- \`·\` the database has no public case, or no gradient to check.
- \`11+1r/12\` one of the twelve is outside the tolerance by rounding alone, as a run in float64 shows; which ones are differs from machine to machine.
- \`+2d\` two more cases need what the device does not hold: float64, which WebGPU has not and refuses with an error that says so, or integers of
  more than 32 bits, since WebGPU holds int64 as int32 and checks what is uploaded.
- \`h\` values are read back to the host on the way, since the shape of the result depends on them. Such calls stand in
  \`withReads(() => …)\` on devices that are read asynchronously.

On WebGPU dense linear algebra (factorisations, solvers, eigen- and singular values) is computed on the host, in its turn: see [WebGPU](webgpu.md).

What does not pass stands with its reason in \`packages/parity/exceptions.txt\` (CPU) and \`exceptions-webgpu.txt\`.

| ${[...titles, ...deviceTitles].join(' | ')} |
| --- |${' :---: |'.repeat(forms.length)}${' ---: |'.repeat(deviceTitles.length)}
${lines.join('\n')}
`;
}

/** Reads a page back. */
export function parseCoverage(text: string): Coverage {
  const rows = new Map<string, CoverageRow>();
  for (const line of text.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const operator = /^`(.+)`$/.exec(cells[1] ?? '')?.[1];
    if (operator === undefined) continue;
    const at = 2 + forms.length;
    rows.set(operator, {
      operator,
      forms: cells.slice(2, at),
      cells: Object.fromEntries(
        devices.map((d, i): [string, Cells] => [
          d,
          [cells[at + 2 * i] ?? '', cells[at + 2 * i + 1] ?? ''],
        ]),
      ),
    });
  }
  return rows;
}

/** The page as it stands. */
export const readCoverage = (file: string = coverageFile): Coverage =>
  parseCoverage(existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Brings the page up to date with the reports. */
export function updateCoverage(reports: readonly Report[], file: string = coverageFile): void {
  writeFileSync(file, formatCoverage(coverageOf(reports, readCoverage(file))));
}

/** How the page differs from a run. */
export interface Staleness {
  /** Rows, forms or numbers of cases that are not the page's. */
  readonly changed: readonly string[];
  /** Cells where fewer pass, or would but for rounding, than the page says, and by how many. */
  readonly fallen: readonly string[];
  readonly risen: readonly string[];
  readonly lost: number;
  readonly gained: number;
}

/** Compares the page with what a device's run says. */
export function staleness(report: Report, page: Coverage = readCoverage()): Staleness {
  const now = coverageOf([report], page);
  const device = report.device.split(':')[0] as string;
  const changed: string[] = [];
  const fallen: string[] = [];
  const risen: string[] = [];
  let lost = 0;
  let gained = 0;
  for (const operator of new Set([...now.keys(), ...page.keys()])) {
    const was = page.get(operator);
    const is = now.get(operator);
    if (!was || !is) {
      changed.push(`${operator}: ${is ? 'not on the page' : 'no longer an operator'}`);
      continue;
    }
    if (was.forms.join() !== is.forms.join()) {
      changed.push(`${operator}: ${forms.join(', ')} are now '${is.forms.join("', '")}'`);
    }
    for (const direction of [0, 1] as const) {
      const old = (was.cells[device] as Cells)[direction];
      const own = (is.cells[device] as Cells)[direction];
      if (old === own) continue;
      const [a, b] = [numbersOf(old), numbersOf(own)];
      const line = `${operator} ${['forward', 'gradient'][direction]}: '${old}' is now '${own}'`;
      const rest = (cell: string) => cell.replace(/^\d+(\+\d+r)?/, '');
      // What rounds elsewhere on another machine is no change.
      if (rest(old) === rest(own) && right(a) === right(b)) continue;
      if (rest(old) !== rest(own)) changed.push(line);
      else if (right(b) < right(a)) fallen.push(line);
      else risen.push(line);
      lost += Math.max(right(a) - right(b), 0);
      gained += Math.max(right(b) - right(a), 0);
    }
  }
  return { changed, fallen, risen, lost, gained };
}
