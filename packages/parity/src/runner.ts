import 'sconce';
import { Device, init, setDefaultDevice, tidy } from '@sconce/core';
import { type Case, Corpus, type GroupName, groupNames } from './corpus/corpus.js';
import type { Group, Run } from './groups/group.js';
import { groups } from './groups/index.js';
import {
  type CaseOutcome,
  count,
  countOperator,
  type Direction,
  type Failure,
  noCounts,
  type Outcome,
  type Report,
} from './report/counts.js';
import { judgeHolding } from './report/holding.js';
import { Observations } from './rounding/observations.js';
import { settle } from './rounding/settle.js';
import { outcomeOf } from './runtime/outcome.js';

/** What to run. */
export interface ParityOptions {
  /** `cpu`, `webgpu`, `reference`; default `cpu`. */
  readonly device?: string;
  /** Only these groups; default all that the corpus has. */
  readonly groups?: readonly string[];
  /** Only this operation (or module, optimizer, ...). */
  readonly op?: string;
  /** A folder in the corpus' format; default the public corpus. */
  readonly corpus?: string;
  /** Called before each group. */
  readonly onGroup?: (group: string, cases: number) => void;
}

/** Runs the corpus on a device, and counts what passes. */
export async function runParity(options: ParityOptions = {}): Promise<Report> {
  const device = await init(Device.from(options.device ?? 'cpu'));
  setDefaultDevice(device);
  const run = { device, corpus: new Corpus(options.corpus) };
  const report: Report = {
    device: device.toString(),
    groups: {},
    dtypes: {},
    operators: {},
    failures: [],
    roundings: [],
  };
  const available = run.corpus.groups();
  for (const group of groupNames) {
    if (!available.includes(group)) continue;
    if (options.groups && !options.groups.includes(group)) continue;
    await runGroup(group, run, report, options);
  }
  return report;
}

async function runGroup(
  name: GroupName,
  run: Place,
  report: Report,
  { op, onGroup }: ParityOptions,
): Promise<void> {
  const group = groups[name];
  const all = run.corpus.cases(name);
  const cases = op === undefined ? all : all.filter((test) => matches(group.subject(test), op));
  onGroup?.(name, cases.length);
  const counts = { forward: noCounts(), gradient: noCounts() };
  report.groups[name] = counts;
  for (const test of cases) {
    const outcome = judgeHolding(test, await runCase(group, test, run), run.device);
    countOperator(report, name, outcome);
    count(counts, outcome);
    if (typeof test.dtype === 'string' && test.dtype !== '') {
      report.dtypes[test.dtype] ??= { forward: noCounts(), gradient: noCounts() };
      count(report.dtypes[test.dtype] as typeof counts, outcome);
    }
    for (const direction of ['forward', 'gradient'] as const) {
      const result = outcome[direction];
      if (result && result.status !== 'passed') {
        const list = result.status === 'rounding' ? report.roundings : report.failures;
        list.push(failureOf(name, outcome.op, test, direction, result));
      }
    }
  }
}

/** `--op` names an operation with or without its variant. */
const matches = (subject: string, op: string): boolean =>
  subject === op || subject.startsWith(`${op}/`);

/** Where and on what all cases run. */
type Place = Pick<Run, 'device' | 'corpus'>;

async function runCase(group: Group, test: Case, run: Place): Promise<CaseOutcome> {
  try {
    const seen = new Observations();
    // What a case makes goes when it ends, and not when the collector comes round.
    const outcome = await tidy(async () => group.run(test, { ...run, check: seen.check }));
    return await settle(group, test, run, outcome, seen);
  } catch (error) {
    const forward = outcomeOf(error);
    const op = group.subject(test);
    return group.hasGradient(test) ? { op, forward, gradient: forward } : { op, forward };
  }
}

function failureOf(
  group: string,
  op: string,
  test: Case,
  direction: Direction,
  outcome: Exclude<Outcome, { status: 'passed' }>,
): Failure {
  const { status } = outcome;
  const reason =
    status === 'notImplemented' ? `not implemented: ${outcome.reason}` : outcome.reason;
  return { group, op, case: test.id, kind: direction, reason };
}
