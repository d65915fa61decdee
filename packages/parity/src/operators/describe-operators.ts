import { Device, dtypes, InterpreterBackend, init } from '@sconce/core';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { seeds } from '../conformance/pair.js';
import { Draw } from './draw.js';
import { elementwiseRows } from './elementwise-rows.js';
import { layerRows } from './layer-rows.js';
import { movingRows } from './moving-rows.js';
import { drawProgram, drawWrite } from './programs.js';
import { reducingRows } from './reducing-rows.js';
import type { OperatorRow } from './row.js';
import { type Call, Twin } from './twin.js';

/** The device, or undefined where no backend has taken the interpreter's place. */
async function open(name: string): Promise<Device | undefined> {
  try {
    const device = await init(Device.from(name));
    return device.backend instanceof InterpreterBackend ? undefined : device;
  } catch {
    return undefined;
  }
}

/** A case: the seed of its choices, and how large it may get. Failing ones are tried again smaller. */
const cases = fc.record({ seed: fc.noShrink(seeds), size: fc.integer({ min: 1, max: 12 }) });

/** Runs a property so many times; what it throws names the seed, and how to run it again. */
export async function hold(
  runs: number,
  property: (seed: number, size: number) => Promise<void>,
): Promise<void> {
  const { SCONCE_SEED: seed, SCONCE_RUNS: factor } = process.env;
  await fc.assert(
    fc.asyncProperty(cases, ({ seed: own, size }) => property(own, size)),
    {
      numRuns: Math.ceil(runs * Number(factor ?? 1)),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      reporter: ({ failed, seed: used, counterexample, errorInstance }) => {
        if (!failed) return;
        const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
        throw new Error(
          `${why}\nSCONCE_SEED=${used} runs it again (${JSON.stringify(counterexample)})`,
        );
      },
    },
  );
}

const fromRows = (rows: readonly OperatorRow[]) => (d: Draw) => d.pick(rows).draw(d);

/** Kinds of cases: how one is drawn, and its share of all. */
const kinds: readonly (readonly [title: string, draw: (d: Draw) => Call, share: number])[] = [
  ['elementwise operations', fromRows(elementwiseRows), 0.35],
  ['reductions, scans, sorting', fromRows(reducingRows), 0.15],
  ['shapes, indexing, scattering', fromRows(movingRows), 0.15],
  ['products and layers', fromRows(layerRows), 0.12],
  ['in-place writes into views', drawWrite, 0.1],
  ['values and gradients of programs', drawProgram, 0.13],
];

/**
 * Random operators on random views, against the reference interpreter: `cases` in all, of which `SCONCE_RUNS` is a multiple.
 *
 * @example await describeOperators('cpu', 4000);
 */
export async function describeOperators(name: string, count: number): Promise<void> {
  const device = await open(name);
  if (!device) {
    test.skip(`operators on '${name}': there is no such device here`);
    return;
  }
  const twin = new Twin(device, await init('reference'));
  const held = dtypes.filter((dtype) => device.backend.supports(dtype));
  describe(`${name}: random operators on random views`, { timeout: 600_000 }, () => {
    for (const [title, draw, share] of kinds) {
      test(title, () =>
        hold(count * share, async (seed, size) => {
          const d = new Draw(seed, size, held);
          await twin.check(draw(d), d);
        }),
      );
    }
  });
}
