import { parseArgs } from 'node:util';
import { train } from './train.js';

const { values: args } = parseArgs({
  options: {
    folder: { type: 'string', default: 'run' },
    epochs: { type: 'string', default: '60' },
    every: { type: 'string', default: '10' },
    /** Prints every loss with all its digits: for programs that compare. */
    exact: { type: 'boolean', default: false },
  },
});

const steps = await train({
  folder: args.folder,
  epochs: Number(args.epochs),
  every: Number(args.every),
  onResume: (step) => console.log(`resumed after step ${step}`),
  onStep: (step, loss) => {
    if (args.exact) console.log(`${step} ${loss}`);
    else if (step % 20 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
  },
});
console.log(`finished after ${steps} steps; remove the folder '${args.folder}' to start afresh`);
process.exit(0);
