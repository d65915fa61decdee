import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { groupNames } from './corpus/corpus.js';
import type { Report } from './report/counts.js';
import { updateCoverage } from './report/coverage.js';
import { describeSurprises, groupOf, surprises } from './report/exceptions.js';
import { updateRatchet } from './report/ratchet.js';
import { formatMarkdown, formatTable } from './report/table.js';
import { runParity } from './runner.js';

const usage = `pnpm parity [--device cpu|webgpu|reference]... [--group NAME]... [--op NAME] [--corpus DIR]
            [--report FILE.json] [--list-failures] [--markdown] [--update-ratchet] [--coverage]

groups: ${groupNames.join(', ')}`;

const read = () =>
  parseArgs({
    options: {
      device: { type: 'string', multiple: true },
      group: { type: 'string', multiple: true },
      op: { type: 'string' },
      corpus: { type: 'string' },
      report: { type: 'string' },
      'list-failures': { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      'update-ratchet': { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;

let values: ReturnType<typeof read>;

async function main(): Promise<void> {
  values = read();
  if (values.help) {
    console.log(usage);
    return;
  }
  const devices = values.device ?? ['cpu'];
  const unknown = values.group?.find((g) => !groupNames.includes(g as (typeof groupNames)[number]));
  if (unknown) throw new Error(`--group ${unknown}: the groups are ${groupNames.join(', ')}`);
  if (values.report && devices.length > 1) {
    throw new Error('--report: a report is about one device; give one --device');
  }
  if (values['update-ratchet'] && (values.op !== undefined || values.corpus !== undefined)) {
    throw new Error('--update-ratchet: the ratchet counts whole groups of the public corpus');
  }
  if (values.coverage && (values.op !== undefined || values.corpus || values.group)) {
    throw new Error('--coverage: the page is about every operator of the public corpus');
  }
  const reports: Report[] = [];
  for (const device of devices) reports.push(await runOn(device));
  if (values.coverage) updateCoverage(reports);
  if (values.markdown) console.log(formatMarkdown(reports));
}

async function runOn(device: string): Promise<Report> {
  const started = performance.now();
  const report = await runParity({
    device,
    groups: values.group,
    op: values.op,
    corpus: values.corpus,
    onGroup: (group, cases) => console.error(`${group}: ${cases} cases`),
  });
  const cases = Object.values(report.groups).some(
    ({ forward, gradient }) => forward.total + gradient.total > 0,
  );
  if (values.op !== undefined && !cases)
    throw new Error(`--op ${values.op}: no case is about that; the names are PyTorch's`);
  if (values['update-ratchet']) updateRatchet(report);
  if (values['list-failures']) {
    for (const f of report.failures) console.log(`${f.case} [${f.kind}] ${f.reason}`);
    for (const f of report.roundings) console.log(`${f.case} [${f.kind}] rounding: ${f.reason}`);
  }
  if (values.report) writeFileSync(values.report, `${JSON.stringify(report, null, 1)}\n`);
  if (!values.markdown) {
    console.log(formatTable(report));
    if (report.device !== 'reference' && values.corpus === undefined) {
      const whole = values.op === undefined;
      const found = surprises(report, (e) => whole && groupOf(e) in report.groups);
      console.log(describeSurprises(found));
    }
  }
  console.error(`${((performance.now() - started) / 1000).toFixed(1)} s`);
  return report;
}

try {
  await main();
  // Dawn keeps the process alive.
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
