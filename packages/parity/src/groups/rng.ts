import { manualSeed } from '@sconce/core';
import { difference, readBack } from '../compare/compare.js';
import { evaluate } from '../mapping/world.js';
import { unheld } from '../report/counts.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder } from '../runtime/tensors.js';
import type { Group } from './group.js';

/** The group `rng`: the numbers that follow a seed. */
export const rng: Group = {
  subject: (test) => test.id.split('/')[1] as string,
  hasGradient: () => false,

  async run(test, { device }) {
    const op = rng.subject(test);
    if (!device.backend.synchronous) {
      return {
        op,
        forward: unheld(
          "PyTorch's random numbers",
          `${device} draws from a generator of its own (Philox)`,
        ),
      };
    }
    try {
      const decoder = expectedDecoder(device);
      manualSeed(BigInt((test.seed as { i: string }).i));
      for (const [i, call] of (test.calls as string[]).entries()) {
        const actual = await readBack(evaluate(call));
        const expected = decoder.decode((test.results as unknown[])[i]);
        const found = difference(actual, expected, {}, call);
        if (found) return { op, forward: judged(found) };
      }
      return { op, forward: judged(undefined) };
    } catch (error) {
      return { op, forward: outcomeOf(error) };
    }
  },
};
