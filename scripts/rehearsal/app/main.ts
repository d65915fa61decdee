import { data, init, manualSeed, nn, optim, randn } from 'sconce';
import { numbers } from './numbers.js';

async function run(): Promise<unknown> {
  const device = await init('cpu');
  manualSeed(0);
  const model = new nn.Linear(10, 1).to(device);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const x = randn([64, 10], { device });
  const y = x.sum(1, { keepdim: true });
  let loss = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 50; step++) {
    optimizer.zeroGrad();
    const error = nn.functional.mseLoss(model(x), y);
    error.backward();
    optimizer.step();
    loss = await error.item();
  }
  let sum = 0;
  const loader = new data.DataLoader(await numbers(20), { batchSize: 4, numWorkers: 2 });
  for await (const batch of loader) sum += await batch.sum().item();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const product = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data: message }) => resolve(message);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  return { learned: loss < 0.01, sum, product, isolated: crossOriginIsolated };
}

run().then(
  (result) => {
    document.title = JSON.stringify(result);
  },
  (error: unknown) => {
    document.title = JSON.stringify({ failed: String(error) });
  },
);
