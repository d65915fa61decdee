import '@sconce/autograd';
import { manualSeed, tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { gumbelSoftmax } from './gumbel-softmax.js';

describe('gumbelSoftmax', () => {
  it('gives probabilities, almost all of them on one choice where tau is small', async () => {
    manualSeed(0);
    const soft = gumbelSoftmax(zeros([4, 3]), { tau: 1e-3 });
    for (const sum of (await soft.sum(-1).toArray()) as number[]) expect(sum).toBeCloseTo(1, 5);
    for (const max of (await soft.amax(-1).toArray()) as number[])
      expect(max).toBeGreaterThan(0.99);
  });

  it('chooses with the probabilities of the logits', async () => {
    manualSeed(0);
    const logits = tensor([Math.log(0.7), Math.log(0.2), Math.log(0.1)]).expand(20_000, 3);
    const chosen = gumbelSoftmax(logits, { hard: true }).mean(0);
    const [a, b, c] = (await chosen.toArray()) as [number, number, number];
    expect(a).toBeCloseTo(0.7, 1);
    expect(b).toBeCloseTo(0.2, 1);
    expect(c).toBeCloseTo(0.1, 1);
  });

  it('lets the gradient of the soft choice through the hard one', async () => {
    const grads = [false, true].map((hard) => {
      manualSeed(3);
      const logits = tensor([[0.5, -1, 2]]).requiresGrad_();
      gumbelSoftmax(logits, { hard })
        .mul(tensor([1, 2, 3]))
        .sum()
        .backward();
      return logits.grad?.toArraySync();
    });
    expect(grads[1]).toEqual(grads[0]);
    expect(() => gumbelSoftmax(zeros([2]), { tau: 0 })).toThrow('tau must be positive, got 0');
  });
});
