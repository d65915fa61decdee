// `prepack` of every public package, run in its folder: builds it from a clean clone on, and refuses to pack what is empty.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { install, root, runNode } from './prepare.mjs';

const folder = basename(process.cwd());
const lock = join(root, 'node_modules', '.cache', 'prepack.lock');

/** Waits until no other package is being built: they share what they depend on. */
async function locked() {
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      return;
    } catch {
      // A build that was killed left its lock.
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (age > 300_000) rmSync(lock, { recursive: true, force: true });
      else await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Builds the package alone. */
function build() {
  install();
  const tsc = runNode('node_modules/typescript/bin/tsc', ['-b', `packages/${folder}`]);
  return tsc === 0 ? runNode('scripts/bundle.mjs', [folder]) : tsc;
}

await locked();
let status = 1;
try {
  status = build();
} finally {
  rmSync(lock, { recursive: true, force: true });
}
if (status !== 0) process.exit(status);

const manifest = JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8'));
const targets = Object.values(manifest.exports).flatMap((target) =>
  typeof target === 'string' ? [target] : Object.values(target),
);
for (const target of targets) {
  const file = join(process.cwd(), target);
  if (!existsSync(file) || statSync(file).size === 0) {
    console.error(`${manifest.name}: ${target} is missing or empty, so nothing is packed`);
    process.exit(1);
  }
}
