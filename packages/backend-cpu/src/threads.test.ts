import { spawnSync } from 'node:child_process';
import type { Worker } from 'node:worker_threads';
import { ModuleBuilder, opcodes } from '@sconce/kernels';
import { afterEach, expect, test } from 'vitest';
import { LinearMemory } from './memory.js';
import { ThreadPool } from './threads.js';
import type { WorkerLibrary, WorkerTools } from './worker.js';

const { i32, control } = opcodes;
let pool: ThreadPool | undefined;
afterEach(() => pool?.stop());

/** Writes, for each item, one more than was there; item 1000 traps if `args` is odd. */
function counting(): WebAssembly.Module {
  const builder = new ModuleBuilder();
  builder.importMemory('env', 'memory', { shared: true });
  const f = builder.function('count', ['i32', 'i32', 'i32']);
  f.loop((again) => {
    f.get(0).i32(1).op(i32.and).get(1).i32(1000).op(i32.eq).op(i32.and);
    f.if(() => f.op(control.unreachable));
    const at = () => f.get(1).i32(4).op(i32.mul).get(0).i32(-2).op(i32.and).op(i32.add);
    at();
    at().memory(i32.load).i32(1).op(i32.add).memory(i32.store);
    f.get(1).i32(1).op(i32.add).tee(1).get(2).op(i32.ltS).brIf(again);
  });
  return new WebAssembly.Module(builder.build());
}

let endWorkers = (): void => {};

/** Each item writes the number of the thread that ran it, and takes a while. */
const library: WorkerLibrary = {
  scripts: {
    stamp:
      ({ memory: m, options }: WorkerTools) =>
      (_args, begin, _end, thread) => {
        new Int32Array(m.buffer, options as number, 64)[begin] = thread;
        const until = performance.now() + 0.1;
        while (performance.now() < until);
      },
    // Workers say that they are here and never come back; the caller has them ended.
    stuck:
      ({ memory: m, options }: WorkerTools) =>
      (_args, _begin, _end, thread) => {
        const here = new Int32Array(m.buffer, options as number, 1);
        if (thread > 0) {
          Atomics.store(here, 0, 1);
          for (;;);
        }
        const until = performance.now() + 10_000;
        while (Atomics.load(here, 0) === 0 && performance.now() < until);
        endWorkers();
      },
  },
  math: {},
};

/** Waits until workers have taken part: they start while the caller goes on alone. */
async function warm(
  p: ThreadPool,
  task: number,
  workers: number,
  seen: () => Set<number>,
): Promise<void> {
  const end = performance.now() + 10_000;
  while (seen().size <= workers && performance.now() < end) {
    p.run(task, 0, 64, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('every item runs exactly once, whatever the number of threads', async () => {
  const memory = new LinearMemory(1024);
  pool = new ThreadPool(memory, library);
  const buffer = memory.allocate(40_000);
  const values = memory.map(buffer, 'int32') as Int32Array;
  const [task = -1] = pool.addModule(counting(), ['count']);
  let rounds = 0;
  for (const threads of [1, 2, 4, 3]) {
    pool.threads = threads;
    expect(pool.threads).toBe(threads);
    for (let i = 0; i < 300; i++) {
      pool.run(task, buffer.pointer, 10_000, 1 + (i % 100));
      rounds++;
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20)); // let workers start, and sleep
    }
  }
  values.fill(rounds, 10_000);
  expect(values.every((v) => v === rounds)).toBe(true);
});

test('scripts run on workers with their own thread number', async () => {
  const memory = new LinearMemory(1024);
  pool = new ThreadPool(memory, library);
  pool.threads = 3;
  const buffer = memory.allocate(256);
  const values = memory.map(buffer, 'int32') as Int32Array;
  values.fill(-1);
  const task = pool.addScript('stamp', buffer.pointer) as number;
  await warm(pool, task, 2, () => new Set(values));
  expect([...new Set(values)].sort()).toEqual([0, 1, 2]);
});

test('a trap on any thread is an error of the caller, and the pool goes on', async () => {
  const memory = new LinearMemory(1024);
  pool = new ThreadPool(memory, library);
  pool.threads = 2;
  const buffer = memory.allocate(40_000);
  const [task = -1] = pool.addModule(counting(), ['count']);
  const p = pool;
  for (let i = 0; i < 50; i++) {
    expect(() => p.run(task, buffer.pointer + 1, 10_000, 10)).toThrow(/unreachable/);
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  p.run(task, buffer.pointer, 10_000, 10);
});

test('modules added while workers sleep reach them', async () => {
  const memory = new LinearMemory(1024);
  pool = new ThreadPool(memory, library);
  pool.threads = 2;
  const buffer = memory.allocate(256);
  const values = memory.map(buffer, 'int32') as Int32Array;
  for (let round = 0; round < 3; round++) {
    values.fill(-1);
    const task = pool.addScript('stamp', buffer.pointer) as number;
    await warm(pool, task, 1, () => new Set(values));
    expect([...new Set(values)].sort()).toEqual([0, 1]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('a wrong number of threads is an error that says so', () => {
  const memory = new LinearMemory(1024);
  pool = new ThreadPool(memory, library);
  for (const wrong of [0, -1, 1.5, Number.NaN]) {
    expect(() => {
      (pool as ThreadPool).threads = wrong;
    }).toThrow(`setNumThreads: expected a whole number of at least 1, got ${wrong}`);
  }
  expect(() => {
    (pool as ThreadPool).threads = 1e9;
  }).toThrow('setNumThreads: expected at most 1024 threads, got 1000000000');
});

test('a thread that ends in the middle of a task makes the call fail, and others take its place', async () => {
  const memory = new LinearMemory(1024);
  const workers: Worker[] = [];
  const collect = (worker: Worker) => workers.push(worker);
  process.on('worker', collect);
  try {
    pool = new ThreadPool(memory, library);
    pool.threads = 3;
    const buffer = memory.allocate(256);
    const values = memory.map(buffer, 'int32') as Int32Array;
    const task = pool.addScript('stamp', buffer.pointer) as number;
    const flag = memory.allocate(64);
    const stuck = pool.addScript('stuck', flag.pointer) as number;
    endWorkers = () => {
      for (const worker of workers.splice(0)) void worker.terminate();
    };
    for (let round = 0; round < 2; round++) {
      values.fill(-1);
      await warm(pool, task, 2, () => new Set(values));
      expect([...new Set(values)].sort()).toEqual([0, 1, 2]);
      memory.map(flag, 'int32').fill(0 as never);
      expect(() => (pool as ThreadPool).run(stuck, 0, 64, 1)).toThrow(
        /a worker thread ended in the middle of an operation/,
      );
    }
  } finally {
    process.off('worker', collect);
  }
});

test('sleeping workers do not keep a process alive', () => {
  // What the pool does, in a process of its own: a worker that waits on shared memory for ever.
  const code = `
    const { Worker } = require('node:worker_threads');
    const worker = new Worker('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', { eval: true });
    worker.unref();
    setTimeout(() => console.log('done'), 100);`;
  const result = spawnSync(process.execPath, ['-e', code], { timeout: 20_000, encoding: 'utf8' });
  expect(result.stdout.trim()).toBe('done');
  expect(result.status).toBe(0);
});
