import { type DType, itemSize, numel, RuntimeError, type Tensor, takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { readAllBytes, type SourceLike } from './byte-source.js';
import { tensorOfBytes } from './elements.js';

const dtypes: Readonly<Record<number, DType>> = {
  8: 'uint8',
  9: 'int8',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
};

/**
 * Reads an IDX file, the format of MNIST and its relatives; packed by gzip or not.
 *
 * @returns a tensor of the shape and dtype that the file says.
 * @throws RuntimeError if it is no such file, or not as long as it says.
 * @see http://yann.lecun.com/exdb/mnist/
 * @example
 * const images = (await readIdx('train-images-idx3-ubyte.gz')).unsqueeze(1); // [60000, 1, 28, 28], uint8
 * const labels = (await readIdx('train-labels-idx1-ubyte.gz')).to('int64');
 */
export async function readIdx(source: SourceLike): Promise<Tensor> {
  takes('readIdx', signatures.readIdx, arguments);
  const bytes = await readAllBytes(source);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [zero, nil, code = 0, rank = 0] = bytes;
  const dtype = dtypes[code];
  const start = 4 + 4 * rank;
  if (bytes.length < 4 || zero !== 0 || nil !== 0 || !dtype || bytes.length < start)
    throw new RuntimeError('readIdx: this is not an IDX file');
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d));
  const wanted = numel(shape) * itemSize(dtype);
  if (bytes.length - start !== wanted)
    throw new RuntimeError(
      `readIdx: [${shape.join(', ')}] ${dtype} takes ${wanted} bytes, but the file has ${bytes.length - start}`,
    );
  return tensorOfBytes(bytes.subarray(start), dtype, shape, true);
}
