import { builtinModule, Device, defaultGenerator, manualSeed } from '@sconce/core';
import type { Cursor } from '../dataset.js';
import type { IterableDataset } from '../iterable-dataset.js';
import { SlotTarget } from './batch-transport.js';
import { namedFunction } from './define-dataset.js';
import { type Collate, type Fetcher, IterableFetcher, MapFetcher } from './fetcher.js';
import { channel, type FromWorker, type Request, type Start, type ToWorker } from './protocol.js';
import { cook } from './recipe.js';
import { reportOf } from './worker-error.js';
import { setWorkerInfo } from './worker-info.js';

/** The worker's end of the line to its loader. */
interface Line {
  post(message: FromWorker, transfer?: readonly ArrayBuffer[]): void;
  listen(receive: (message: ToWorker) => void): void;
}

let serving = false;

/** Answers a loader from here on, if this thread was started by one; else does nothing. */
export function serveIfWorker(): void {
  if (serving) return;
  const line = openLine();
  if (!line) return;
  serving = true;
  serve(line);
}

function openLine(): Line | undefined {
  const node = builtinModule<typeof import('node:worker_threads')>('node:worker_threads');
  if (node) {
    const port = node.parentPort;
    // A thread that is someone else's is left alone.
    if (!port || (node.workerData as { [channel]?: true } | null)?.[channel] !== true)
      return undefined;
    return {
      post: (message, transfer = []) => port.postMessage(message, [...transfer]),
      listen: (receive) => void port.on('message', receive),
    };
  }
  const scope = globalThis as unknown as {
    document?: unknown;
    DedicatedWorkerGlobalScope?: new () => object;
    postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
    addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  };
  const type = scope.DedicatedWorkerGlobalScope;
  if (!type || !(globalThis instanceof type)) return undefined;
  return {
    post: (message, transfer = []) => scope.postMessage({ [channel]: message }, transfer),
    // The thread may be the user's own, with messages of its own.
    listen: (receive) =>
      scope.addEventListener('message', ({ data }) => {
        const message = (data as { [channel]?: ToWorker } | null | undefined)?.[channel];
        if (message) receive(message);
      }),
  };
}

function serve(line: Line): void {
  const worker = new DataWorker(line);
  let queue = Promise.resolve();
  line.listen((message) => {
    queue = queue.then(() => worker.handle(message));
  });
  line.post({ kind: 'ready' });
}

class DataWorker {
  readonly #line: Line;
  #start: Start | undefined;
  #dataset: unknown;
  #collate: Collate;
  #fetcher: Fetcher | undefined;
  #state: Uint8Array | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  async handle(message: ToWorker): Promise<void> {
    if (message.kind === 'fetch') return this.#answer(message);
    try {
      if (message.kind === 'start') await this.#prepare(message);
      else {
        await this.#fetcher?.close();
        this.#fetcher = this.#open();
      }
    } catch (error) {
      this.#line.post({ kind: 'error', task: undefined, error: reportOf(error) });
    }
  }

  async #prepare(start: Start): Promise<void> {
    this.#start = start;
    if (start.lock !== undefined) await this.#hold(start.lock);
    const cpu = Device.from('cpu');
    // As PyTorch: the workers are the parallelism.
    if (cpu.backend.threads !== undefined) cpu.backend.threads = 1;
    const { id, numWorkers, seed } = start;
    const seeded = () => manualSeed(BigInt.asUintN(64, seed));
    seeded();
    setWorkerInfo({ id, numWorkers, seed, dataset: undefined });
    this.#dataset = await cook(start.recipe);
    seeded();
    setWorkerInfo({ id, numWorkers, seed, dataset: this.#dataset });
    if (start.init) await (await namedFunction<(id: number) => unknown>(start.init))(id);
    if (start.state) defaultGenerator().setState(start.state);
    const { collate } = start;
    this.#collate =
      typeof collate === 'object'
        ? await namedFunction<Collate>(collate)
        : collate === 'raw'
          ? (samples: unknown) => samples
          : undefined;
    this.#fetcher = this.#open();
    this.#state = defaultGenerator().getState();
    this.#line.post({ kind: 'started', state: this.#state });
  }

  #open(): Fetcher {
    const { iterable, batched, dropLast } = this.#start as Start;
    const settings = { batched, dropLast, collate: this.#collate };
    if (!iterable) return new MapFetcher(this.#dataset as ArrayLike<unknown>, settings);
    return new IterableFetcher(this.#dataset as IterableDataset<unknown>, settings);
  }

  async #answer({ task, indices, slots }: Request): Promise<void> {
    const cursor: Cursor = {};
    try {
      // Without a fetcher the start failed, which the loader was told.
      if (!this.#fetcher) return;
      const target = new SlotTarget(slots);
      const fetched = await this.#fetcher.fetch(indices, target, cursor);
      if (!fetched) {
        this.#line.post({ kind: 'end', task });
        return;
      }
      const tree = await target.encode(fetched.batch);
      const { leaves, transfer } = target;
      this.#line.post({ kind: 'batch', task, tree, leaves, state: this.#drawn() }, transfer);
    } catch (error) {
      this.#line.post({ kind: 'error', task, error: reportOf(error, cursor.index) });
    }
  }

  /** The state of the generator, if it was drawn from since the last batch. */
  #drawn(): Uint8Array | undefined {
    const state = defaultGenerator().getState();
    const before = this.#state;
    this.#state = state;
    return before && sameBytes(state, before) ? undefined : state;
  }

  /** Holds a lock for as long as this thread lives, so that the loader notices its end. Resolves when it has it. */
  #hold(name: string): Promise<void> {
    return new Promise((resolve) => {
      const held = () => {
        this.#line.post({ kind: 'held' });
        resolve();
        return new Promise(() => {});
      };
      // Where locks are refused the loader goes without.
      navigator.locks.request(name, held).catch(() => resolve());
    });
  }
}

/** Whether two arrays of as many bytes, a multiple of four, are equal. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [a, b].map((s) => new Int32Array(s.buffer, s.byteOffset, s.length >> 2)) as [
    Int32Array,
    Int32Array,
  ];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return x.length === y.length;
}
