import type { TransferOptions } from './io/progress.js';
import type { FileSource } from './io/source.js';
import type { MapLocation } from './location.js';
import type { ConvertOptions } from './torch/converter.js';
import type { ZipOptions } from './zip/reader.js';

/** The formats of files. */
export type FileFormat = 'safetensors' | 'torch' | 'torch-legacy' | 'npy' | 'npz';

/** Options of `load`. */
export interface LoadOptions extends ConvertOptions, ZipOptions, TransferOptions {
  /**
   * How much memory and work each byte of what describes the tensors may cost (its unit is about a byte of memory); default 64 for
   * PyTorch's files, 16 for headers in text. More only for files that are to be trusted.
   */
  maxExpansion?: number;
  /** Where tensors go: a device, a table or a function of the location in the file; default: where they were saved. */
  mapLocation?: MapLocation;
  /** Finds the files that a sharded index names, where they do not lie beside it on a disk. */
  shard?: (name: string) => FileSource | Promise<FileSource>;
}
