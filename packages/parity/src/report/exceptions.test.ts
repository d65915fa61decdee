import { describe, expect, it } from 'vitest';
import { Corpus } from '../corpus/corpus.js';
import type { Failure, Report } from './counts.js';
import { exceptions, groupOf, parseExceptions, surprises } from './exceptions.js';

describe.each(['cpu', 'webgpu'])('the exceptions of %s', (device) => {
  const shared = exceptions();
  const all = exceptions(device);
  // Those of a device come after the shared ones.
  const list = device === 'cpu' ? all : all.slice(shared.length);

  it('is sorted, without repetitions', () => {
    const keys = list.map((e) => `${e.case} ${e.direction}`);
    expect(keys).toEqual([...new Set(keys)].sort());
  });

  it('lists nothing twice', () => {
    expect(new Set(all.map((e) => `${e.case} ${e.direction}`)).size).toBe(all.length);
  });

  it('is about cases of the public corpus, at most 1% of them', () => {
    const corpus = new Corpus();
    const cases = corpus.groups().flatMap((group) => corpus.cases(group));
    const ids = new Set(cases.map((test) => test.id));
    expect(list.filter((e) => !ids.has(e.case))).toEqual([]);
    expect(new Set(all.map((e) => e.case)).size).toBeLessThanOrEqual(ids.size / 100);
  });

  it('refuses lines that are none', () => {
    for (const line of ['forward because', 'forward rounding 1e-5 off']) {
      expect(() => parseExceptions(`ops/add/float32/0 ${line}`)).toThrow(
        "not 'case direction kind reason'",
      );
    }
  });
});

describe('surprises', () => {
  const failure = (name: string, reason = 'result: 1, expected 2'): Failure => ({
    group: 'ops',
    op: 'add',
    case: name,
    kind: 'forward',
    reason,
  });
  const report = (...failures: Failure[]): Report => ({
    device: 'cpu',
    groups: {},
    dtypes: {},
    operators: {},
    failures,
    roundings: [],
  });
  const list = parseExceptions(
    ['b quirk wrong', 'c superset more']
      .map((line) => `ops/add/float32/${line.replace(' ', ' forward ')}`)
      .join('\n'),
  );
  const compare = (...failures: Failure[]) => surprises(report(...failures), () => true, list);

  it('finds none where the list says it all', () => {
    const found = compare(failure('ops/add/float32/b'), failure('ops/add/float32/c'));
    expect(found).toEqual({ failures: [], passes: [], explained: 2 });
    expect(compare(...list.map((e) => failure(e.case))).explained).toBe(2);
  });

  it('finds failures that are not listed, but nothing that is not implemented or not held', () => {
    const [wrong, absent, unheld] = [
      failure('ops/add/float32/d'),
      failure('ops/add/float32/e', 'not implemented: add'),
      failure('ops/add/float32/f', "needs PyTorch's random numbers: draws its own"),
    ];
    const found = compare(
      failure('ops/add/float32/b'),
      failure('ops/add/float32/c'),
      wrong,
      absent,
      unheld,
    );
    expect(found.failures).toEqual([wrong]);
  });

  it('finds listed cases that pass', () => {
    expect(compare(failure('ops/add/float32/b')).passes.map((e) => e.case)).toEqual([
      'ops/add/float32/c',
    ]);
    expect(list.map(groupOf)).toEqual(['ops', 'ops']);
  });
});
