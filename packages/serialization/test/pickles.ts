import { MemorySink } from '../src/io/sink.js';
import { PickleWriter } from '../src/pickle/writer.js';
import { ZipWriter } from '../src/zip/writer.js';

/** Pickle opcodes: texts are their ASCII, numbers bytes. */
export function opcodes(...parts: (string | number | Uint8Array)[]): Uint8Array {
  const pieces = parts.map((part) => {
    if (typeof part === 'number') return Uint8Array.of(part);
    return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
  });
  return new Uint8Array(Buffer.concat(pieces));
}

/** A file in PyTorch's zip format with any pickle and any storages. */
export async function torchFile(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Promise<Uint8Array> {
  const sink = new MemorySink();
  const zip = new ZipWriter(sink);
  await zip.add('archive/data.pkl', pickle);
  for (const [key, bytes] of Object.entries(storages)) await zip.add(`archive/data/${key}`, bytes);
  await zip.add('archive/version', opcodes('3\n'));
  await zip.finish();
  return sink.bytes();
}

/** What a malicious file may say of a tensor. */
export interface TensorClaim {
  type?: string;
  key?: string;
  location?: string;
  length?: number;
  offset?: number;
  shape?: number[];
  strides?: number[];
}

/** A pickle of tensors that say of themselves what they like. */
export function claims(list: readonly TensorClaim[]): Uint8Array {
  const out = new PickleWriter();
  out.emptyList();
  out.mark();
  for (const claim of list) {
    const { type = 'FloatStorage', key = '0', location = 'cpu', length = 4 } = claim;
    const { offset = 0, shape = [4], strides = [1] } = claim;
    out.global('torch._utils', '_rebuild_tensor_v2');
    out.mark();
    out.mark();
    out.text('storage');
    out.global('torch', type);
    out.text(key);
    out.text(location);
    out.int(length);
    out.tuple();
    out.persistentId();
    out.int(offset);
    for (const sizes of [shape, strides]) {
      out.mark();
      for (const size of sizes) out.int(size);
      out.tuple();
    }
    out.bool(false);
    out.none();
    out.tuple();
    out.reduce();
  }
  out.appends();
  return out.finish();
}
