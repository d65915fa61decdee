import {
  builtinModule,
  environment,
  kindOf,
  RuntimeError,
  specialFunctions,
  ValueError,
} from '@sconce/core';
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

/** The most threads there can be. */
const mostThreads = 1024;
/** The most items of one task: they, and what is added to them, are counted in 32 signed bits. */
const mostItems = 2 ** 30;

const layout: ControlLayout = {
  epoch: 16,
  rest: 17,
  open: 32,
  next: 48,
  waiting: 64,
  sleepers: 80,
  limit: 96,
  mail: 97,
  task: 98,
  args: 99,
  count: 100,
  grain: 101,
  pieces: 102,
  noPiece: 0x7fff0000,
  failed: 112,
  messageLength: 113,
  message: 128,
  messageBytes: 1024,
  inside: 512,
  insideStep: 8,
  words: 512 + mostThreads * 8,
};

/** Rounds of spinning before a worker sleeps: waking it takes 0.4 us before, and up to 150 us after. */
const spins = 20_000;

/** How often, in milliseconds, it is asked whether a thread that is waited for is still there. */
const lifeCheck = 100;

/** So many workers may end by themselves before there are no more new ones. */
const mostDeaths = 64;

interface PoolWorker {
  post(message: unknown): void;
  terminate(): void;
  /** Whether it has ended, as far as can be told without returning to the event loop. */
  ended(): boolean;
}

function availableThreads(): number {
  const os = builtinModule<typeof import('node:os')>('node:os');
  if (os) return Math.min(os.availableParallelism(), mostThreads);
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
  if (count > mostThreads) throw tooMany('SCONCE_NUM_THREADS', count);
  return count;
}

const tooMany = (source: string, count: number): ValueError =>
  new ValueError(`${source}: expected at most ${mostThreads} threads, got ${count}`);

let workerUrl: string | URL | undefined;

/**
 * Has threads run a file rather than a text, which a content security policy without `worker-src blob:` forbids: this
 * package's entry `@sconce/backend-cpu/worker-file`, as the page's bundler serves it. To be called before the first computation.
 *
 * @param url an address of the page's origin; undefined goes back to the text.
 * @throws TypeError unless it is a string, a URL or undefined.
 * @example setWorkerUrl(new URL('@sconce/backend-cpu/worker-file', import.meta.url));
 */
export function setWorkerUrl(url: string | URL | undefined): void {
  if (url !== undefined && typeof url !== 'string' && !(url instanceof URL)) {
    throw new TypeError(`setWorkerUrl: expected a string or a URL, got ${kindOf(url)}`);
  }
  workerUrl = url;
}

let warned = false;

/** Says once in a page why there is one thread only. */
function warnOnce(why: string): void {
  if (warned || typeof document === 'undefined') return;
  warned = true;
  console.warn(`Sconce runs on one thread: ${why}`);
}

/** Workers could not be started. */
const warnNoWorkers = (): void =>
  warnOnce(
    'workers could not be started. A content security policy must allow `worker-src blob:`, or ' +
      'setWorkerUrl() of @sconce/backend-cpu name a file of its entry @sconce/backend-cpu/worker-file that the policy allows.',
  );

/** The page is not isolated: it is said what it takes to have threads. */
const warnSingleThreaded = (): void =>
  warnOnce(
    "this page is not cross-origin isolated. Serve it with the headers 'Cross-Origin-Opener-Policy: same-origin' and " +
      "'Cross-Origin-Embedder-Policy: require-corp' to use all cores.",
  );

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
  /** The worker of each thread but the caller's, from thread 1 on; undefined where one has ended. */
  readonly #workers: (PoolWorker | undefined)[] = [];
  #threads: number;
  #broken = false;
  #busy = false;
  /** Workers that ended without having been told to. */
  #deaths = 0;

  constructor(memory: LinearMemory, library: WorkerLibrary) {
    this.#memory = memory;
    this.#library = library;
    this.#threads = initialThreads();
    this.#control = new Int32Array(memory.buffer, 0, layout.words);
  }

  /** How many threads tasks are split between, the caller included. */
  get threads(): number {
    return this.#memory.shared && !this.#broken ? this.#threads : 1;
  }

  set threads(count: number) {
    if (!Number.isInteger(count) || count < 1) {
      throw new ValueError(`setNumThreads: expected a whole number of at least 1, got ${count}`);
    }
    if (count > mostThreads) throw tooMany('setNumThreads', count);
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
   * @throws RuntimeError if a thread failed, or ended in the middle of it.
   */
  run(id: number, args: number, count: number, grain: number): void {
    const task = this.#tasks[id] as Task;
    if (count > mostItems) {
      throw new RuntimeError(`a task of ${count} items is too large (at most ${mostItems})`);
    }
    if (count <= grain || this.threads === 1 || this.#busy) {
      if (count > 0) task(args, 0, count, 0);
      return;
    }
    this.#start();
    const c = this.#control;
    const pieces = Math.ceil(count / grain);
    c[layout.failed] = 0;
    c[layout.task] = id;
    c[layout.args] = args;
    c[layout.count] = count;
    c[layout.grain] = grain;
    c[layout.pieces] = pieces;
    Atomics.store(c, layout.rest, 0);
    Atomics.store(c, layout.next, 0);
    Atomics.store(c, layout.open, 1);
    Atomics.add(c, layout.epoch, 1);
    if (Atomics.load(c, layout.sleepers) > 0) Atomics.notify(c, layout.epoch);
    this.#busy = true;
    let lost = false;
    try {
      for (;;) {
        const piece = Atomics.add(c, layout.next, 1);
        if (piece >= pieces) break;
        const begin = piece * grain;
        task(args, begin, Math.min(begin + grain, count), 0);
      }
    } finally {
      this.#busy = false;
      Atomics.store(c, layout.next, layout.noPiece);
      Atomics.store(c, layout.open, 0);
      lost = this.#join(c);
    }
    if (lost) {
      throw new RuntimeError(
        'a worker thread ended in the middle of an operation: what it was to write is not to be used. Another one takes its place',
      );
    }
    if (Atomics.load(c, layout.failed) !== 0) this.#raise(c);
  }

  /** Lets workers that spin go to sleep, since another library's threads need their cores. */
  rest(): void {
    Atomics.store(this.#control, layout.rest, 1);
  }

  /** Waits until no worker is inside the task; says whether one ended there. */
  #join(c: Int32Array): boolean {
    let left = spins;
    let lost = false;
    let checked = 0;
    for (let i = 0; i < this.#workers.length; i++) {
      const place = layout.inside + (i + 1) * layout.insideStep;
      while (Atomics.load(c, place) !== 0) {
        if (--left > 0) continue;
        left = 100;
        const now = performance.now();
        if (checked === 0) checked = now;
        else if (now - checked > lifeCheck) {
          checked = now;
          if (this.#workers[i]?.ended() !== false) {
            // It may take a moment from the end being sure to the thread's last write.
            const until = now + lifeCheck;
            while (performance.now() < until);
            lost = true;
            this.#forget(i);
            continue;
          }
        }
        if (typeof document !== 'undefined') continue; // a page's main thread must not block
        Atomics.store(c, layout.waiting, 1);
        Atomics.wait(c, place, 1, 1);
        Atomics.store(c, layout.waiting, 0);
      }
    }
    return lost;
  }

  /** Makes room for another worker where one has ended. */
  #forget(i: number): void {
    this.#workers[i] = undefined;
    Atomics.store(this.#control, layout.inside + (i + 1) * layout.insideStep, 0);
    if (++this.#deaths > mostDeaths) this.#fail();
  }

  /** Goes on alone for good. */
  #fail(): void {
    this.#broken = true;
    warnNoWorkers();
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
    for (const worker of this.#workers) worker?.post(mail);
    const c = this.#control;
    Atomics.store(c, layout.mail, this.#mail.length);
    Atomics.add(c, layout.epoch, 1);
    Atomics.notify(c, layout.epoch);
  }

  /** Opens the workers that are missing. */
  #start(): void {
    const wanted = this.#threads - 1;
    const workers = this.#workers;
    let missing = workers.length < wanted;
    for (let i = 0; i < wanted && !missing; i++) missing = workers[i] === undefined;
    if (!missing) return;
    const c = this.#control;
    Atomics.store(c, layout.limit, this.#threads);
    Atomics.store(c, layout.mail, this.#mail.length);
    try {
      for (let i = 0; i < wanted; i++) {
        if (workers[i]) continue;
        const worker = openWorker(this.#library, (blocked) => {
          if (workers[i] !== worker) return;
          if (blocked) this.#fail();
          else this.#forget(i);
        });
        const start: WorkerStart = {
          memory: this.#memory.memory,
          layout,
          thread: i + 1,
          spins,
        };
        worker.post(start);
        for (const mail of this.#mail) worker.post(mail);
        workers[i] = worker;
      }
    } catch {
      this.#fail(); // no workers here, e.g. forbidden by the page's policy: go on alone
    }
  }

  /**
   * Warns where threads are wanted and the page cannot have them. Pages start them at once: that a policy forbids them is
   * known later only, and `threads` is to tell the truth.
   */
  announce(): void {
    if (this.#threads === 1) return;
    if (!this.#memory.shared) warnSingleThreaded();
    else if (typeof document !== 'undefined') this.#start();
  }

  /** Ends the workers; they start again when needed. */
  stop(): void {
    for (const worker of this.#workers.splice(0)) worker?.terminate();
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

/**
 * @param onEnd called when a worker has ended without being told to; `blocked` if it never ran and never will.
 */
function openWorker(library: WorkerLibrary, onEnd: (blocked: boolean) => void): PoolWorker {
  const node = builtinModule<typeof import('node:worker_threads')>('node:worker_threads');
  if (node) {
    const receive = `(listener) => require('node:worker_threads').parentPort.on('message', listener)`;
    const options = { execArgv: [], name: 'sconce' };
    const worker = workerUrl
      ? new node.Worker(nodeUrl(workerUrl), options)
      : new node.Worker(workerCode(receive, 'require', library), { eval: true, ...options });
    let over = false;
    let begun = false;
    worker.on('online', () => {
      begun = true;
    });
    worker.on('error', () => {}); // 'exit' follows
    worker.on('exit', () => {
      over = true;
      onEnd(!begun);
    });
    worker.unref();
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => void worker.terminate(),
      ended: () => {
        if (over || !begun) return over;
        // Of a thread that has ended, Node says that its loop never ran or was idle for -1 ms, even while no event can arrive.
        const { idle, active } = worker.performance.eventLoopUtilization();
        return idle < 0 || active === 0;
      },
    };
  }
  const receive = '(listener) => { self.onmessage = (event) => listener(event.data); }';
  const text = workerUrl ? undefined : workerCode(receive, 'undefined', library);
  const url = text && URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = new Worker((url ?? workerUrl) as string | URL, {
    name: 'sconce',
    ...(url === undefined && { type: 'module' as const }),
  });
  worker.onerror = () => onEnd(true);
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate();
      if (url !== undefined) URL.revokeObjectURL(url);
    },
    ended: () => false,
  };
}

/** What Node takes for a file: paths as they are, addresses as URLs. */
const nodeUrl = (url: string | URL): string | URL =>
  typeof url === 'string' && url.startsWith('file:') ? new URL(url) : url;
