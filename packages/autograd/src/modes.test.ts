import { tensor } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
  setGradEnabled,
} from './index.js';

const real = () => tensor([1, 2], { dtype: 'float32', requiresGrad: true });

describe('modes', () => {
  test('noGrad and enableGrad nest and give their result', () => {
    const a = real();
    expect(noGrad(() => a.mul(2)).requiresGrad).toBe(false);
    expect(noGrad(() => enableGrad(() => a.mul(2))).requiresGrad).toBe(true);
    expect(isGradEnabled()).toBe(true);
  });

  test('are restored after an error', () => {
    expect(() =>
      noGrad(() => {
        throw new Error('oops');
      }),
    ).toThrow('oops');
    expect(isGradEnabled()).toBe(true);
  });

  test('hold for the rest of a block', () => {
    {
      using _ = noGrad();
      expect(isGradEnabled()).toBe(false);
    }
    expect(isGradEnabled()).toBe(true);
    {
      using _ = setGradEnabled(false);
      expect(isGradEnabled()).toBe(false);
    }
    expect(isGradEnabled()).toBe(true);
    setGradEnabled(false);
    expect(real().mul(2).requiresGrad).toBe(false);
    setGradEnabled(true);
  });

  test('inferenceMode turns recording off', () => {
    inferenceMode(() => {
      expect([isGradEnabled(), isInferenceModeEnabled()]).toEqual([false, true]);
    });
    expect([isGradEnabled(), isInferenceModeEnabled()]).toEqual([true, false]);
  });
});

describe('leaving the graph', () => {
  test('detach shares memory and is a leaf', () => {
    const b = real().mul(2);
    const d = b.detach();
    expect([d.requiresGrad, d.isLeaf, d.gradFn]).toEqual([false, true, null]);
    d.zero_();
    expect(b.toArraySync()).toEqual([0, 0]);
  });

  test('detach_ makes a leaf, except of views', () => {
    const b = real().mul(2);
    const v = b.select(0, 0);
    expect(() => v.detach_()).toThrow("Can't detach views in-place");
    b.detach_();
    expect([b.requiresGrad, b.isLeaf]).toEqual([false, true]);
  });

  test('requiresGrad may be changed on leaves only', () => {
    const a = real();
    a.requiresGrad = false;
    expect(a.mul(2).requiresGrad).toBe(false);
    const b = real().mul(2);
    expect(() => {
      b.requiresGrad = false;
    }).toThrow('you can only change requires_grad flags of leaf variables.');
    expect(() => tensor([1], { dtype: 'int64', requiresGrad: true })).toThrow('floating point');
  });
});
