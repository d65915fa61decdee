// `npm run mnist [-- --device webgpu]`: installs, builds and trains examples/mnist.

import { environmentFor } from './host.mjs';
import { prepare, runNode } from './prepare.mjs';

prepare('examples/mnist');
const args = process.argv.slice(2);
process.exit(runNode('examples/mnist/dist/main.js', args, environmentFor(args)));
