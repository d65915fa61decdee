import {
  contiguousStrides,
  type Device,
  type DType,
  itemSize,
  Storage,
  type Tensor,
  takes,
} from '@sconce/core';
import { FileError, quote } from './errors.js';
import { detectFormat } from './format.js';
import { fillAll } from './io/fill.js';
import { type FileSource, openSource, type Source } from './io/source.js';
import { placeFor } from './location.js';
import { readNpyHeader } from './numpy/header.js';
import { entrySource, npzBudget, npzEntries, readNpzArray } from './numpy/read.js';
import type { LoadOptions } from './options.js';
import { readHeader, type TensorInfo } from './safetensors/header.js';
import {
  headerBudget,
  openShard,
  prepareTensor,
  readIndex,
  secondNames,
} from './safetensors/read.js';
import * as signatures from './signatures.js';
import { TorchZip, torchRoot } from './torch/read-zip.js';
import { tensorNodes } from './torch/tensor-nodes.js';
import { checkedView } from './view.js';
import { ZipReader } from './zip/reader.js';

/** One tensor of an open file, not read yet. */
interface Entry {
  readonly dtype: DType | undefined;
  readonly shape: readonly number[];
  read(options: LoadOptions): Promise<Tensor>;
  /** Where its elements lie in row-major order, if they do. */
  readonly rows?: {
    readonly source: Source;
    readonly offset: number;
    readonly bigEndian?: boolean;
  };
}

/** What is known of a tensor before it is read. */
export interface TensorDescription {
  /** Undefined for element types that have no dtype here. */
  readonly dtype: DType | undefined;
  readonly shape: readonly number[];
}

/**
 * An open file of which tensors are read one by one: `openTensors` gives it. Close it, or declare it with `await using`.
 */
export class TensorFile {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #sources: readonly Source[];
  readonly #options: LoadOptions;
  /** Texts that a safetensors file carries. */
  readonly metadata: Readonly<Record<string, string>>;

  /** @internal */
  constructor(
    entries: ReadonlyMap<string, Entry>,
    sources: readonly Source[],
    options: LoadOptions,
    metadata: Readonly<Record<string, string>> = {},
  ) {
    this.#entries = entries;
    this.#sources = sources;
    this.#options = options;
    this.metadata = metadata;
  }

  /** The names of its tensors, in order. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** @throws FileError if there is no tensor of that name. */
  describe(name: string): TensorDescription {
    const { dtype, shape } = this.#entry(name);
    return { dtype, shape };
  }

  /**
   * Reads one tensor.
   *
   * @throws FileError if there is none of that name, or its bytes are damaged.
   */
  get(name: string): Promise<Tensor> {
    return this.#entry(name).read(this.#options);
  }

  /**
   * Reads part of a tensor along its first dimension; nothing else is read where its rows lie one after another.
   *
   * @param start first row; @param end one past the last. Shape: `[end - start, ...]`.
   * @throws FileError if the rows are not there.
   * @example const words = await file.rows('embed.weight', 1000, 2000);
   */
  async rows(name: string, start: number, end: number): Promise<Tensor> {
    const entry = this.#entry(name);
    const [size, ...rest] = entry.shape;
    const inside =
      size !== undefined &&
      [start, end].every(Number.isInteger) &&
      0 <= start &&
      start <= end &&
      end <= size;
    if (!inside) {
      throw new FileError(
        `rows: ${quote(name)} of shape [${entry.shape.join(', ')}] has no rows ${start} to ${end}`,
      );
    }
    if (!entry.rows || !entry.dtype) {
      const whole = await entry.read(this.#options);
      const part = whole
        .detach()
        .narrow(0, start, end - start)
        .contiguous()
        .clone();
      whole.dispose();
      return part;
    }
    const { source, offset, bigEndian } = entry.rows;
    const width = rest.reduce((n, d) => n * d, 1);
    const storage = new Storage(await placeOf(this.#options), entry.dtype, (end - start) * width);
    const from = offset + start * width * itemSize(entry.dtype);
    await fillAll([{ storage, source, offset: from, bigEndian }], this.#options);
    const shape = [end - start, ...rest];
    return checkedView(source.name, storage, shape, contiguousStrides(shape), 0);
  }

  /**
   * Reads several tensors, all by default.
   *
   * @example model.loadStateDict(await file.load(file.names.filter((n) => !n.startsWith('head.'))), { strict: false });
   */
  async load(names: Iterable<string> = this.#entries.keys()): Promise<Map<string, Tensor>> {
    const state = new Map<string, Tensor>();
    for (const name of names) state.set(name, await this.get(name));
    return state;
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new FileError(`the file has no tensor ${quote(name)}`);
    return entry;
  }

  /** Closes what was opened for it. */
  async close(): Promise<void> {
    for (const source of this.#sources) await source.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const placeOf = (options: LoadOptions): Promise<Device> => placeFor('cpu', options.mapLocation);

/**
 * Opens a file of tensors without reading them: safetensors (one file or an index of several), PyTorch's `.pt` (tensors by
 * their paths, joined with dots) or `.npz`.
 *
 * @throws FileError if the file is damaged, or of another format.
 * @example
 * await using file = await openTensors('model.safetensors');
 * const embed = await file.get('embed.weight');
 */
export async function openTensors(
  source: FileSource,
  options: LoadOptions = {},
): Promise<TensorFile> {
  takes('openTensors', signatures.openTensors, arguments);
  const opened = await openSource(source);
  const sources = [opened];
  try {
    const format = await detectFormat(opened);
    if (format === 'safetensors') return await openSafetensors(opened, options);
    if (format === 'index') return await openIndex(opened, sources, options);
    if (format === 'zip') {
      const zip = await ZipReader.open(opened, options);
      const root = torchRoot(zip);
      const entries =
        root === undefined
          ? await npzTensors(zip, options)
          : await torchTensors(zip, root, options);
      return new TensorFile(entries, sources, options);
    }
    throw new FileError(`${opened.name}: cannot be read tensor by tensor; use load`);
  } catch (error) {
    for (const each of sources) await each.close();
    throw error;
  }
}

function safetensorsEntry(source: Source, info: TensorInfo): Entry {
  return {
    dtype: info.dtype,
    shape: info.shape,
    rows: { source, offset: info.offset },
    async read(options) {
      const { tensor, fill } = prepareTensor(source, info, await placeOf(options));
      await fillAll([fill], options);
      return tensor;
    },
  };
}

async function openSafetensors(source: Source, options: LoadOptions): Promise<TensorFile> {
  const header = await readHeader(source, headerBudget(source, options));
  const entries = new Map<string, Entry>();
  for (const info of header.tensors.values())
    entries.set(info.name, safetensorsEntry(source, info));
  for (const [name, target] of secondNames(header)) entries.set(name, entries.get(target) as Entry);
  return new TensorFile(entries, [source], options, header.metadata);
}

async function openIndex(
  index: Source,
  sources: Source[],
  options: LoadOptions,
): Promise<TensorFile> {
  const parts = await readIndex(index, headerBudget(index, options));
  const entries = new Map<string, Entry>();
  for (const file of new Set(parts.values())) {
    const source = await openShard(index, file, options);
    sources.push(source);
    const header = await readHeader(source, headerBudget(source, options));
    for (const info of header.tensors.values()) {
      if (parts.get(info.name) === file) entries.set(info.name, safetensorsEntry(source, info));
    }
    for (const [name, target] of secondNames(header)) {
      const entry = entries.get(target);
      if (entry && !entries.has(name)) entries.set(name, entry);
    }
  }
  return new TensorFile(entries, sources, options);
}

async function npzTensors(zip: ZipReader, given: LoadOptions): Promise<Map<string, Entry>> {
  const budget = npzBudget(zip, given);
  const entries = new Map<string, Entry>();
  for (const [name, entry] of npzEntries(zip)) {
    const source = await entrySource(zip, entry);
    const { dtype, shape, fortran, offset, bigEndian } = await readNpyHeader(source, budget);
    entries.set(name, {
      dtype,
      shape,
      read: async (options) => readNpzArray(zip, entry, await placeOf(options), options),
      ...(!fortran && !entry.compressed && { rows: { source, offset, bigEndian } }),
    });
  }
  return entries;
}

async function torchTensors(
  zip: ZipReader,
  root: string,
  options: LoadOptions,
): Promise<Map<string, Entry>> {
  const file = await TorchZip.open(zip, root, options);
  const entries = new Map<string, Entry>();
  for (const { name, node, dtype, shape } of tensorNodes(file.tree, file.budget)) {
    entries.set(name, {
      dtype,
      shape,
      read: async (given) => (await file.read(node, given)) as Tensor,
    });
  }
  return entries;
}
