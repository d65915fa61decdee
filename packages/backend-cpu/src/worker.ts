/** Places in the control block, as numbers of int32; what different threads write lies in different cache lines. */
export interface ControlLayout {
  readonly epoch: number;
  readonly open: number;
  /** The number of the next piece. */
  readonly next: number;
  /** Where each thread says that it is inside a task, and how far apart these places lie. */
  readonly inside: number;
  readonly insideStep: number;
  readonly waiting: number;
  readonly rest: number;
  readonly sleepers: number;
  readonly limit: number;
  readonly mail: number;
  readonly task: number;
  readonly args: number;
  readonly count: number;
  readonly grain: number;
  readonly pieces: number;
  /** A number that no piece has. */
  readonly noPiece: number;
  readonly failed: number;
  readonly messageLength: number;
  readonly message: number;
  readonly messageBytes: number;
  /** Its length. */
  readonly words: number;
}

/** The first thing a worker is told. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  readonly layout: ControlLayout;
  /** Its number, from 1; the caller is thread 0. */
  readonly thread: number;
  readonly spins: number;
}

/** What a worker is told later: functions to add to its table, by number. */
export interface WorkerMail {
  readonly module?: WebAssembly.Module;
  /** Exports of the module, and the numbers they get. */
  readonly exports?: readonly (readonly [name: string, id: number])[];
  /** One of the library's scripts, and the number its task gets. */
  readonly script?: { readonly name: string; readonly id: number; readonly options: unknown };
}

/** Makes a task; undefined where it cannot run. Goes to workers as text, so it may refer to nothing outside itself. */
export type Script = (tools: WorkerTools) => Task | undefined;

/** Code that workers have from the start, all of it as text, since a page's policy may forbid evaluating more. */
export interface WorkerLibrary {
  readonly scripts: Readonly<Record<string, Script>>;
  /** What modules import as `math`. */
  readonly math: Readonly<Record<string, (x: number, y: number) => number>>;
}

/** Runs the items from `begin` to `end` of what `args` points to. */
export type Task = (args: number, begin: number, end: number, thread: number) => void;

/** What a script task is given. */
export interface WorkerTools {
  readonly memory: WebAssembly.Memory;
  readonly tasks: readonly (Task | undefined)[];
  readonly options: unknown;
  /** Node's `require`; undefined in browsers. */
  readonly require: ((name: string) => unknown) | undefined;
}

/**
 * The code of a worker. It is sent as text, so it may refer to nothing outside itself.
 *
 * Commands come through the control block: spin for a while, then sleep. While it sleeps a worker gets no messages, so
 * `mail` in the control block tells it to go back to its event loop and fetch them.
 */
export function workerMain(
  receive: (listener: (message: unknown) => void) => void,
  require: ((name: string) => unknown) | undefined,
  { scripts, math }: WorkerLibrary,
): void {
  const tasks: (Task | undefined)[] = [];
  let start: WorkerStart | undefined;
  let control = new Int32Array(0);
  let read = 0;

  const fail = (error: unknown, c: Int32Array, at: ControlLayout): void => {
    const text = error instanceof Error ? error.message : String(error);
    if (Atomics.compareExchange(c, at.failed, 0, 1) === 0) {
      const length = Math.min(text.length, at.messageBytes);
      const bytes = new Uint8Array(c.buffer, c.byteOffset + at.message * 4, length);
      for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i) & 0x7f;
      Atomics.store(c, at.messageLength, length);
    }
    Atomics.store(c, at.next, at.noPiece);
  };

  /** Serves commands until there is mail. */
  const serve = ({ layout: at, thread, spins }: WorkerStart): void => {
    const c = control;
    const inside = at.inside + thread * at.insideStep;
    let seen = Atomics.load(c, at.epoch) - 1;
    for (;;) {
      let left = spins;
      while (Atomics.load(c, at.epoch) === seen) {
        if (--left > 0 && Atomics.load(c, at.rest) === 0) continue;
        Atomics.add(c, at.sleepers, 1);
        Atomics.wait(c, at.epoch, seen);
        Atomics.sub(c, at.sleepers, 1);
      }
      seen = Atomics.load(c, at.epoch);
      Atomics.store(c, inside, 1);
      if (Atomics.load(c, at.open) === 1 && thread < Atomics.load(c, at.limit)) {
        const task = tasks[Atomics.load(c, at.task)];
        if (task) {
          const args = Atomics.load(c, at.args);
          const count = Atomics.load(c, at.count);
          const grain = Atomics.load(c, at.grain);
          const pieces = Atomics.load(c, at.pieces);
          try {
            for (;;) {
              const piece = Atomics.add(c, at.next, 1);
              if (piece >= pieces) break;
              const begin = piece * grain;
              task(args, begin, Math.min(begin + grain, count), thread);
            }
          } catch (error) {
            fail(error, c, at);
          }
        }
      }
      Atomics.store(c, inside, 0);
      if (Atomics.load(c, at.waiting) === 1) Atomics.notify(c, inside);
      if (Atomics.load(c, at.mail) !== read) return;
    }
  };

  const accept = (mail: WorkerMail, { memory }: WorkerStart): void => {
    if (mail.module) {
      const instance = new WebAssembly.Instance(mail.module, { env: { memory }, math });
      for (const [name, id] of mail.exports ?? []) tasks[id] = instance.exports[name] as Task;
    }
    if (mail.script) {
      const { name, id, options } = mail.script;
      tasks[id] = scripts[name]?.({ memory, tasks, options, require });
    }
  };

  receive((message) => {
    if (!start) {
      start = message as WorkerStart;
      control = new Int32Array(start.memory.buffer, 0, start.layout.words);
    } else {
      // A worker that cannot take a task leaves it to the others.
      try {
        accept(message as WorkerMail, start);
      } catch {}
      read++;
    }
    if (Atomics.load(control, start.layout.mail) === read) serve(start);
  });
}
