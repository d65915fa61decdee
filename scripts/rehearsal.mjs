// `npm run rehearsal`: builds, publishes every package to a registry on loopback, and uses what is there as users would.

import { prepare, runNode } from './prepare.mjs';

prepare();
const args = ['run', '--config', 'vitest.rehearsal.config.ts', ...process.argv.slice(2)];
process.exit(runNode('node_modules/vitest/vitest.mjs', args));
