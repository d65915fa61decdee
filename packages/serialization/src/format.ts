import { FileError } from './errors.js';
import type { Source } from './io/source.js';
import { npyMagic } from './numpy/header.js';
import { END, LOCAL, viewOf } from './zip/records.js';

/** What the first bytes of a file tell of it; `index` is the index of a sharded safetensors file. */
export type Detected = 'safetensors' | 'index' | 'zip' | 'torch-legacy' | 'npy';

/**
 * What kind of file this is.
 *
 * @throws FileError if it is none that can be read, with what it is where that can be told.
 */
export async function detectFormat(source: Source): Promise<Detected> {
  const head = await source.read(0, Math.min(512, source.size));
  const fault = (why: string): FileError => new FileError(`${source.name}: ${why}`);
  if (head.length === 0) throw fault('the file is empty');
  const text = String.fromCharCode(...head);
  if (text.startsWith(npyMagic)) return 'npy';
  if (head.length >= 4) {
    const signature = viewOf(head).getUint32(0, true);
    if (signature === LOCAL || signature === END) return 'zip';
  }
  if (head[0] === 0x80 && (head[1] as number) <= 5) return 'torch-legacy';
  if (head.length > 8 && head[8] === 0x7b) {
    const length = viewOf(head).getBigUint64(0, true);
    if (length <= BigInt(source.size - 8)) return 'safetensors';
    if (length < 2n ** 32n)
      throw fault(`truncated: a safetensors header of ${length} bytes is not whole`);
  }
  if (/^\s*\{/.test(text)) return 'index';
  if (text.startsWith('GGUF')) throw fault('this is a GGUF file; convert it to safetensors');
  if (text.startsWith('\x89HDF'))
    throw fault('this is an HDF5 file; convert it to safetensors or .npz');
  if (text.slice(257, 262) === 'ustar') {
    throw fault(
      'this is a tar file, as PyTorch wrote before version 0.1.10; load it in Python and save it again',
    );
  }
  throw fault('not a file of a known format: safetensors, PyTorch (.pt, .pth), .npy or .npz');
}
