import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runPart } from './kill.js';

const folder = await mkdtemp(join(tmpdir(), 'sconce-resume-'));
const command = (name: string) => [
  fileURLToPath(new URL('main.js', import.meta.url)),
  '--folder',
  join(folder, name),
  '--epochs',
  '12',
];

console.log('training without a break ...');
const whole = await runPart(command('whole'));
console.log(`${whole.losses.size} steps, last loss ${[...whole.losses.values()].at(-1)}\n`);

let different = 0;
for (let part = 1; ; part++) {
  const { resumed, losses, finished } = await runPart(command('killed'), 15 + ((part * 11) % 25));
  for (const [step, loss] of losses) if (loss !== whole.losses.get(step)) different++;
  const from = resumed === undefined ? 'started' : `resumed after step ${resumed}`;
  console.log(
    `${from}, ${finished ? 'finished' : 'killed'} after step ${Math.max(...losses.keys())}`,
  );
  if (finished) break;
}
await rm(folder, { recursive: true });
console.log(
  different === 0 ? '\nevery loss is the same, to the last bit' : `\n${different} losses differ`,
);
process.exit(different === 0 ? 0 : 1);
