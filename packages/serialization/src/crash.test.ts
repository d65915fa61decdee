import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ones, Tensor } from '@sconce/core';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fromSource } from '../../../scripts/testing/from-source.js';
import { CheckpointManager, load, save } from './index.js';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-crash-'));
  program = join(folder, 'killed.mjs');
  await build({
    entryPoints: [source('../test/killed.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
    plugins: [fromSource],
    logLevel: 'error',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Starts the program, lets it finish a generation, and kills it in the next: after `phase` times as long as the first
 * took. Gives the last generation that it said is on the disk.
 */
function killed(where: string, begin: number, phase: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, where, String(begin)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    let ready = 0;
    let armed = false;
    child.stdout.on('data', (data: Buffer) => {
      ready ||= performance.now();
      text += data;
      if (armed || !text.includes('\n', 'ready\n'.length)) return;
      armed = true;
      setTimeout(() => child.kill('SIGKILL'), phase * (performance.now() - ready));
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== null) reject(new Error(`the program ended by itself with ${code}`));
      else resolve(Number(text.trimEnd().split('\n').at(-1)));
    });
  });
}

/** The generation of a state, of which every number says the same. */
function generationOf(state: Iterable<unknown>): number {
  const numbers = [...state].flatMap((item) =>
    item instanceof Tensor ? [...(item.toTypedArraySync() as Float32Array)] : [item as number],
  );
  expect(new Set(numbers).size).toBe(1);
  return numbers[0] as number;
}

// Four programs at a time, each in a folder of its own.
const lanes = 4;
const kills = 50;

it(`leaves whole files when it is killed, ${lanes * kills} times`, async () => {
  let overtaken = 0;
  const lane = async (number: number): Promise<void> => {
    const where = join(folder, String(number));
    await mkdir(where);
    let done = 0;
    for (let kill = 0; kill < kills; kill++) {
      const said = await killed(where, done, ((kill * 7 + number) % 23) / 20);
      expect(said).toBeGreaterThan(done);
      const { a, b, n } = await load<{ a: Tensor; b: Tensor; n: number }>(join(where, 'state.pt'));
      const found = [
        generationOf([a, b, n]),
        generationOf((await load(join(where, 'state.safetensors'))).values()),
      ];
      const restored = await new CheckpointManager(join(where, 'run'), { keep: 2 }).restore({});
      expect(restored?.skipped).toEqual([]);
      found.push(generationOf(Object.values(restored?.values ?? {})));
      expect(restored?.step).toBe(found[2]);
      // What was said to be on the disk is; one more may be.
      for (const generation of found) expect([said, said + 1]).toContain(generation);
      if (found.some((generation) => generation > said)) overtaken++;
      done = said;
    }
    // The manager clears away what killed programs were writing.
    expect((await readdir(join(where, 'run'))).filter((name) => name.endsWith('.part'))).toEqual(
      [],
    );
    // So does the next save of a name.
    for (const name of ['state.pt', 'state.safetensors'])
      await save({ a: ones([1]) }, join(where, name));
    expect((await readdir(where)).sort()).toEqual(['run', 'state.pt', 'state.safetensors']);
  };
  const results = await Promise.allSettled(Array.from({ length: lanes }, (_, i) => lane(i)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  // Some were killed in the midst of a round, or the test shows nothing.
  expect(overtaken).toBeGreaterThan(10);
}, 300_000);
