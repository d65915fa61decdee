import { builtinModule, RuntimeError } from '@sconce/core';
import type { DatasetOrigin } from './define-dataset.js';
import { channel, type FromWorker, type ToWorker } from './protocol.js';
import { type ErrorReport, reportOf } from './worker-error.js';

/** How worker threads of Node are started; browsers have no such choices. */
export interface NodeWorkerOptions {
  /** The address of a module that workers load before the dataset's, e.g. one that registers a loader of TypeScript. */
  setup?: string | URL;
  /** Options of Node for the thread; default: those of this process. */
  execArgv?: readonly string[];
  /** Environment variables; default: a copy of this process'. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Limits of memory, e.g. `{ maxOldGenerationSizeMb: 512 }`. */
  resourceLimits?: {
    maxOldGenerationSizeMb?: number;
    maxYoungGenerationSizeMb?: number;
    codeRangeSizeMb?: number;
    stackSizeMb?: number;
  };
}

/** What a thread says to its owner. */
export interface ThreadEvents {
  receive(message: FromWorker): void;
  /** It is gone, or about to be: what it died of. */
  died(what: string, report?: ErrorReport): void;
}

/** A worker thread of Node, or a Web Worker. */
export interface Thread {
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  /** Whether it keeps the process alive, which it does not at first. */
  hold(alive: boolean): void;
  /** Watches a lock that the worker holds for life. */
  watch(lock: string): void;
  end(): End;
}

/** The end of a thread: it was told, and it does not run any more. */
export interface End {
  readonly terminated: Promise<unknown>;
  readonly surelyGone: Promise<unknown>;
}

/** Starts a worker on the module of a dataset; on the package's own where there is none. */
export function openThread(
  origin: DatasetOrigin | undefined,
  options: NodeWorkerOptions,
  events: ThreadEvents,
): Thread {
  const node = builtinModule<typeof import('node:worker_threads')>('node:worker_threads');
  return node ? openNode(node, origin, options, events) : openWeb(origin, events);
}

function openNode(
  { Worker }: typeof import('node:worker_threads'),
  origin: DatasetOrigin | undefined,
  options: NodeWorkerOptions,
  events: ThreadEvents,
): Thread {
  if (origin && !origin.url)
    throw new RuntimeError(
      'DataLoader: in Node workers need the address of the module; define the dataset with { url: import.meta.url, worker: () => new Worker(...) }',
    );
  const url = origin?.url ? new URL(origin.url) : new URL('./worker-entry.js', import.meta.url);
  const code = bootstrap(url, options.setup);
  const worker = new Worker(code ?? url, {
    eval: code !== undefined,
    name: channel,
    workerData: { [channel]: true },
    ...(options.execArgv && { execArgv: [...options.execArgv] }),
    ...(options.env && { env: { ...options.env } as NodeJS.ProcessEnv }),
    ...(options.resourceLimits && { resourceLimits: options.resourceLimits }),
  });
  let gone = false;
  worker.on('message', (message: FromWorker) => events.receive(message));
  worker.on('messageerror', (error) => events.died('sent what cannot be read', reportOf(error)));
  worker.on('error', (error) => events.died('died', explained(error)));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      gone = true;
      events.died(`exited unexpectedly (code ${code})`);
      resolve();
    });
  });
  // Last, since listening for messages holds it again.
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    hold: (alive) => (alive ? worker.ref() : worker.unref()),
    watch: () => {},
    end() {
      if (!gone) void worker.terminate();
      return { terminated: exited, surelyGone: exited };
    },
  };
}

/** What a worker runs where that is not simply the module: as text, something before it; else undefined. */
function bootstrap(url: URL, setup: string | URL | undefined): string | undefined {
  const load = `import(${JSON.stringify(url.href)})`;
  if (setup !== undefined) return `import(${JSON.stringify(String(setup))}).then(() => ${load});`;
  if (!/\.[mc]?tsx?$/.test(url.pathname)) return undefined;
  const tsx = tsxApi();
  // Under tsx threads do not inherit what makes TypeScript run.
  return tsx && `import(${JSON.stringify(tsx)}).then(({ register }) => (register(), ${load}));`;
}

/** The address of what registers tsx in a thread, if this process runs under it. */
function tsxApi(): string | undefined {
  const node = builtinModule<typeof import('node:module')>('node:module');
  const urls = builtinModule<typeof import('node:url')>('node:url');
  const { execArgv, cwd } = process;
  const named = execArgv.find((x) => /(^|[/\\=])tsx([/\\]|$)/.test(x))?.replace(/^--\w+=/, '');
  if (!node || !urls || named === undefined) return undefined;
  const from = /^(file:|[/\\]|[a-zA-Z]:)/.test(named) ? named : `${cwd()}/package.json`;
  try {
    const manifest = node.createRequire(from).resolve('tsx/package.json');
    // By address, since resolving as `require` does would give another build of it.
    return new URL('./dist/esm/api/index.mjs', urls.pathToFileURL(manifest)).href;
  } catch {
    return undefined;
  }
}

/** What to do about errors that Node reports in its own words. */
function explained(error: unknown): ErrorReport {
  const report = reportOf(error);
  const code = (error as { code?: string }).code;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    report.message += `; this Node does not run TypeScript: start it under tsx, use Node 22.18 or newer, or have workers load what runs it first (workerOptions: { setup })`;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    report.message += '; use smaller batches, or workerOptions: { resourceLimits: ... }';
  return report;
}

/** How long a Web Worker that was in the middle of something may run on: browsers do not tell when it has stopped. */
const graceMs = 1000;

function openWeb(origin: DatasetOrigin | undefined, events: ThreadEvents): Thread {
  const worker = startWeb(origin);
  const watching = new AbortController();
  worker.onmessage = ({ data }) => {
    const message = (data as { [channel]?: FromWorker } | null | undefined)?.[channel];
    if (message) events.receive(message);
  };
  worker.onmessageerror = () => events.died('sent what cannot be read');
  worker.onerror = (event) => {
    event.preventDefault();
    const { message, filename, lineno } = event;
    // A module that cannot be loaded gives an event without a message.
    if (!message)
      events.died(
        `could not load its module${origin?.url ? ` (${origin.url})` : ''}; with a bundler, define the dataset with () => new Worker(new URL('./module.js', import.meta.url), { type: 'module' })`,
      );
    else
      events.died('died', {
        name: 'Error',
        message,
        stack: `${message}\n    at ${filename}:${lineno}`,
        index: undefined,
      });
  };
  return {
    post: (message, transfer = []) => worker.postMessage({ [channel]: message }, [...transfer]),
    hold: () => {},
    watch(lock) {
      void navigator.locks
        ?.request(lock, { signal: watching.signal }, () => events.died('ended unexpectedly'))
        .catch(() => {});
    },
    end() {
      watching.abort();
      worker.terminate();
      return {
        terminated: Promise.resolve(),
        surelyGone: new Promise((resolve) => setTimeout(resolve, graceMs)),
      };
    },
  };
}

function startWeb(origin: DatasetOrigin | undefined): Worker {
  if (origin?.worker) return origin.worker();
  if (origin?.url) return new Worker(origin.url, { type: 'module', name: channel });
  // In this form, so that bundlers follow it.
  return new Worker(new URL('./worker-entry.js', import.meta.url), {
    type: 'module',
    name: channel,
  });
}
