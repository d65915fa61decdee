import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Leaf } from '../compare/compare.js';
import { type Case, Corpus } from '../corpus/corpus.js';
import { runParity } from '../runner.js';
import { isOrder, isRounding, isSpread } from './judge.js';

const folder = mkdtempSync(join(tmpdir(), 'sconce-rounding-'));
afterAll(() => rmSync(folder, { recursive: true }));

const encoded = (values: ArrayBufferView) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
const float32 = (values: number[], shape = [values.length], rg?: true) => ({
  t: 'float32',
  shape,
  data: encoded(Float32Array.from(values)),
  ...(rg && { rg }),
});
const float64 = (values: number[]) => ({
  t: 'float64',
  shape: [values.length],
  data: encoded(Float64Array.from(values)),
});
const float16 = (bits: number[]) => ({
  t: 'float16',
  shape: [bits.length],
  data: encoded(Uint16Array.from(bits)),
});
const int64 = (values: number[]) => ({
  t: 'int64',
  shape: [values.length],
  data: encoded(BigInt64Array.from(values, BigInt)),
});

/** What becomes of one call: its outcome forward and, if there are gradients, backward. */
async function outcomeOf(call: string, args: unknown[], out: unknown, grads?: unknown[]) {
  const test = {
    id: 'ops/case/0',
    op: 'case',
    variant: '',
    dtype: 'float32',
    call,
    args,
    kwargs: {},
    out,
    ...(grads && { grads }),
  };
  const file = { format: 1, group: 'ops', cases: [test] };
  writeFileSync(join(folder, 'ops-00.json'), JSON.stringify(file));
  const report = await runParity({ corpus: folder });
  const of = (direction: 'forward' | 'gradient') => {
    const counts = report.groups.ops?.[direction];
    return (['passed', 'rounding', 'failed'] as const).find((status) => counts?.[status]);
  };
  return grads ? [of('forward'), of('gradient')] : of('forward');
}

/** Numbers whose sum cancels: an ulp of the large ones is 64. */
const cancelling = [1e9, 3, -1e9, 4];

describe('a float32 case outside the tolerance', () => {
  it('is rounding where PyTorch is no further off than an ulp of the inputs makes it', async () => {
    const call = 'torch.sum';
    expect(await outcomeOf(call, [float32(cancelling)], float32([7], []))).toBe('passed');
    expect(await outcomeOf(call, [float32(cancelling)], float32([7.0005], []))).toBe('rounding');
  });

  it('counts with its gradient alike', async () => {
    const grads = [float32([1.00005, 3, -1e9, 4])];
    const given = [float32(cancelling, [4], true)];
    const call = '((x * x).sum() / 2 - (x * x).sum() / 2 + x.sum()) * 1';
    const found = await outcomeOf(call, given, float32([7.0002], []), grads);
    expect(found).toEqual(['rounding', 'failed']);
  });

  it('is none where PyTorch is a hundred tolerances off', async () => {
    expect(await outcomeOf('torch.sum', [float32(cancelling)], float32([7.01], []))).toBe('failed');
  });

  it('is none where our float64 is as wrong as our float32', async () => {
    const wrong = (by: number) => outcomeOf(`x * ${1 + by}`, [float32([2, 3])], float32([2, 3]));
    expect(await wrong(5e-5)).toBe('failed');
    expect(await wrong(5e-4)).toBe('failed');
    const constant = await outcomeOf('torch.ones(2) * 1.0005', [float32([2])], float32([1, 1]));
    expect(constant).toBe('failed');
    expect(await outcomeOf('torch.ones(2) * 1.0005', [], float32([1, 1]))).toBe('failed');
  });

  it('is none where only our float32 is off', async () => {
    expect(await outcomeOf('x.half().float()', [float32([1 / 3])], float32([1 / 3]))).toBe(
      'failed',
    );
  });

  it('is none where one of the two is no number', async () => {
    expect(await outcomeOf('torch.log', [float32([-1])], float32([0]))).toBe('failed');
    expect(await outcomeOf('torch.log', [float32([1])], float32([Number.NaN]))).toBe('failed');
    expect(await outcomeOf('torch.exp', [float32([88])], float32([Infinity]))).toBe('failed');
    expect(await outcomeOf('torch.exp', [float32([100])], float32([3e38]))).toBe('failed');
  });

  it('looks past what overflows on both sides', async () => {
    const out = float32([7.0005, Infinity]);
    const call = 'torch.stack([x.sum(), (x.max() * 1e30)])';
    expect(await outcomeOf(call, [float32(cancelling)], out)).toBe('rounding');
  });

  it('is none where shape or dtype differ', async () => {
    const given = [float32(cancelling)];
    expect(await outcomeOf('torch.sum', given, float32([7.0005]))).toBe('failed');
    expect(await outcomeOf('torch.sum', given, float64([7.0005]))).toBe('failed');
    expect(await outcomeOf('x.double().sum()', given, float32([7.0005], []))).toBe('failed');
  });

  it('is none of integers, and none of float64', async () => {
    expect(await outcomeOf('x.sum().long().reshape(1)', [float32(cancelling)], int64([8]))).toBe(
      'failed',
    );
    expect(await outcomeOf('x.sum().reshape(1)', [float64(cancelling)], float64([7.0005]))).toBe(
      'failed',
    );
  });

  it('is judged so in half precision too', async () => {
    // 1000, 0.5, -1000 as float16; an ulp of 1000 is a half.
    const given = [float16([0x63d0, 0x3800, 0xe3d0])];
    const half = (bits: number) => ({ ...float16([bits]), shape: [] });
    expect(await outcomeOf('torch.sum', given, half(0x3800))).toBe('passed');
    expect(await outcomeOf('torch.sum', given, half(0x3804))).toBe('rounding');
    expect(await outcomeOf('torch.sum', given, half(0x3c00))).toBe('failed');
  });
});

describe('the rule', () => {
  it('allows us twice what PyTorch is off, or twice the tolerance', () => {
    expect(isRounding({ own: 1.9, torch: 0.2, spread: 0 })).toBe(true);
    expect(isRounding({ own: 2.1, torch: 0.2, spread: 0 })).toBe(false);
    expect(isRounding({ own: 7.9, torch: 4, spread: 0 })).toBe(true);
    expect(isRounding({ own: 8.1, torch: 4, spread: 500 })).toBe(false);
    expect(isRounding({ own: 0, torch: 99, spread: 500 })).toBe(true);
    expect(isRounding({ own: 0, torch: 100, spread: 500 })).toBe(false);
    expect(isRounding({ own: 0, torch: 20, spread: 1 })).toBe(false);
    expect(isRounding({ own: Infinity, torch: 1, spread: 1 })).toBe(false);
  });

  it('looks at a fixed order where a device has none', () => {
    const far = (own: number) => ({ own, torch: 0.2, spread: 0 });
    expect(isOrder(far(5), far(0.3))).toBe(true);
    expect(isOrder(far(5), far(2.1))).toBe(false);
    expect(isOrder(far(11), far(0.3))).toBe(false);
  });
});

describe('an iterated case', () => {
  const read = (...values: number[]) => ({
    dtype: 'float32',
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const data = (...values: number[]) => ({
    dtype: 'float32',
    shape: [values.length],
    bytes: new Uint8Array(Float32Array.from(values).buffer),
    strides: undefined,
    offset: 0,
    requiresGrad: false,
  });
  const leaf = (actual: unknown, expected: unknown): Leaf => ({
    place: 'params',
    actual,
    expected,
    how: {},
  });
  const nudged = (...runs: unknown[]) => runs.map((actual) => leaf(actual, undefined));

  it('is as far off, element by element, as an ulp of its inputs makes it', () => {
    const runs = nudged(read(1.0001, 2), read(0.9999, 2));
    expect(isSpread(leaf(read(1, 2), data(1.00015, 2)), runs)).toBe(true);
    expect(isSpread(leaf(read(1, 2), data(1.00025, 2)), runs)).toBe(false);
    expect(isSpread(leaf(read(1, 2), data(1, 2.00015)), runs)).toBe(false);
  });

  it('is no rounding where PyTorch is far off, however far the runs are', () => {
    const runs = nudged(read(2, 2), read(0, 2));
    expect(isSpread(leaf(read(1, 2), data(1.5, 2)), runs)).toBe(false);
    expect(isSpread(leaf(read(1, Number.NaN), data(1, 2)), runs)).toBe(false);
    expect(isSpread(leaf(read(1, 2), data(1, Number.NaN)), runs)).toBe(false);
    expect(isSpread(leaf(read(1, 2), data(1.0001, 2)), nudged(read(Number.NaN, 2)))).toBe(false);
    expect(isSpread(leaf(read(1, 2), data(1.0001, 2)), nudged(read(1.0001)))).toBe(false);
  });

  it('takes other numbers of trials as far as the runs do', () => {
    expect(isSpread(leaf(14, 12), nudged(15, 13))).toBe(true);
    expect(isSpread(leaf(14, 11), nudged(15, 13))).toBe(false);
    expect(isSpread(leaf(14, 13), nudged(14, 14))).toBe(false);
    expect(isSpread(leaf(14, 13), nudged(undefined, 15))).toBe(false);
  });
});

/** Outcome of a case of the public corpus, with other results than PyTorch's. */
async function altered(group: 'optim' | 'train', id: string, change: (test: Case) => object) {
  const test = new Corpus().cases(group).find((one) => one.id === id) as Case;
  const file = { format: 1, group, cases: [{ ...test, ...change(test) }] };
  const own = mkdtempSync(join(folder, 'iterated-'));
  writeFileSync(join(own, `${group}-00.json`), JSON.stringify(file));
  const { groups } = await runParity({ corpus: own });
  const counts = groups[group]?.forward;
  return (['passed', 'rounding', 'failed'] as const).find((status) => counts?.[status]);
}

describe('a case of many steps', () => {
  it('fails if a step goes elsewhere than an ulp of the inputs leads', async () => {
    const id = 'optim/LBFGS/8';
    const calls = (by: number) => (test: Case) => ({
      closure_calls: (test.closure_calls as number[]).map((n) => n + by),
    });
    expect(await altered('optim', id, () => ({}))).not.toBe('failed');
    expect(await altered('optim', id, calls(500))).toBe('failed');
    expect(
      await altered('optim', id, ({ losses }) => ({
        losses: (losses as unknown[]).map(() => ({ f: 1 })),
      })),
    ).toBe('failed');
  });

  it('fails if training goes elsewhere', async () => {
    const id = 'train/mlp_regression/0';
    const losses = (by: number) => (test: Case) => ({
      losses: (test.losses as { f: number }[]).map(({ f }) => ({ f: f * by })),
    });
    expect(await altered('train', id, losses(1))).not.toBe('failed');
    expect(await altered('train', id, losses(1.001))).toBe('failed');
  });
});
