// `npm run mnist [-- --device webgpu]`: installs, builds and trains examples/mnist.

import { prepare, runNode } from './prepare.mjs';

prepare('examples/mnist');
process.exit(runNode('examples/mnist/dist/main.js', process.argv.slice(2)));
