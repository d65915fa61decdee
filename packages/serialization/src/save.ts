import { Tensor, takes } from '@sconce/core';
import { isStateful } from './classes.js';
import { FileError, quote } from './errors.js';
import { type Contents, contentsOf, snapshotOf } from './io/contents.js';
import { Meter, type TransferOptions } from './io/progress.js';
import { type FileTarget, MemorySink, openSink, type Sink, writeWhole } from './io/sink.js';
import type { MapLocation } from './location.js';
import { npyArray } from './numpy/write.js';
import type { FileFormat } from './options.js';
import { writeSharded } from './safetensors/sharded.js';
import { planBytes, planSafetensors, writeSafetensors } from './safetensors/write.js';
import * as signatures from './signatures.js';
import { tensorsOf } from './tensors-of.js';
import { encodeTorch } from './torch/encoder.js';
import { writeTorchLegacy, writeTorchZip } from './torch/write.js';
import { ZipWriter } from './zip/writer.js';

/** Options of `serialize`. */
export interface SerializeOptions extends TransferOptions {
  /** Default: by the ending of the name, and safetensors where there is none. */
  format?: FileFormat;
  /** Texts kept in a safetensors file, beside `format: 'pt'`. */
  metadata?: Readonly<Record<string, string>>;
  /** Whether arrays of a `.npz` file are deflated; default false. */
  compress?: boolean;
  /** What devices are called in a PyTorch file, so that it is loaded there: `'cuda:0'`. */
  mapLocation?: MapLocation;
  /**
   * Whether objects of classes made known with `registerClass` are written to a PyTorch file as such, by name; default false: objects with
   * `stateDict()` are written as that, which `torch.load` and `loadStateDict` take.
   */
  classes?: boolean;
}

/** Options of `save`. */
export interface SaveOptions extends SerializeOptions {
  /** Splits safetensors into files of at most about this many bytes, with an index; the target is then a path. */
  maxShardBytes?: number;
}

/**
 * Writes values to a file: tensors by name to safetensors (the default) or `.npz`, one tensor to `.npy`, and to PyTorch's
 * `.pt` (`.pth`, `.pkl`, `.tar`, `.model`, `.ckpt`, `.bin`) whatever `torch.save` could write: nested Maps, objects, arrays, numbers and
 * texts, with tensors that share memory kept together. Objects with `stateDict()` are saved as that; with `{ classes: true }` those of classes that
 * `registerClass` made known are saved whole.
 *
 * On a disk the file is replaced at once when it is whole: a crash leaves the old one or the new one. Values must not
 * change until the promise resolves; `saveAsync` lifts that.
 *
 * In PyTorch's files a Map becomes an OrderedDict, an object a dict (keys that are whole numbers become ints), an array a list, a
 * `Tuple` a tuple, a whole number an int (`float(1)` for a float).
 *
 * @throws FileError on what the format cannot hold, with the path to it; a name whose ending tells no format; a target that is no file or cannot be written.
 * @see https://pytorch.org/docs/stable/generated/torch.save.html
 * @example
 * await save(model.stateDict(), 'model.safetensors');
 * await save({ epoch, model, optimizer }, 'checkpoint.pt');
 */
export async function save(
  value: unknown,
  target: FileTarget,
  options: SaveOptions = {},
): Promise<void> {
  takes('save', signatures.save, arguments);
  await writeTo(target, planFor(value, target, options, false), options);
}

/**
 * As `save`, of the values as they are at the call: they may change while the file is written. Tensors are copied before
 * this returns (on the device where it cannot be read at once), so memory for a second set of them must be there.
 *
 * @returns a promise that resolves when the file is whole and durable.
 * @example
 * const saving = saveAsync({ model, optimizer }, 'checkpoint.pt');
 * train();
 * await saving;
 */
export async function saveAsync(
  value: unknown,
  target: FileTarget,
  options: SaveOptions = {},
): Promise<void> {
  takes('saveAsync', signatures.saveAsync, arguments);
  await beginSave(value, target, options);
}

/**
 * @internal Copies the values now, and writes them from here on.
 * @throws FileError at once, on what the format cannot hold.
 */
export function beginSave(value: unknown, target: FileTarget, options: SaveOptions): Promise<void> {
  return writeTo(target, planFor(value, target, options, true), options);
}

/**
 * As `save`, into memory: for downloads, uploads and databases.
 *
 * @throws FileError on what the format cannot hold.
 * @example new Blob([await serialize(model.stateDict())]);
 */
export async function serialize(
  value: unknown,
  options: SerializeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  takes('serialize', signatures.serialize, arguments);
  const sink = new MemorySink();
  await planFor(value, undefined, options, false).write(sink);
  return sink.bytes();
}

/** A file before it is written. */
interface Plan {
  readonly write: (sink: Sink) => Promise<void>;
  /** Writes several files instead, where the options ask for it. */
  readonly shard?: (path: string) => Promise<void>;
}

async function writeTo(
  target: FileTarget,
  plan: Plan,
  { maxShardBytes }: SaveOptions,
): Promise<void> {
  if (maxShardBytes !== undefined) {
    if (!plan.shard || typeof target !== 'string') {
      throw new FileError(
        'save: maxShardBytes is for safetensors on a disk; pass a path that ends in .safetensors',
      );
    }
    return plan.shard(target);
  }
  await writeWhole(await openSink(target), plan.write);
}

/** The endings of names that tell a format. */
const endings: Readonly<Record<FileFormat, readonly string[]>> = {
  safetensors: ['.safetensors'],
  torch: ['.pt', '.pth', '.pkl', '.pickle', '.tar', '.model', '.ckpt', '.bin'],
  'torch-legacy': [],
  npy: ['.npy'],
  npz: ['.npz'],
};

/**
 * The format that a target's name tells; safetensors for one without an ending.
 *
 * @throws FileError if the ending is that of none.
 */
function formatFor(target: FileTarget | undefined): FileFormat {
  const name =
    typeof target === 'string'
      ? target
      : target instanceof URL
        ? target.pathname
        : ((target as { name?: unknown } | undefined)?.name ?? '');
  const ending = /[^/\\](\.[^./\\]*)$/.exec(String(name))?.[1]?.toLowerCase();
  if (ending === undefined) return 'safetensors';
  const formats = Object.keys(endings) as FileFormat[];
  const found = formats.find((format) => endings[format].includes(ending));
  if (found) return found;
  const known = formats
    .filter((format) => endings[format].length > 0)
    .map((format) => `${endings[format].join(', ')} for '${format}'`);
  throw new FileError(
    `save: the ending ${quote(ending)} tells no format; end the name in one that does (${known.join('; ')}), or pass the format: { format: 'torch' }`,
  );
}

function planFor(
  value: unknown,
  target: FileTarget | undefined,
  options: SaveOptions,
  snapshot: boolean,
): Plan {
  options.signal?.throwIfAborted();
  const format = options.format ?? formatFor(target);
  switch (format) {
    case 'torch':
    case 'torch-legacy':
      return planTorch(value, format === 'torch-legacy', options, snapshot);
    case 'npy':
      return planNpy(value, options, snapshot);
    case 'npz':
      return planNpz(value, options, snapshot);
    case 'safetensors': {
      const metadata = { format: 'pt', ...options.metadata };
      const plan = planSafetensors(tensorsOf(value, 'safetensors'), metadata, snapshot);
      const meter = new Meter(options, planBytes(plan));
      return {
        write: (sink) => writeSafetensors(sink, plan, meter),
        shard: (path) =>
          writeSharded(path, plan, options.maxShardBytes ?? Number.POSITIVE_INFINITY, meter),
      };
    }
    default:
      throw new FileError(
        `save: the format ${String(format)} is not known (known: ${Object.keys(endings).join(', ')})`,
      );
  }
}

const sum = (contents: readonly Contents[]): number =>
  contents.reduce((n, { bytes }) => n + bytes, 0);

function planTorch(value: unknown, legacy: boolean, options: SaveOptions, snapshot: boolean): Plan {
  const encoded = encodeTorch(value, {
    legacy,
    mapLocation: options.mapLocation,
    classes: options.classes,
  });
  const contents = encoded.storages.map(snapshot ? snapshotOf : contentsOf);
  const meter = new Meter(options, sum(contents));
  const write = legacy ? writeTorchLegacy : writeTorchZip;
  return { write: (sink) => write(sink, encoded, contents, meter) };
}

function planNpy(value: unknown, options: SaveOptions, snapshot: boolean): Plan {
  if (!(value instanceof Tensor)) {
    const given = isStateful(value) || value instanceof Map ? '; for several use .npz' : '';
    throw new FileError(`save: a .npy file holds one tensor${given}`);
  }
  const { header, contents } = npyArray(value, snapshot);
  const meter = new Meter(options, contents.bytes);
  return {
    async write(sink) {
      await sink.write(header);
      await contents.forEach(async (piece) => {
        await sink.write(piece);
        meter.add(piece.length);
      });
    },
  };
}

function planNpz(value: unknown, options: SaveOptions, snapshot: boolean): Plan {
  const arrays = [...tensorsOf(value, '.npz')].map(
    ([name, tensor]) => [name, npyArray(tensor, snapshot)] as const,
  );
  const meter = new Meter(options, sum(arrays.map(([, { contents }]) => contents)));
  return {
    async write(sink) {
      const zip = new ZipWriter(sink);
      for (const [name, { header, contents }] of arrays) {
        const produce = async (write: (bytes: Uint8Array) => Promise<void>): Promise<void> => {
          await write(header);
          await contents.forEach(async (piece) => {
            await write(piece);
            meter.add(piece.length);
          });
        };
        if (options.compress) {
          const whole = new MemorySink();
          await produce((bytes) => whole.write(bytes));
          await zip.add(`${name}.npy`, whole.bytes(), { compress: true });
        } else await zip.addStream(`${name}.npy`, header.length + contents.bytes, produce);
      }
      await zip.finish();
    },
  };
}
