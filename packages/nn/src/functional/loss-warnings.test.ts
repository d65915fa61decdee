import { ones, tensor } from '@sconce/core';
import '@sconce/autograd';
import { expect, test, vi } from 'vitest';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from './loss.js';

test.each(Object.entries({ huberLoss, l1Loss, mseLoss, smoothL1Loss }))(
  '%s warns once of shapes that broadcast',
  (name, loss) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(loss(ones([3, 1]), ones([3]).mul(0)).itemSync()).toBeGreaterThan(0);
    loss(ones([3, 1]), ones([3]));
    loss(ones([3]), ones([3]));
    expect(warn.mock.calls).toHaveLength(1);
    expect(warn.mock.calls[0]?.[0]).toBe(
      `${name}: using a target size ([3]) that is different to the input size ([3, 1]); this will likely lead to incorrect results due to broadcasting, make them the same size`,
    );
    loss(tensor(1), ones([3]));
    expect(warn.mock.calls).toHaveLength(2);
    warn.mockRestore();
  },
);
