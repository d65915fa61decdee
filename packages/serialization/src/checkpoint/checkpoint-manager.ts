import { takes } from '@sconce/core';
import { FileError } from '../errors.js';
import { nodeFs } from '../io/node.js';
import type { TransferOptions } from '../io/progress.js';
import { load } from '../load.js';
import type { MapLocation } from '../location.js';
import { beginSave, type SaveOptions, save } from '../save.js';
import * as signatures from '../signatures.js';
import {
  type Broken,
  CheckpointFolder,
  type CheckpointInfo,
  checkNotes,
  type Known,
  type Notes,
  notesKey,
} from './checkpoint-folder.js';
import { type CheckpointParts, devicesOf, restoreParts, statesOf } from './parts.js';
import { rngStates, setRngStates } from './rng-state.js';

/** Options of `CheckpointManager`. */
export interface CheckpointManagerOptions {
  /** How many of the newest checkpoints are kept; default 3. */
  keep?: number;
  /** Keeps the best checkpoint too: a metric of which less is better, or its name and the mode. */
  best?: string | { metric: string; mode?: 'min' | 'max' };
  /** What file names begin with; default `checkpoint`. */
  name?: string;
}

/** What is noted of a checkpoint beside its parts. */
export interface CheckpointOptions extends TransferOptions {
  /** Numbers it is judged by. */
  metrics?: Readonly<Record<string, number>>;
  /** As in `save`: whether objects of classes made known with `registerClass` are written as such; default false. */
  classes?: boolean;
}

/** What `restore` gives back. */
export interface Restored extends CheckpointInfo {
  /** All that was saved, by name; parts that hold state have taken theirs already. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Checkpoints that could not be read, and why. */
  readonly skipped: readonly Broken[];
}

/**
 * Checkpoints of one run, in a folder: keeps the newest and the best, and resumes exactly where a run stopped. Files are
 * PyTorch's `.pt`, written so that a crash or a kill at any moment leaves only whole ones. Node only.
 *
 * @example
 * const manager = new CheckpointManager('run', { keep: 3, best: 'loss' });
 * const parts = { model, optimizer, scheduler, loader };
 * const resumed = await manager.restore(parts);
 * for (let step = resumed?.step ?? 0; step < steps; step++) {
 *   const loss = trainStep();
 *   if ((step + 1) % 1000 === 0) await manager.saveAsync(step + 1, parts, { metrics: { loss } });
 * }
 * await manager.wait();
 */
export class CheckpointManager {
  readonly #folder: CheckpointFolder;
  readonly #keep: number;
  readonly #best: { readonly metric: string; readonly sign: 1 | -1 } | undefined;
  /** The end of what is being written. */
  #writing: Promise<void> = Promise.resolve();

  /** @throws FileError on options that make no sense, or where there are no folders (in browsers). */
  constructor(folder: string, options: CheckpointManagerOptions = {}) {
    takes('CheckpointManager', signatures.CheckpointManager, arguments);
    if (!nodeFs())
      throw new FileError(
        'CheckpointManager: needs a file system; in browsers use save() with an OPFS handle',
      );
    const { keep = 3, best, name = 'checkpoint' } = options;
    if (!Number.isInteger(keep) || keep < 1)
      throw new FileError(`CheckpointManager: keep must be at least 1, got ${keep}`);
    if (!/^[\w-]+$/.test(name))
      throw new FileError(`CheckpointManager: '${name}' is no beginning of a file name`);
    this.#folder = new CheckpointFolder(folder, name);
    this.#keep = keep;
    const { metric, mode = 'min' } =
      typeof best === 'string' ? { metric: best } : (best ?? { metric: '' });
    this.#best = best === undefined ? undefined : { metric, sign: mode === 'max' ? -1 : 1 };
  }

  /**
   * Saves the parts, the random state of every device, and the metrics; then removes checkpoints that are neither among the newest
   * nor the best. Resolves when all is on the disk.
   *
   * @param step how far the run has come; a later checkpoint of the same step replaces the earlier.
   * @throws FileError if a part cannot be saved, with the path to what cannot.
   */
  async save(
    step: number,
    parts: CheckpointParts,
    options: CheckpointOptions = {},
  ): Promise<CheckpointInfo> {
    takes('save', signatures.CheckpointManager_save, arguments);
    await this.wait();
    return this.#write(step, parts, options, save);
  }

  /**
   * As `save`, but resolves when the state is copied: training may go on while the file is written. One checkpoint is written at a time; a
   * call waits for the one before. What fails later is thrown by the next call or by `wait`.
   */
  async saveAsync(
    step: number,
    parts: CheckpointParts,
    options: CheckpointOptions = {},
  ): Promise<void> {
    takes('saveAsync', signatures.CheckpointManager_saveAsync, arguments);
    await this.wait();
    await new Promise<void>((resolve, reject) => {
      let copied = false;
      const write = (value: unknown, path: string, given: SaveOptions): Promise<void> => {
        const writing = beginSave(value, path, given);
        copied = true;
        resolve();
        return writing;
      };
      this.#writing = this.#write(step, parts, options, write).then(
        () => {},
        (error: unknown) => {
          // Once the copy is taken, whoever waits next is told.
          if (copied) throw error;
          reject(error);
        },
      );
      this.#writing.catch(() => {});
    });
  }

  /** Resolves when the last `saveAsync` is on the disk. @throws what made it fail. */
  async wait(): Promise<void> {
    const writing = this.#writing;
    this.#writing = Promise.resolve();
    await writing;
  }

  /** The checkpoints in the folder, oldest first. */
  async list(): Promise<CheckpointInfo[]> {
    return (await this.#folder.known()).map(({ path, step, metrics }) => ({ path, step, metrics }));
  }

  /** The newest checkpoint. */
  async latest(): Promise<CheckpointInfo | undefined> {
    return (await this.list()).at(-1);
  }

  /** The checkpoint with the best metric; the newer of two that are equal. */
  async best(): Promise<CheckpointInfo | undefined> {
    return this.#bestOf(await this.#folder.known());
  }

  /**
   * Puts the state of a checkpoint into the parts, and sets the random generators: the run continues as if it had not
   * stopped. A newest checkpoint that cannot be read is passed over for the one before, and told of in `skipped`.
   *
   * @param options.which the newest by default, the best, or that of a step.
   * @returns undefined if there is no checkpoint yet.
   * @throws FileError if none can be read, or lacks a part.
   */
  async restore(
    parts: CheckpointParts,
    options: { which?: 'latest' | 'best' | number; mapLocation?: MapLocation } = {},
  ): Promise<Restored | undefined> {
    takes('restore', signatures.CheckpointManager_restore, arguments);
    await this.wait();
    const { which = 'latest', mapLocation } = options;
    const candidates = await this.#candidates(which);
    const skipped: Broken[] = which === 'latest' ? [...this.#folder.broken] : [];
    for (const { path } of candidates) {
      let saved: Record<string, unknown>;
      try {
        saved = await load<Record<string, unknown>>(
          path,
          mapLocation === undefined ? {} : { mapLocation },
        );
      } catch (error) {
        skipped.push({ path, error: error as Error });
        continue;
      }
      const { [notesKey]: own, ...values } = saved;
      const { step, metrics, rng } = checkNotes(path, own);
      restoreParts(parts, values);
      setRngStates(rng);
      return { path, step, metrics, values, skipped };
    }
    const [first] = skipped;
    if (first) {
      throw new FileError(
        `restore: no checkpoint in ${this.#folder.path} can be read: ${first.error.message}`,
      );
    }
    return undefined;
  }

  /** Checkpoints to try, in order. */
  async #candidates(which: 'latest' | 'best' | number): Promise<CheckpointInfo[]> {
    const known = await this.#folder.known();
    if (which === 'latest') return known.reverse();
    if (which === 'best') {
      const best = this.#bestOf(known);
      return best ? [best] : [];
    }
    const found = known.find(({ step }) => step === which);
    if (!found) {
      const there = known.map(({ step }) => step).join(', ') || 'none';
      throw new FileError(`restore: there is no checkpoint of step ${which} (there are: ${there})`);
    }
    return [found];
  }

  #bestOf(known: readonly Known[]): Known | undefined {
    if (!this.#best) return undefined;
    const { metric, sign } = this.#best;
    let best: Known | undefined;
    for (const each of known) {
      const value = each.metrics[metric];
      if (value === undefined || Number.isNaN(value)) continue;
      if (!best || sign * value <= sign * (best.metrics[metric] as number)) best = each;
    }
    return best;
  }

  async #write(
    step: number,
    parts: CheckpointParts,
    { metrics = {}, ...transfer }: CheckpointOptions,
    write: (value: unknown, path: string, options: SaveOptions) => Promise<void>,
  ): Promise<CheckpointInfo> {
    if (!Number.isSafeInteger(step) || step < 0) throw new FileError(`save: ${step} is no step`);
    if (notesKey in parts) throw new FileError(`save: a part may not be named '${notesKey}'`);
    const metric = this.#best?.metric;
    if (metric !== undefined && !(metric in metrics)) {
      throw new FileError(
        `save: the best checkpoint is judged by '${metric}'; pass { metrics: { ${metric}: ... } }`,
      );
    }
    const before = await this.#folder.known();
    this.#folder.create();
    const path = this.#folder.fileOf(step);
    const sequence = (before.at(-1)?.sequence ?? -1) + 1;
    // From here to the first wait inside of `write` everything is of one moment.
    const states = statesOf(parts);
    const own: Notes = {
      step,
      sequence,
      metrics: { ...metrics },
      rng: rngStates(devicesOf(states)),
    };
    await write({ ...states, [notesKey]: own }, path, { ...transfer, format: 'torch' });
    const info: Known = { path, step, metrics: own.metrics, sequence };
    await this.#folder.add(info, (known) => this.#kept(known));
    return { path, step, metrics: own.metrics };
  }

  #kept(known: readonly Known[]): Set<Known> {
    const kept = new Set(known.slice(-this.#keep));
    const best = this.#bestOf(known);
    if (best) kept.add(best);
    return kept;
  }
}
