import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects what is unreachable, and lets the finalizers of it run, some of which drop more. */
export async function collectGarbage(rounds = 10): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < rounds; i++) {
    collect();
    await setTimeout(10);
  }
}
