import { builtinModule } from '@sconce/core';
import { mathImports } from '@sconce/kernels';
import { blasItems } from './blas.js';
import { sequence } from './conv.js';
import { workerMain } from './worker.js';

/** The file of a worker, for pages whose policy forbids workers made of text: see `setWorkerUrl`. */

type Receive = Parameters<typeof workerMain>[0];

const threads = builtinModule<typeof import('node:worker_threads')>('node:worker_threads');
const node = builtinModule<typeof import('node:module')>('node:module');
const port = threads?.parentPort;
const receive: Receive = port
  ? (listener) => void port.on('message', listener)
  : (listener) => {
      globalThis.onmessage = ({ data }: MessageEvent) => listener(data);
    };
workerMain(receive, node?.createRequire(import.meta.url) as Parameters<typeof workerMain>[1], {
  scripts: { sequence, blasItems },
  math: mathImports,
});
