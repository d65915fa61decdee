import { FileError } from '../errors.js';

/**
 * Undoes deflate, into memory of exactly the size the file promises.
 *
 * @throws FileError if the data is damaged, or gives more or fewer bytes.
 */
export async function inflate(packed: Uint8Array, size: number, name: string): Promise<Uint8Array> {
  const out = new Uint8Array(size);
  const stream = new DecompressionStream('deflate-raw');
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  // Streams refuse shared memory.
  const sent = writer.write(packed.slice()).then(() => writer.close());
  sent.catch(() => {}); // the reader reports the same failure
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (at + value.length > size)
        throw new FileError(`${name}: unpacks to more than its ${size} bytes`);
      out.set(value, at);
      at += value.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    if (error instanceof FileError) throw error;
    throw new FileError(`${name}: its compressed data is damaged (${(error as Error).message})`);
  }
  if (at !== size) throw new FileError(`${name}: unpacks to ${at} bytes instead of ${size}`);
  return out;
}

/** Packs bytes by deflate. */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()])
    .stream()
    .pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
