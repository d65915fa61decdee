import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fromSource } from '../../../scripts/testing/from-source.js';
import { runPart } from './kill.js';

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-resume-'));
  program = join(folder, 'main.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
    plugins: [fromSource],
    external: ['koffi', 'webgpu'],
    logLevel: 'error',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('gives the losses of a run without a break, wherever it is killed', async () => {
  const command = (name: string) => [
    program,
    '--folder',
    join(folder, name),
    '--epochs',
    '4',
    '--every',
    '6',
  ];
  const whole = await runPart(command('whole'));
  expect(whole.finished).toBe(true);
  expect(whole.losses.size).toBe(64);
  expect(whole.losses.get(64)).toBeLessThan(whole.losses.get(1) as number);

  const starts: (number | undefined)[] = [];
  const seen = new Map<number, number>();
  for (const killAfter of [3, 17, 20, 11, Number.POSITIVE_INFINITY]) {
    const part = await runPart(command('killed'), killAfter);
    starts.push(part.resumed);
    for (const [step, loss] of part.losses) {
      expect(loss, `step ${step}`).toBe(whole.losses.get(step));
      seen.set(step, loss);
    }
  }
  expect(seen.size).toBe(64);
  // The first was killed before its first checkpoint; the others went on from theirs.
  expect(starts[0]).toBeUndefined();
  expect(starts.filter((step) => step !== undefined && step > 0).length).toBeGreaterThanOrEqual(3);
}, 120_000);
