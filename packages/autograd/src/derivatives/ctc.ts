import { ctcLossBackward, RuntimeError } from '@sconce/core';
import { isGradEnabled } from '../modes.js';
import { type Derivatives, saving } from './formula.js';

/** Connectionist temporal classification. */
export const ctc: Readonly<Record<string, Derivatives>> = {
  ctcLoss: {
    logProbs: saving('logProbs loss paths', (g, c) => {
      if (isGradEnabled()) {
        throw new RuntimeError('ctcLoss: the derivative of its gradient is not implemented');
      }
      return ctcLossBackward(g, c.logProbs, c.targets, c.zeroInfinity, c.loss, c.paths);
    }),
  },
};
