import { type Device, keep, Tensor } from '@sconce/core';
import { decodeBatch, openSlot, releaseSlots, type Slot } from './batch-transport.js';
import { toDevice } from './device-upload.js';
import type { FromWorker, Leaf, Start, Tree } from './protocol.js';
import type { Plan } from './recipe.js';
import { type NodeWorkerOptions, openThread, type Thread } from './thread.js';
import { DataWorkerError, type ErrorReport } from './worker-error.js';

/** What all workers of a pool are told alike. */
export type Common = Omit<Start, 'kind' | 'id' | 'recipe' | 'state' | 'lock'>;

export interface PoolSettings {
  readonly plan: Plan;
  readonly common: Common;
  /** Batches under way for each worker. */
  readonly prefetch: number;
  /** Milliseconds to wait for a batch; 0 for ever. */
  readonly timeout: number;
  readonly device: Device | undefined;
  readonly workerOptions: NodeWorkerOptions;
  /** Where the generator of each worker continues. */
  readonly states: readonly (Uint8Array | undefined)[];
}

type Reply =
  | { kind: 'batch'; tree: Tree; leaves: readonly Leaf[]; state: Uint8Array | undefined }
  | { kind: 'uploaded'; batch: unknown; state: Uint8Array | undefined }
  | { kind: 'end' }
  | { kind: 'failed'; error: Error };

interface Task {
  readonly worker: Member;
  readonly rows: number;
  readonly slots: readonly (Slot | undefined)[];
  reply: Reply | undefined;
  /** Whether its pass was given up, so that nobody waits for the batch. */
  stale: boolean;
  wake: (() => void) | undefined;
}

interface Member {
  readonly id: number;
  readonly thread: Thread;
  /** What waits for the worker to be ready. */
  queue: (() => void)[] | undefined;
  /** Whether it has more to give in this pass. */
  active: boolean;
  death: DataWorkerError | undefined;
  /** The state of its generator after the last batch that was given out. */
  state: Uint8Array | undefined;
}

/** How long a worker may take to load its module. */
const startMs = 60_000;

/** The workers of a `DataLoader`: they make batches ahead of the loop, which gets them in order. */
export class WorkerPool {
  readonly #settings: PoolSettings;
  readonly #members: Member[] = [];
  readonly #tasks = new Map<number, Task>();
  /** What the tensors of batches have been like: the size of slots to offer. */
  #expected: readonly { leaf: Leaf; rows: number }[] = [];
  #indices: Iterator<readonly number[] | number> | undefined;
  #sent = 0;
  #received = 0;
  #outstanding = 0;
  #turn = 0;
  #closed: Promise<void> | undefined;
  readonly #startTimers = new Set<ReturnType<typeof setTimeout>>();

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    try {
      for (let id = 0; id < settings.common.numWorkers; id++) this.#members.push(this.#open(id));
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** The states of the workers' generators after the last batches given out. */
  get states(): (Uint8Array | undefined)[] {
    return this.#members.map((m) => m.state);
  }

  /** Whether a pass is under way. */
  get busy(): boolean {
    return this.#indices !== undefined;
  }

  /** Whether all workers live. */
  get healthy(): boolean {
    return !this.#closed && this.#members.every((m) => !m.death);
  }

  /**
   * Starts a pass: requests go out at once, as many as may be under way.
   *
   * @param again whether the workers have made a pass before.
   * @param turn which worker is the first.
   */
  begin(indices: Iterator<readonly number[] | number>, again: boolean, turn: number): void {
    this.#indices = indices;
    this.#received = this.#sent;
    this.#outstanding = 0;
    this.#turn = turn;
    for (const member of this.#members) {
      member.active = true;
      if (again && this.#settings.common.iterable)
        this.#post(member, () => member.thread.post({ kind: 'restart' }));
    }
    const ahead = this.#settings.prefetch * this.#members.length;
    for (let i = 0; i < ahead; i++) this.#request();
  }

  /** The next batch in order. @throws DataWorkerError; the pool is of no use then. */
  async next(): Promise<{ batch: unknown } | undefined> {
    for (;;) {
      const task = this.#tasks.get(this.#received);
      if (!task) {
        this.#finish();
        return undefined;
      }
      if (!task.reply) {
        // Only who waits for a batch keeps the process alive, not who has left the loop without a word.
        const { thread } = task.worker;
        thread.hold(true);
        try {
          await this.#wait(task);
        } finally {
          thread.hold(false);
        }
      }
      const reply = task.reply as unknown as Reply;
      this.#tasks.delete(this.#received++);
      if (reply.kind === 'end') continue;
      if (reply.kind === 'failed') throw reply.error;
      if (reply.state) task.worker.state = reply.state;
      const batch =
        reply.kind === 'uploaded' ? reply.batch : decodeBatch(reply.tree, reply.leaves, task.slots);
      this.#request();
      return { batch };
    }
  }

  /** Gives up what is left of a pass; what workers have in hand is dropped when it arrives. */
  abandon(): void {
    this.#indices?.return?.();
    for (const [number, task] of this.#tasks) {
      task.stale = true;
      if (!task.reply) continue;
      this.#discard(task);
      this.#tasks.delete(number);
    }
    this.#finish();
  }

  /**
   * Ends the workers and gives their memory back. Resolves when that is done; in browsers, which do not tell when a
   * worker has stopped, the memory that one may be writing to follows a little later.
   */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    for (const timer of this.#startTimers) clearTimeout(timer);
    this.#indices?.return?.();
    this.#indices = undefined;
    const ends = this.#members.map((m) => m.thread.end());
    const written = [...this.#tasks.values()].some((task) => !task.reply);
    const clear = () => {
      for (const task of this.#tasks.values()) this.#discard(task);
      this.#tasks.clear();
    };
    await Promise.all(ends.map((end) => end.terminated));
    // Only now no one can be writing to the slots.
    if (written) void Promise.all(ends.map((end) => end.surelyGone)).then(clear);
    else clear();
  }

  #finish(): void {
    this.#indices = undefined;
  }

  #discard(task: Task): void {
    releaseSlots(task.slots);
    if (task.reply?.kind === 'uploaded') disposeAll(task.reply.batch);
  }

  #open(id: number): Member {
    const { plan, common, workerOptions, states } = this.#settings;
    const origin = plan.origins[0];
    const lock = globalThis.navigator?.locks
      ? `sconce-data-${Math.random().toString(36).slice(2)}`
      : undefined;
    const thread = openThread(origin, workerOptions, {
      receive: (message) => this.#receive(member, message, lock),
      died: (what, report) => this.#died(member, what, report),
    });
    const member: Member = {
      id,
      thread,
      queue: [],
      active: true,
      death: undefined,
      state: undefined,
    };
    const timer = setTimeout(
      () =>
        this.#died(
          member,
          `did not start within ${startMs / 1000} s; its module must call defineDataset at its top level`,
        ),
      startMs,
    );
    (timer as { unref?(): unknown }).unref?.();
    this.#startTimers.add(timer);
    this.#post(member, () => {
      clearTimeout(timer);
      const seed = common.seed + BigInt(id);
      const { recipe } = plan;
      thread.post({ kind: 'start', ...common, id, seed, recipe, state: states[id], lock });
    });
    return member;
  }

  /** Does something when the worker listens. */
  #post(member: Member, act: () => void): void {
    if (member.queue) member.queue.push(act);
    else act();
  }

  #receive(member: Member, message: FromWorker, lock: string | undefined): void {
    switch (message.kind) {
      case 'ready': {
        const queue = member.queue ?? [];
        member.queue = undefined;
        try {
          for (const act of queue) act();
        } catch (error) {
          this.#died(member, 'could not be told what to load', {
            name: 'DataCloneError',
            message: `${(error as Error).message}; the arguments of a defined dataset and the elements of arrays must be plain data`,
            stack: (error as Error).stack,
            index: undefined,
          });
        }
        return;
      }
      case 'held':
        if (lock) member.thread.watch(lock);
        return;
      case 'started':
        member.state = message.state;
        return;
      case 'batch':
        this.#arrived(message);
        return;
      case 'end': {
        const stale = this.#tasks.get(message.task)?.stale;
        this.#settle(message.task, { kind: 'end' });
        if (stale) return;
        member.active = false;
        this.#request();
        return;
      }
      case 'error':
        if (message.task === undefined) {
          this.#died(member, 'could not start', message.error);
          return;
        }
        this.#settle(message.task, {
          kind: 'failed',
          error: new DataWorkerError(member.id, 'failed', message.error),
        });
    }
  }

  #arrived(message: Extract<FromWorker, { kind: 'batch' }>): void {
    const task = this.#tasks.get(message.task);
    if (!task) return;
    if (task.stale) {
      this.#settle(message.task, { kind: 'end' });
      return;
    }
    const { tree, leaves, state } = message;
    this.#expected = leaves.map((leaf) => ({ leaf, rows: task.rows }));
    const { device } = this.#settings;
    if (!device) {
      this.#settle(message.task, { kind: 'batch', tree, leaves, state });
      return;
    }
    try {
      const batch = toDevice(decodeBatch(tree, leaves, task.slots), device);
      // It was made ahead of the loop, in nobody's tidy().
      forEachTensor(batch, keep);
      this.#settle(message.task, { kind: 'uploaded', batch, state });
    } catch (error) {
      this.#settle(message.task, { kind: 'failed', error: error as Error });
    }
  }

  #settle(number: number, reply: Reply): void {
    const task = this.#tasks.get(number);
    if (!task || task.reply) return;
    if (task.stale) {
      this.#discard(task);
      this.#tasks.delete(number);
      return;
    }
    this.#outstanding--;
    task.reply = reply;
    task.wake?.();
  }

  #died(member: Member, what: string, report?: ErrorReport): void {
    if (member.death || this.#closed) return;
    member.death = new DataWorkerError(member.id, what, report);
    member.active = false;
    for (const [number, task] of this.#tasks) {
      if (task.worker === member) this.#settle(number, { kind: 'failed', error: member.death });
    }
  }

  #request(): void {
    if (!this.#indices) return;
    const { prefetch } = this.#settings;
    const count = this.#members.length;
    // As PyTorch: the next worker in turn that has something left, without looking at who is free.
    let member: Member | undefined;
    for (let i = 0; i < count && !member; i++) {
      const candidate = this.#members[this.#turn++ % count] as Member;
      if (candidate.active || candidate.death) member = candidate;
    }
    if (!member || this.#outstanding >= prefetch * count) return;
    const next = this.#indices.next();
    if (next.done) return;
    const indices = next.value;
    const { batched } = this.#settings.common;
    const rows = !batched ? -1 : typeof indices === 'number' ? indices : indices.length;
    const slots = this.#openSlots(rows);
    const number = this.#sent++;
    const task: Task = {
      worker: member,
      rows,
      slots,
      reply: undefined,
      stale: false,
      wake: undefined,
    };
    this.#tasks.set(number, task);
    this.#outstanding++;
    if (member.death) {
      this.#settle(number, { kind: 'failed', error: member.death });
      return;
    }
    const { thread } = member;
    this.#post(member, () =>
      thread.post({
        kind: 'fetch',
        task: number,
        indices,
        slots: slots.flatMap((s) => (s ? [{ dtype: s.dtype, data: s.mapped }] : [])),
      }),
    );
  }

  #openSlots(rows: number): (Slot | undefined)[] {
    const slots: (Slot | undefined)[] = [];
    for (const { leaf, rows: before } of this.#expected) {
      const [first, ...rest] = leaf.shape;
      const scaled = first !== undefined && first === before ? [rows, ...rest] : leaf.shape;
      const slot = openSlot(
        leaf.dtype,
        scaled.reduce((a, b) => a * b, 1),
      );
      // They are known by their place, so none is left out in between.
      if (!slot) break;
      slots.push(slot);
    }
    return slots;
  }

  async #wait(task: Task): Promise<void> {
    const { timeout } = this.#settings;
    await new Promise<void>((resolve, reject) => {
      const timer =
        timeout > 0
          ? setTimeout(
              () =>
                reject(
                  new DataWorkerError(
                    task.worker.id,
                    `gave no batch: timed out after ${timeout / 1000} s`,
                  ),
                ),
              timeout,
            )
          : undefined;
      task.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Every tensor of a batch. */
function forEachTensor(value: unknown, act: (t: Tensor) => void): void {
  if (value instanceof Tensor) act(value);
  else if (Array.isArray(value)) for (const x of value) forEachTensor(x, act);
  else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value))
    for (const x of Object.values(value)) forEachTensor(x, act);
}

const disposeAll = (batch: unknown): void => forEachTensor(batch, (t) => t.dispose());
