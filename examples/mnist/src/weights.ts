import { readFile, rename, writeFile } from 'node:fs/promises';
import { type DType, fromTypedArray, type nn, type Tensor, type TypedArray } from 'sconce';

type StateDict = nn.StateDict;

const names: Partial<Record<DType, string>> = { float32: 'F32', int64: 'I64' };
const arrays: Record<string, (bytes: ArrayBuffer) => TypedArray> = {
  F32: (bytes) => new Float32Array(bytes),
  I64: (bytes) => new BigInt64Array(bytes),
};

/** Writes a state dict as a safetensors file, which PyTorch reads too. */
export async function saveWeights(path: string, state: StateDict): Promise<void> {
  const header: Record<
    string,
    { dtype: string; shape: readonly number[]; data_offsets: [number, number] }
  > = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [key, t] of state) {
    const dtype = names[t.dtype];
    if (!dtype)
      throw new Error(
        `saveWeights: ${key} has dtype ${t.dtype}, only float32 and int64 are written here`,
      );
    const values = await t.toTypedArray();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    header[key] = { dtype, shape: t.shape, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(padded.length), true);
  // A reader never sees half a file.
  await writeFile(`${path}.part`, Buffer.concat([size, padded, ...parts]));
  await rename(`${path}.part`, path);
}

/** Reads what `saveWeights` wrote. @throws Error if the file is no such file. */
export async function loadWeights(path: string): Promise<Map<string, Tensor>> {
  const file = new Uint8Array(await readFile(path));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const size = file.length >= 8 ? Number(view.getBigUint64(0, true)) : Number.NaN;
  if (!(size <= file.length - 8)) throw new Error(`loadWeights: ${path} is not a safetensors file`);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + size))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const state = new Map<string, Tensor>();
  for (const [
    key,
    {
      dtype,
      shape,
      data_offsets: [start, end],
    },
  ] of Object.entries(header)) {
    const toArray = arrays[dtype];
    if (!toArray)
      throw new Error(`loadWeights: ${key} has dtype ${dtype}, only F32 and I64 are read here`);
    if (!(start >= 0 && start <= end && 8 + size + end <= file.length))
      throw new Error(`loadWeights: ${key} lies outside of ${path}`);
    const bytes = file.slice(8 + size + start, 8 + size + end).buffer;
    state.set(key, fromTypedArray(toArray(bytes), shape));
  }
  return state;
}
