import { data, tensor } from 'sconce';

/** The numbers up to a limit, one a sample. */
export const numbers = data.defineDataset(
  {
    url: import.meta.url,
    worker: () => new Worker(new URL('./numbers.ts', import.meta.url), { type: 'module' }),
  },
  (limit: number) => ({ length: limit, get: (i: number) => tensor([i]) }),
);
