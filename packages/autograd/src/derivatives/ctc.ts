import { ctcLossBackward } from '@sconce/core';
import { type Derivatives, saving } from './formula.js';

/** Connectionist temporal classification. */
export const ctc: Readonly<Record<string, Derivatives>> = {
  ctcLoss: {
    logProbs: saving('logProbs loss paths', (g, c) =>
      ctcLossBackward(g, c.logProbs, c.targets, c.zeroInfinity, c.loss, c.paths),
    ),
  },
};
