import { RuntimeError } from '@sconce/core';
import { type ByteSource, checkRange, type OpenOptions } from './byte-source.js';

/** Opens an address whose server answers range requests. @throws RuntimeError if it does not. */
export async function openHttp(url: string, options: OpenOptions): Promise<ByteSource> {
  const { retries = 2, headers = {} } = options;
  const fail = (what: string): never => {
    throw new RuntimeError(`openSource: ${url} ${what}`);
  };

  async function request(first: number, last: number): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      let response: Response | undefined;
      let reason = '';
      try {
        response = await fetch(url, {
          headers: { ...headers, Range: `bytes=${first}-${last}` },
        });
        if (response.status < 500 && response.status !== 429) return response;
        reason = `answers ${response.status} ${response.statusText}`;
        await response.body?.cancel();
      } catch (error) {
        const { message, cause } = error as Error;
        reason = `cannot be reached (${(cause as Error | undefined)?.message ?? message})`;
      }
      if (attempt >= retries) fail(reason);
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
    }
  }

  const probe = await request(0, 0);
  await probe.body?.cancel();
  // An empty file has no first byte to give.
  const total = /\/(\d+)$/.exec(probe.headers.get('Content-Range') ?? '')?.[1];
  if (probe.status !== 206 && probe.status !== 416)
    fail(
      probe.ok
        ? 'does not answer range requests; download it first'
        : `answers ${probe.status} ${probe.statusText}`,
    );
  if (total === undefined) fail('does not say how long it is (Content-Range)');
  const size = Number(total);
  const version = probe.headers.get('ETag') ?? probe.headers.get('Last-Modified');
  return {
    size,
    async read(offset, length) {
      checkRange(url, size, offset, length);
      if (length === 0) return new Uint8Array(0);
      const response = await request(offset, offset + length - 1);
      if (response.status !== 206) {
        await response.body?.cancel();
        fail(`answers ${response.status} ${response.statusText} to a range request`);
      }
      const now = response.headers.get('ETag') ?? response.headers.get('Last-Modified');
      if (now !== version) {
        await response.body?.cancel();
        fail('has changed while it was being read');
      }
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (bytes.length !== length)
        fail(`gave ${bytes.length} bytes where ${length} were asked for`);
      return bytes;
    },
    close: async () => {},
  };
}
