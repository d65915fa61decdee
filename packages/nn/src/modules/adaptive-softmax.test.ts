import '@sconce/autograd';
import { manualSeed, randn, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import { AdaptiveLogSoftmaxWithLoss } from './adaptive-softmax.js';

const x = () => randn([6, 8]);
const targets = tensor([0n, 3n, 5n, 9n, 4n, 11n]);

test('the log-probabilities of targets are those of the full distribution, which sums to one', () => {
  manualSeed(0);
  const layer = new AdaptiveLogSoftmaxWithLoss(8, 12, [4, 9], { headBias: true });
  const input = x();
  const all = layer.logProb(input).detach();
  const { output, loss } = layer(input, targets);
  const picked = all.gather(1, targets.unsqueeze(1)).squeeze(1);
  expect(output.detach().sub(picked).abs().max().itemSync()).toBeLessThan(1e-6);
  expect(loss.itemSync()).toBeCloseTo(-picked.mean().itemSync(), 6);
  for (const sum of all.exp().sum(1).toArraySync() as number[]) expect(sum).toBeCloseTo(1, 6);
  expect(layer.predict(input).toArraySync()).toEqual(all.argmax(1).toArraySync());
  const [one] = [layer(input.select(0, 3), targets.select(0, 3))];
  expect(one.output.shape).toEqual([]);
  expect(one.output.itemSync()).toBeCloseTo((output.toArraySync() as number[])[3] as number, 6);
});

test('clusters without samples get no gradient', () => {
  const layer = new AdaptiveLogSoftmaxWithLoss(8, 12, [4, 9]);
  layer(x(), tensor([0n, 3n, 5n, 1n, 4n, 2n])).loss.backward();
  const gradients = [...layer.namedParameters()].map(([name, p]) => [name, p.grad !== null]);
  expect(Object.fromEntries(gradients)).toEqual({
    'head.weight': true,
    'tail.0.0.weight': true,
    'tail.0.1.weight': true,
    'tail.1.0.weight': false,
    'tail.1.1.weight': false,
  });
});

test('refuses what does not fit', () => {
  expect(() => new AdaptiveLogSoftmaxWithLoss(8, 12, [9, 4])).toThrow(/increasing order/);
  expect(() => new AdaptiveLogSoftmaxWithLoss(8, 12, [4, 12])).toThrow(/between 1 and/);
  const layer = new AdaptiveLogSoftmaxWithLoss(8, 12, [4, 9]);
  expect(() => layer(x(), tensor([0n, 3n, 5n, 1n, 4n, 12n]))).toThrow(/should be in \[0, 11\]/);
  expect(() => layer(x(), tensor([0n]))).toThrow(/same size/);
});
