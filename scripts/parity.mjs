// `pnpm parity --device cpu ...`: builds the parity runner and runs it.

import { environmentFor } from './host.mjs';
import { prepare, runNode } from './prepare.mjs';

prepare('packages/parity');
// pnpm passes a leading `--` on, npm does not; the runner should see neither.
const args = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
process.exit(runNode('packages/parity/dist/cli.js', args, environmentFor(args)));
