// What the page of browser.test.ts does.
import { encode } from 'fast-png';
import * as lib from './datasets.js';

const { core } = lib;

const collectAll = async <B>(loader: AsyncIterable<B>): Promise<B[]> => {
  const batches: B[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
};

export async function order() {
  core.manualSeed(11);
  // Three passes of persistent workers would hide the first; the memory of slots shows from the second request on.
  const loader = new lib.DataLoader(await lib.draws(8), {
    batchSize: 2,
    shuffle: true,
    numWorkers: 2,
    prefetchFactor: 1,
  });
  const batches = await collectAll(loader);
  const { backend, buffer } = (batches[3] as (typeof batches)[0])[1].storage;
  const rows = new lib.TensorDataset(core.arange(8));
  const tensors = await collectAll(new lib.DataLoader(rows, { batchSize: 4, numWorkers: 2 }));
  return {
    shared:
      typeof SharedArrayBuffer !== 'undefined' &&
      backend.map?.(buffer, 'float32').buffer instanceof SharedArrayBuffer,
    indices: batches.map(([a]) => Array.from(a.select(1, 0).toTypedArraySync(), Number)),
    drawn: batches.map(([, b]) => Array.from(b.toTypedArraySync(), Number)),
    tensors: tensors.map(([t]) => t.toArraySync()),
  };
}

export async function byAddress() {
  const dataset = await lib.countingByUrl([7, 3]);
  const batches = await collectAll(new lib.DataLoader(dataset, { batchSize: 2, numWorkers: 2 }));
  return batches.map((b) => b.toArraySync());
}

const failureOf = async (loader: AsyncIterable<unknown>) => {
  try {
    await collectAll(loader);
  } catch (error) {
    const { message, stack } = error as Error;
    return { message, stack };
  }
  return { message: 'no error', stack: '' };
};

export async function failures() {
  const trouble = async (kind: lib.Trouble, timeout = 0) =>
    failureOf(
      new lib.DataLoader(await lib.troubled(kind, 5), { batchSize: 2, numWorkers: 2, timeout }),
    );
  const nowhere = lib.defineDataset(new URL('./nowhere.js', location.href), () => [1, 2, 3]);
  return {
    thrown: await trouble('throw'),
    closed: await trouble('exit'),
    hung: await trouble('hang', 3),
    missing: await failureOf(new lib.DataLoader(await nowhere(), { numWorkers: 1 })),
  };
}

export async function leaving() {
  const before = core.memoryStats('cpu').bytes;
  for (let i = 0; i < 2; i++) {
    let seen = 0;
    for await (const x of new lib.DataLoader(await lib.wide(), { batchSize: 4, numWorkers: 2 })) {
      x.dispose();
      if (++seen === 3) break;
    }
  }
  // Browsers do not tell when a worker has stopped: its memory follows a second later.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return { bytes: core.memoryStats('cpu').bytes - before };
}

/** What the browser's own decoders make of a PNG, and of a damaged one. */
export async function decoding() {
  const data = Uint8Array.from({ length: 2 * 3 * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : (37 * i) % 256,
  );
  const png = encode({ width: 3, height: 2, data, channels: 4 });
  const image = await lib.decodeImage(png);
  const damaged = await lib.decodeImage(png.subarray(0, 40)).catch((error: Error) => error.message);
  return { data: [...data], pixels: image.permute([1, 2, 0]).flatten().toArraySync(), damaged };
}
