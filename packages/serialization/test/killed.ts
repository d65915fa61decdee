// What the crash test kills: saves one generation after another, and says when each is on the disk.

import { full, manualSeed } from '@sconce/core';
import { CheckpointManager, save } from '../src/index.js';

const [folder = '.', begin = '0'] = process.argv.slice(2);

manualSeed(1);
const manager = new CheckpointManager(`${folder}/run`, { keep: 2 });
process.stdout.write('ready\n');
for (let n = Number(begin) + 1; ; n++) {
  const state = { a: full([5000], n), b: full([3], n) };
  await save({ ...state, n }, `${folder}/state.pt`);
  await save(state, `${folder}/state.safetensors`);
  await manager.save(n, { ...state, n });
  process.stdout.write(`${n}\n`);
}
