import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundle, bundle } from '../../../packages/data/test/bundle.js';
import type * as Program from './program.js';

let made: Bundle;
let program: typeof Program;
let folder: string;

beforeAll(async () => {
  // Workers load modules by themselves, and so want JavaScript.
  made = await bundle(['examples/image-folder/src/program.ts'], 'node');
  program = await import(/* @vite-ignore */ made.url('program'));
  folder = await mkdtemp(join(tmpdir(), 'sconce-shapes-'));
  await program.drawFolder(join(folder, 'train'), 60, 1);
  await program.drawFolder(join(folder, 'test'), 20, 2);
}, 60_000);
afterAll(async () => {
  await made?.remove();
  await rm(folder, { recursive: true, force: true });
});

it('draws a folder for each class', async () => {
  expect(await readdir(join(folder, 'train'))).toEqual(['circle', 'cross', 'square', 'triangle']);
  expect(await readdir(join(folder, 'test', 'cross'))).toHaveLength(20);
});

it('learns the shapes with augmentation in two workers, alike at each run', async () => {
  const train = async (epochs: number) => {
    const losses: number[] = [];
    const accuracies = await program.trainFolder({
      train: join(folder, 'train'),
      test: join(folder, 'test'),
      epochs,
      batchSize: 12,
      lr: 0.002,
      workers: 2,
      seed: 0,
      device: await program.init('cpu'),
      onEpoch: ({ loss }) => losses.push(loss),
    });
    return { accuracies, losses };
  };
  const { accuracies, losses } = await train(10);
  expect(accuracies).toHaveLength(10);
  // Chance is a quarter.
  expect(accuracies.at(-1)).toBeGreaterThan(0.65);
  expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
  expect((await train(1)).losses).toEqual((await train(1)).losses);
}, 240_000);
