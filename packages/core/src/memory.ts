import { takes } from './arguments.js';
import type { Backend, DeviceBuffer } from './backend.js';
import { Device, type DeviceLike } from './device.js';
import { builtinModule } from './platform.js';
import { enlist } from './scope.js';
import { signatures } from './signatures.js';
import type { Storage } from './storage.js';

/**
 * Gives device memory back when the last tensor that views it is gone. JavaScript has no destructors,
 * so this rests on the garbage collector, which sees a few hundred bytes where a device holds
 * megabytes. Each storage holds a *life*, a tiny object that nothing else holds; its death is seen by polling WeakRefs
 * after a collection. In Node a collection is run when the bytes held have grown by an adaptive budget
 * since the last one; elsewhere each large life carries an untouched ArrayBuffer of its size, so that the engine
 * counts the bytes and collects of its own accord.
 */

/** What a backend holds for tensors, in bytes and numbers. */
export interface MemoryStats {
  /** Bytes held by storages now. */
  readonly bytes: number;
  /** The most bytes ever held at once. */
  readonly peakBytes: number;
  /** Storages that hold them. */
  readonly storages: number;
}

interface Account {
  bytes: number;
  peak: number;
  storages: number;
  /** `bytes` after the last collection. */
  floor: number;
  /** How far `bytes` may rise above `floor` before a collection is run. */
  budget: number;
}

/** What a storage holds to stay alive: small storages share one, so that watching them costs next to nothing. */
interface Life {
  ballast: ArrayBuffer | undefined;
}

/** One watched life, and the memory to give back when it is gone. */
interface Watch {
  readonly life: WeakRef<Life>;
  readonly backend: Backend;
  readonly account: Account;
  /** Buffers, and undefined in place of those released. What is kept here until a collection is kept small. */
  readonly members: (DeviceBuffer | undefined)[];
  /** Members not released yet. */
  alive: number;
  bytes: number;
  /** Its place in `watches`. */
  index: number;
}

/** A storage's hold on device memory. */
export interface Lease {
  /** Undefined after `release`. */
  buffer: DeviceBuffer | undefined;
  readonly life: Life;
  readonly watch: Watch;
  /** The buffer's place among the members. */
  readonly slot: number;
}

/** Storages below this share a life: one that lives long keeps at most `groupBytes` of its neighbours. */
const smallBytes = 4096;
const groupBytes = 16384;
const groupMembers = 32;

const minBudget = 64 * 2 ** 20;
const maxBudget = 512 * 2 ** 20;

const accounts = new WeakMap<Backend, Account>();
let lastBackend: Backend | undefined;
let lastAccount: Account;
const watches: Watch[] = [];

/** The life that small storages share now; dropped when full, and before every collection. */
let openLife: Life | undefined;
let openWatch: Watch | undefined;

let refsSinceClear = 0;

function accountOf(backend: Backend): Account {
  if (backend === lastBackend) return lastAccount;
  let account = accounts.get(backend);
  if (!account) {
    account = { bytes: 0, peak: 0, storages: 0, floor: 0, budget: minBudget };
    accounts.set(backend, account);
  }
  lastBackend = backend;
  lastAccount = account;
  return account;
}

function watchLife(life: Life, backend: Backend, account: Account): Watch {
  // A new WeakRef keeps its target until the job ends, which a synchronous loop never does.
  if (++refsSinceClear >= 8192) {
    refsSinceClear = 0;
    collector()?.clearKept();
  }
  const watch: Watch = {
    life: new WeakRef(life),
    backend,
    account,
    members: [],
    alive: 0,
    bytes: 0,
    index: watches.length,
  };
  watches.push(watch);
  armCanary();
  return watch;
}

function unwatch(watch: Watch): void {
  const last = watches.pop() as Watch;
  if (last === watch) return;
  watches[watch.index] = last;
  last.index = watch.index;
}

/** Starts holding `buffer` for `storage`, until `release` or until the storage is collected. */
export function track(storage: Storage, backend: Backend, buffer: DeviceBuffer): Lease {
  const bytes = buffer.bytes;
  const account = accountOf(backend);
  account.storages++;
  bytesSinceYield += bytes;
  account.bytes += bytes;
  if (account.bytes > account.peak) account.peak = account.bytes;
  if (account.bytes - account.floor > account.budget) pressed(account);

  let life: Life;
  let watch: Watch;
  if (bytes < smallBytes) {
    if (openLife === undefined || openWatch?.backend !== backend) {
      openLife = { ballast: undefined };
      openWatch = watchLife(openLife, backend, account);
    }
    life = openLife;
    watch = openWatch;
    watch.bytes += bytes;
    if (watch.members.length === groupMembers - 1 || watch.bytes >= groupBytes)
      openLife = undefined;
  } else {
    life = { ballast: ballast(bytes) };
    watch = watchLife(life, backend, account);
  }
  watch.alive++;
  enlist(storage);
  return { buffer, life, watch, slot: watch.members.push(buffer) - 1 };
}

/** Gives the memory of a lease back now. */
export function release(lease: Lease): void {
  const { buffer, life, watch, slot } = lease;
  if (!buffer) return;
  lease.buffer = undefined;
  watch.members[slot] = undefined;
  giveBack(watch, buffer);
  if (--watch.alive === 0 && life !== openLife) unwatch(watch);
  // Detaching frees the bytes at once, where the engine can.
  if (life.ballast) (life.ballast as { transfer?(length: number): ArrayBuffer }).transfer?.(0);
  life.ballast = undefined;
}

function giveBack({ account, backend }: Watch, buffer: DeviceBuffer): void {
  account.bytes -= buffer.bytes;
  account.storages--;
  backend.release(buffer);
}

/** Releases whatever belongs to lives that the collector has taken. */
function sweep(): void {
  for (let i = watches.length - 1; i >= 0; i--) {
    const watch = watches[i] as Watch;
    if (watch.life.deref() !== undefined) continue;
    for (const buffer of watch.members) if (buffer) giveBack(watch, buffer);
    unwatch(watch);
  }
}

// A finalizer on one object that is garbage from the start tells that the engine has collected of
// its own accord; one for each storage would cost more than a small operation.
let canaryArmed = false;
const canary = new FinalizationRegistry<undefined>(() => {
  canaryArmed = false;
  openLife = undefined;
  sweep();
  if (watches.length > 0) armCanary();
});

function armCanary(): void {
  if (canaryArmed) return;
  canaryArmed = true;
  canary.register({}, undefined);
}

interface Collector {
  collect(): void;
  /** Lets go of the objects that WeakRefs keep until the end of the job. */
  clearKept(): void;
}

let foundCollector: Collector | null | undefined;

/** A way to run the garbage collector, which Node has at run time and browsers have not. */
function collector(): Collector | undefined {
  if (foundCollector === undefined) foundCollector = findCollector() ?? null;
  return foundCollector ?? undefined;
}

function findCollector(): Collector | undefined {
  const v8 = builtinModule<typeof import('node:v8')>('node:v8');
  const vm = builtinModule<typeof import('node:vm')>('node:vm');
  if (!v8 || !vm) return undefined;
  try {
    v8.setFlagsFromString('--expose-gc');
    const gc = vm.runInNewContext('gc') as () => void;
    if (typeof gc !== 'function') return undefined;
    const empty = new vm.Script('0');
    const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
    const clearKept = () => void empty.runInContext(context);
    return {
      clearKept,
      collect: () => {
        clearKept();
        gc();
      },
    };
  } catch {
    return undefined;
  }
}

/** An ArrayBuffer of that size which is never touched, where it is the only way to make the engine see the bytes. */
function ballast(bytes: number): ArrayBuffer | undefined {
  if (bytes < 65536 || collector()) return undefined;
  try {
    return new ArrayBuffer(bytes);
  } catch {
    return undefined;
  }
}

let lastCollectionEnd = 0;
/** An account that is to shrink at the next `yieldToCollector`. */
let waiting: Account | undefined;

function pressed(account: Account): void {
  const begin = performance.now();
  if (!collectNow()) {
    // Nothing can be done before the next task; what was garbage before this budget should be gone by then.
    waiting = account;
    account.budget = maxBudget;
    account.floor = account.bytes - account.budget / 2;
    return;
  }
  const end = performance.now();
  // Collecting should take a few percent of the time, and more garbage is allowed where more is held.
  const share = (end - begin) / Math.max(end - lastCollectionEnd, 1e-3);
  if (share > 0.05) account.budget *= 2;
  else if (share < 0.01) account.budget /= 1.5;
  account.budget = Math.min(Math.max(account.budget, minBudget, account.bytes / 4), maxBudget);
  account.floor = account.bytes;
  lastCollectionEnd = end;
}

function collectNow(): boolean {
  const engine = collector();
  if (!engine) return false;
  openLife = undefined;
  engine.collect();
  sweep();
  return true;
}

/**
 * Runs the garbage collector where the platform allows (Node) and releases the memory of tensors that are gone.
 * Backends call it before giving up on an allocation.
 *
 * @returns whether a collection was run.
 */
export function collect(): boolean {
  const collected = collectNow();
  if (!collected) sweep();
  return collected;
}

/**
 * What tensors on `device` hold.
 *
 * @example memoryStats('cpu') // { bytes: 4096, peakBytes: 1048576, storages: 3 }
 * @see https://pytorch.org/docs/stable/generated/torch.cuda.memory_stats.html
 */
export function memoryStats(device: DeviceLike): MemoryStats {
  takes('memoryStats', signatures.memoryStats, arguments);
  const { bytes, peak, storages } = accountOf(Device.from(device).backend);
  return { bytes, peakBytes: peak, storages };
}

/** Starts the peak of `memoryStats` afresh from what is held now. */
export function resetPeakMemoryStats(device: DeviceLike): void {
  takes('resetPeakMemoryStats', signatures.resetPeakMemoryStats, arguments);
  const account = accountOf(Device.from(device).backend);
  account.peak = account.bytes;
}

let lastYield = 0;
let bytesSinceYield = 0;

/**
 * Lets the engine's own collections and finalizers run, which browsers do only between tasks. Cheap to call at
 * every batch: it waits for a new task after 64 MB of new tensors, and otherwise at most every 20 ms.
 */
export async function yieldToCollector(): Promise<void> {
  takes('yieldToCollector', signatures.yieldToCollector, arguments);
  const now = performance.now();
  if (now - lastYield < 20 && bytesSinceYield < minBudget) return;
  await nextTask();
  // Where collections cannot be asked for, untouched memory that is dropped at once brings them on.
  for (
    let round = 0;
    round < 16 && waiting !== undefined && waiting.bytes > waiting.floor;
    round++
  ) {
    ballast(2 ** 28);
    await new Promise((resolve) => setTimeout(resolve, round));
  }
  waiting = undefined;
  lastYield = performance.now();
  bytesSinceYield = 0;
}

function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };
  if (setImmediate) return new Promise((resolve) => void setImmediate(() => resolve()));
  // A message is a task of its own, and unlike a timer it is not held back by 4 ms.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
