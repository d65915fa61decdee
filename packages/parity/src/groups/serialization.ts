import { notImplemented } from '../report/counts.js';
import type { Group } from './group.js';

/** The group `serialization`: files that PyTorch and NumPy wrote. */
export const serialization: Group = {
  subject: (test) => test.kind as string,
  hasGradient: () => false,

  async run(test) {
    const op = serialization.subject(test);
    return { op, forward: notImplemented('Sconce has no load for files') };
  },
};
