import { builtinModule, RuntimeError, specialFunctions, ValueError } from '@sconce/core';
import type { LinearMemory } from './memory.js';
import {
  type ControlLayout,
  type Task,
  type WorkerLibrary,
  type WorkerMail,
  type WorkerStart,
  type WorkerTools,
  workerMain,
} from './worker.js';

const layout: ControlLayout = {
  epoch: 16,
  open: 32,
  next: 48,
  active: 64,
  waiting: 65,
  rest: 17,
  sleepers: 80,
  limit: 96,
  mail: 97,
  task: 98,
  args: 99,
  count: 100,
  grain: 101,
  failed: 112,
  messageLength: 113,
  message: 128,
  messageBytes: 1024,
};

/** Rounds of spinning before a worker sleeps: waking it takes 0.4 us before, and up to 150 us after. */
const spins = 20_000;

interface PoolWorker {
  post(message: unknown): void;
  terminate(): void;
}

/** An environment variable; undefined in browsers. */
export const environment = (name: string): string | undefined =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];

function availableThreads(): number {
  const os = builtinModule<typeof import('node:os')>('node:os');
  if (os) return os.availableParallelism();
  return (
    (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator
      ?.hardwareConcurrency ?? 1
  );
}

function initialThreads(): number {
  const wanted = environment('SCONCE_NUM_THREADS');
  if (wanted === undefined || wanted === '') return availableThreads();
  const count = Number(wanted);
  if (!Number.isInteger(count) || count < 1) {
    throw new ValueError(
      `SCONCE_NUM_THREADS: expected a whole number of at least 1, got '${wanted}'`,
    );
  }
  return count;
}

let warned = false;

/** Says once in a browser page without isolation what it takes to have threads. */
function warnSingleThreaded(): void {
  if (warned || typeof document === 'undefined') return;
  warned = true;
  console.warn(
    'Sconce runs on one thread: this page is not cross-origin isolated. Serve it with the headers ' +
      "'Cross-Origin-Opener-Policy: same-origin' and 'Cross-Origin-Embedder-Policy: require-corp' to use all cores.",
  );
}

/**
 * Threads that share the memory and split the items of a task with the caller. They start with the
 * first task that is split, and do not keep a process alive.
 */
export class ThreadPool {
  readonly #memory: LinearMemory;
  readonly #control: Int32Array;
  readonly #library: WorkerLibrary;
  readonly #tasks: Task[] = [];
  readonly #mail: WorkerMail[] = [];
  readonly #workers: PoolWorker[] = [];
  #threads: number;
  #broken = false;
  #busy = false;

  constructor(memory: LinearMemory, library: WorkerLibrary) {
    this.#memory = memory;
    this.#library = library;
    this.#threads = initialThreads();
    this.#control = new Int32Array(memory.buffer, 0, 1024);
  }

  /** How many threads tasks are split between, the caller included. */
  get threads(): number {
    return this.#memory.shared && !this.#broken ? this.#threads : 1;
  }

  set threads(count: number) {
    if (!Number.isInteger(count) || count < 1) {
      throw new ValueError(`setNumThreads: expected a whole number of at least 1, got ${count}`);
    }
    this.#threads = count;
    // Memory that is not shared has no workers to tell, and moves when it grows.
    if (this.#memory.shared) Atomics.store(this.#control, layout.limit, count);
  }

  /** Adds the named exports of a module, and gives their numbers. A worker that lacks an import leaves them to the others. */
  addModule(module: WebAssembly.Module, names: readonly string[]): number[] {
    const { math } = this.#library;
    const instance = new WebAssembly.Instance(module, {
      env: { memory: this.#memory.memory },
      math,
    });
    const exports = names.map((name): readonly [string, number] => [
      name,
      this.#tasks.push(instance.exports[name] as Task) - 1,
    ]);
    this.#send({ module, exports });
    return exports.map(([, id]) => id);
  }

  /** Adds a task made by a script of the library; undefined where it cannot run. */
  addScript(name: string, options: unknown): number | undefined {
    const { memory } = this.#memory;
    const node = builtinModule<typeof import('node:module')>('node:module');
    const require = node?.createRequire(import.meta.url) as WorkerTools['require'];
    const task = this.#library.scripts[name]?.({ memory, tasks: this.#tasks, options, require });
    if (!task) return undefined;
    const id = this.#tasks.push(task) - 1;
    this.#send({ script: { name, id, options } });
    return id;
  }

  /** A task by its number, to be called on this thread alone. */
  task(id: number): Task {
    return this.#tasks[id] as Task;
  }

  /**
   * Runs the items 0 to `count` of a task, in pieces of `grain` taken by whoever is free, and returns when all are done.
   *
   * @throws RuntimeError if a thread failed.
   */
  run(id: number, args: number, count: number, grain: number): void {
    const task = this.#tasks[id] as Task;
    if (count <= grain || this.threads === 1 || this.#busy) {
      if (count > 0) task(args, 0, count, 0);
      return;
    }
    if (this.#workers.length < this.#threads - 1) this.#start();
    const c = this.#control;
    c[layout.failed] = 0;
    c[layout.task] = id;
    c[layout.args] = args;
    c[layout.count] = count;
    c[layout.grain] = grain;
    Atomics.store(c, layout.rest, 0);
    Atomics.store(c, layout.next, 0);
    Atomics.store(c, layout.open, 1);
    Atomics.add(c, layout.epoch, 1);
    if (Atomics.load(c, layout.sleepers) > 0) Atomics.notify(c, layout.epoch);
    this.#busy = true;
    try {
      for (;;) {
        const begin = Atomics.add(c, layout.next, grain);
        if (begin >= count) break;
        task(args, begin, Math.min(begin + grain, count), 0);
      }
    } finally {
      this.#busy = false;
      Atomics.store(c, layout.next, 0x3fffffff);
      Atomics.store(c, layout.open, 0);
      this.#join(c);
    }
    if (Atomics.load(c, layout.failed) !== 0) this.#raise(c);
  }

  /** Lets workers that spin go to sleep, since another library's threads need their cores. */
  rest(): void {
    Atomics.store(this.#control, layout.rest, 1);
  }

  /** Waits until no worker is inside the task. */
  #join(c: Int32Array): void {
    let left = spins;
    while (Atomics.load(c, layout.active) !== 0) {
      if (--left > 0) continue;
      left = 100;
      if (typeof document !== 'undefined') continue; // a page's main thread must not block
      Atomics.store(c, layout.waiting, 1);
      const active = Atomics.load(c, layout.active);
      if (active !== 0) Atomics.wait(c, layout.active, active, 1);
      Atomics.store(c, layout.waiting, 0);
    }
  }

  #raise(c: Int32Array): never {
    const length = Atomics.load(c, layout.messageLength);
    const bytes = new Uint8Array(c.buffer, c.byteOffset + layout.message * 4, length);
    const text = String.fromCharCode(...bytes);
    Atomics.store(c, layout.failed, 0);
    throw new RuntimeError(`a worker thread failed: ${text}`);
  }

  #send(mail: WorkerMail): void {
    this.#mail.push(mail);
    if (this.#workers.length === 0) return;
    for (const worker of this.#workers) worker.post(mail);
    const c = this.#control;
    Atomics.store(c, layout.mail, this.#mail.length);
    Atomics.add(c, layout.epoch, 1);
    Atomics.notify(c, layout.epoch);
  }

  #start(): void {
    const c = this.#control;
    Atomics.store(c, layout.limit, this.#threads);
    Atomics.store(c, layout.mail, this.#mail.length);
    try {
      while (this.#workers.length < this.#threads - 1) {
        const worker = openWorker(this.#library, () => {
          this.#broken = true;
        });
        const start: WorkerStart = {
          memory: this.#memory.memory,
          layout,
          thread: this.#workers.length + 1,
          spins,
        };
        worker.post(start);
        for (const mail of this.#mail) worker.post(mail);
        this.#workers.push(worker);
      }
    } catch {
      this.#broken = true; // no workers here, e.g. forbidden by the page's policy: go on alone
    }
  }

  /** Warns where threads are wanted and the page cannot have them. */
  announce(): void {
    if (!this.#memory.shared && this.#threads > 1) warnSingleThreaded();
  }

  /** Ends the workers; they start again when needed. */
  stop(): void {
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }
}

/**
 * The text of a worker. Compilers that keep function names wrap functions in a helper, which text would miss.
 */
function workerCode(receive: string, require: string, { scripts, math }: WorkerLibrary): string {
  const object = (functions: Readonly<Record<string, (...args: never[]) => unknown>>): string =>
    Object.entries(functions)
      .map(([name, f]) => {
        const text = f.toString();
        return `${name}: ${text.includes('[native code]') ? `Math.${f.name}` : text}`;
      })
      .join(',\n');
  // What special functions are made of lies outside their text: kernels that need them stay with the caller.
  const portable = Object.fromEntries(
    Object.entries(math).filter(([name]) => !(name in specialFunctions)),
  );
  return `const __name = (f) => f;
    (${workerMain.toString()})(${receive}, ${require}, {
      scripts: { ${object(scripts)} },
      math: { ${object(portable)} },
    });`;
}

function openWorker(library: WorkerLibrary, onError: () => void): PoolWorker {
  const node = builtinModule<typeof import('node:worker_threads')>('node:worker_threads');
  if (node) {
    const receive = `(listener) => require('node:worker_threads').parentPort.on('message', listener)`;
    const code = workerCode(receive, 'require', library);
    const worker = new node.Worker(code, { eval: true, execArgv: [], name: 'sconce' });
    worker.on('error', onError);
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => void worker.terminate(),
    };
  }
  const receive = '(listener) => { self.onmessage = (event) => listener(event.data); }';
  const code = workerCode(receive, 'undefined', library);
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'sconce' });
  worker.onerror = onError;
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
