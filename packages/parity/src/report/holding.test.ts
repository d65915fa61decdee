import type { Device, DType } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import type { Case } from '../corpus/corpus.js';
import { failed, notImplemented, passed } from './counts.js';
import { beyond32Bits, judgeHolding } from './holding.js';

const device = (type: string, lacks?: DType) =>
  ({ type, backend: { supports: (dtype: DType) => dtype !== lacks } }) as unknown as Device;
const webgpu = device('webgpu', 'float64');
const test = (content: object) => ({ id: 'ops/x/0', ...content }) as unknown as Case;
const needsDouble = test({ args: [{ t: 'float64', shape: [1], data: '' }] });
const plain = test({ args: [{ t: 'float32', shape: [1], data: '' }] });
const missing = notImplemented('webgpu has no float64');

describe('judgeHolding', () => {
  it('sets apart what is about float64', () => {
    expect(
      judgeHolding(needsDouble, { op: 'x', forward: missing, gradient: passed }, webgpu),
    ).toEqual({
      op: 'x',
      forward: { status: 'unheld', reason: 'needs float64: webgpu has no float64' },
      gradient: passed,
    });
    for (const call of ['x.to(torch.float64)', 'x.double()']) {
      const { forward } = judgeHolding(test({ call }), { op: 'x', forward: missing }, webgpu);
      expect(forward?.status).toBe('unheld');
    }
  });

  it('leaves failures that are our own', () => {
    const ours = { op: 'x', forward: missing };
    expect(judgeHolding(plain, ours, webgpu)).toEqual(ours);
    const wrong = { op: 'x', forward: failed('result: 1 of 1 elements differ') };
    expect(judgeHolding(needsDouble, wrong, webgpu)).toEqual(wrong);
    const missed = { op: 'x', forward: failed('no float64') };
    expect(judgeHolding(needsDouble, missed, device('cpu'))).toEqual(missed);
  });

  it('sets apart integers of more than 32 bits, where int64 is narrowed', () => {
    for (const reason of [
      `result: 2 of 3 elements differ, ${beyond32Bits} (int64 [3]): ...`,
      'webgpu: int64 is held as int32 there, and element 0, 4611686018427387904, does not fit',
    ]) {
      const outcome = { op: 'x', forward: failed(reason) };
      expect(judgeHolding(plain, outcome, webgpu).forward).toEqual({
        status: 'unheld',
        reason: `needs int64: ${reason}`,
      });
      expect(judgeHolding(plain, outcome, device('cpu'))).toEqual(outcome);
    }
  });
});
