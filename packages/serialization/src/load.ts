import type { Tensor } from '@sconce/core';
import { takes } from '@sconce/core';
import { FileError } from './errors.js';
import { detectFormat } from './format.js';
import { type FileSource, openSource, type Source } from './io/source.js';
import { placeFor } from './location.js';
import { npzBudget, npzEntries, readNpy, readNpzArray } from './numpy/read.js';
import type { LoadOptions } from './options.js';
import { readSafetensors, readSharded } from './safetensors/read.js';
import * as signatures from './signatures.js';
import { readTorchLegacy } from './torch/read-legacy.js';
import { readTorchZip, torchRoot } from './torch/read-zip.js';
import { ZipReader } from './zip/reader.js';

/** Tensors by name: what state dicts are. */
export type StateDict = Map<string, Tensor>;

/**
 * Reads a file of safetensors (one, or an index of several), of PyTorch (`.pt`, `.pth`, both formats) or of NumPy
 * (`.npy`, `.npz`); which one it is, its contents tell.
 *
 * Safetensors and `.npz` give a Map of tensors, `.npy` one tensor, PyTorch's files what was saved: an OrderedDict becomes
 * a Map, a dictionary an object (a Map if its keys are of several kinds), a list an array, a tuple a `Tuple`, ints past
 * 2^53 bigints. Tensors that shared memory share it again. Nothing in a file is executed.
 *
 * @typeParam T what the file is known to hold; it is not checked.
 * @throws FileError if the file is damaged, hostile or of no known format, or its devices are missing (see `mapLocation`).
 * @see https://pytorch.org/docs/stable/generated/torch.load.html
 * @example
 * model.loadStateDict(await load('model.safetensors'));
 * const { epoch } = await load<{ epoch: number }>('checkpoint.pt', { mapLocation: 'cpu' });
 */
export async function load<T = StateDict>(
  source: FileSource,
  options: LoadOptions = {},
): Promise<T> {
  takes('load', signatures.load, arguments);
  const opened = await openSource(source);
  try {
    return (await read(opened, options)) as T;
  } finally {
    await opened.close();
  }
}

async function read(source: Source, options: LoadOptions): Promise<unknown> {
  const format = await detectFormat(source);
  const device = async () => placeFor('cpu', options.mapLocation);
  switch (format) {
    case 'safetensors':
      return readSafetensors(source, await device(), options);
    case 'index':
      return readSharded(source, await device(), options);
    case 'npy':
      return readNpy(source, await device(), options);
    case 'torch-legacy':
      return readTorchLegacy(source, options);
    case 'zip': {
      const zip = await ZipReader.open(source, options);
      const root = torchRoot(zip);
      if (root !== undefined) return readTorchZip(zip, root, options);
      const arrays: StateDict = new Map();
      const budget = npzBudget(zip, options);
      for (const [name, entry] of npzEntries(zip)) {
        arrays.set(name, await readNpzArray(zip, entry, await device(), options, budget));
      }
      return arrays;
    }
    default:
      throw new FileError(`${source.name}: no known format`);
  }
}
