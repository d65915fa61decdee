import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { changes, readRatchet, updateRatchet } from './report/ratchet.js';
import { formatMarkdown, formatTable } from './report/table.js';
import { runParity } from './runner.js';

const folder = mkdtempSync(join(tmpdir(), 'sconce-parity-'));
afterAll(() => rmSync(folder, { recursive: true }));

const floats = (...values: number[]) =>
  Buffer.from(Float32Array.from(values).buffer).toString('base64');
const tensor = (values: number[], rg?: true) => ({
  t: 'float32',
  shape: [values.length],
  data: floats(...values),
  ...(rg && { rg }),
});
const base = { variant: '', dtype: 'float32', kwargs: {} };

writeFileSync(
  join(folder, 'ops-00.json'),
  JSON.stringify({
    format: 1,
    group: 'ops',
    cases: [
      {
        ...base,
        id: 'ops/neg/0',
        op: 'neg',
        call: 'torch.neg',
        args: [tensor([1, -2], true)],
        out: tensor([-1, 2]),
        grads: [tensor([-1, -Math.cos(1)])],
      },
      {
        ...base,
        id: 'ops/neg/1',
        op: 'neg',
        call: '-x',
        args: [tensor([1])],
        out: tensor([1]),
      },
      {
        ...base,
        id: 'ops/frobnicate/0',
        op: 'frobnicate',
        call: 'torch.frobnicate',
        args: [tensor([1])],
        out: tensor([1]),
      },
    ],
  }),
);
writeFileSync(
  join(folder, 'ops_errors-00.json.br'),
  brotliCompressSync(
    JSON.stringify({
      format: 1,
      group: 'ops_errors',
      cases: [
        {
          ...base,
          id: 'ops_errors/reshape/0',
          op: 'reshape',
          call: 'torch.reshape',
          args: [tensor([1, 2, 3]), { tuple: [2, 2] }],
          raises: {
            type: 'RuntimeError',
            message: "shape '[2, 2]' is invalid for input of size 3",
          },
        },
      ],
    }),
  ),
);

describe('runParity', () => {
  it('counts any folder of the format, compressed or not', async () => {
    const report = await runParity({ device: 'reference', corpus: folder });
    expect(report.device).toBe('reference');
    expect(report.groups).toEqual({
      ops: {
        forward: { passed: 1, rounding: 0, failed: 1, notImplemented: 1, unheld: 0, total: 3 },
        gradient: { passed: 1, rounding: 0, failed: 0, notImplemented: 0, unheld: 0, total: 1 },
      },
      ops_errors: {
        forward: { passed: 1, rounding: 0, failed: 0, notImplemented: 0, unheld: 0, total: 1 },
        gradient: { passed: 0, rounding: 0, failed: 0, notImplemented: 0, unheld: 0, total: 0 },
      },
    });
    expect(report.failures).toEqual([
      {
        group: 'ops',
        op: 'neg',
        case: 'ops/neg/1',
        kind: 'forward',
        reason: 'result: 1 of 1 elements differ (float32 [1]): element 0 is -1, expected 1',
      },
      {
        group: 'ops',
        op: 'frobnicate',
        case: 'ops/frobnicate/0',
        kind: 'forward',
        reason: 'not implemented: torch.frobnicate: Sconce has no frobnicate',
      },
    ]);
    expect(formatTable(report)).toContain(
      'ops         forward         1         0       1          1      3',
    );
    expect(formatMarkdown([report])).toContain('| `ops` | 1 / 3 (33%) | 1 / 1 (100%) | 0 |');
  });

  it('runs one operation of one group', async () => {
    const options = { device: 'reference', corpus: folder, groups: ['ops'], op: 'frobnicate' };
    const report = await runParity(options);
    expect(Object.keys(report.groups)).toEqual(['ops']);
    expect(report.groups.ops?.forward.total).toBe(1);
  });

  it('says so when the folder is none', async () => {
    await expect(runParity({ device: 'reference', corpus: '/nowhere' })).rejects.toThrow(
      'there is no folder /nowhere',
    );
  });
});

describe('ratchet', () => {
  it('notices what falls and what rises', async () => {
    const file = join(folder, 'ratchet.json');
    const report = await runParity({ device: 'reference', corpus: folder });
    updateRatchet(report, file);
    expect(changes(report, readRatchet(file))).toEqual({ fallen: [], risen: [] });
    const ratchet = { reference: { ops: { forward: 6, gradient: 0 } } };
    expect(changes(report, ratchet)).toMatchObject({
      fallen: [{ group: 'ops', direction: 'forward', before: 6, now: 1 }],
      risen: [
        { group: 'ops', direction: 'gradient', before: 0, now: 1 },
        { group: 'ops_errors', direction: 'forward', before: 0, now: 1 },
      ],
    });
  });
});
