import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumArgs, host } from '../../../../scripts/testing/host.js';
import type * as Programs from '../../test/browser-programs.js';
import { type Bundle, bundle } from '../../test/bundle.js';

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

describe.skipIf(!host.chromium)('workers in a browser', () => {
  let made: Bundle;
  let browser: Browser;
  let server: Server;
  let headers: Record<string, string> = {};

  beforeAll(async () => {
    made = await bundle(
      ['browser-programs', 'datasets'].map((name) => `packages/data/test/${name}.ts`),
      'browser',
    );
    server = createServer(async (request, response) => {
      const name = request.url?.slice(1) ?? '';
      const code = /^[\w-]+\.js$/.test(name)
        ? await readFile(join(made.folder, name)).catch(() => undefined)
        : undefined;
      if (name.endsWith('.js') && !code) response.writeHead(404, headers).end();
      else {
        response.writeHead(200, {
          'Content-Type': code ? 'text/javascript' : 'text/html',
          'Cross-Origin-Resource-Policy': 'same-origin',
          ...headers,
        });
        response.end(code ?? '<!doctype html><title>test</title>');
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: host.chromium ?? '', args: chromiumArgs });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await made?.remove();
  });

  async function run<K extends keyof typeof Programs>(
    name: K,
    sent: Record<string, string> = isolation,
    inspect: (page: Page) => unknown = () => {},
  ): Promise<Awaited<ReturnType<(typeof Programs)[K]>>> {
    headers = sent;
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const result = await page.evaluate(
      `import('/browser-programs.js').then((programs) => programs.${name}())`,
    );
    await inspect(page);
    await page.close();
    return result as Awaited<ReturnType<(typeof Programs)[K]>>;
  }

  test.for([
    ['an isolated page, through shared memory', isolation, true],
    ['another page, through memory that is handed over', {}, false],
  ] as const)('%s', async ([, sent, shared]) => {
    const result = await run('order', sent);
    expect(result.shared).toBe(shared);
    // Printed by PyTorch 1.13, as in workers.test.ts.
    expect(result.indices).toEqual([
      [4, 6],
      [1, 7],
      [3, 0],
      [2, 5],
    ]);
    expect(result.drawn[3]?.map((x) => Number(x.toFixed(6)))).toEqual([
      0.897979, 0.843423, 0.548458, 0.287342,
    ]);
    expect(result.tensors).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });

  test('a module without a bundler, by its address', async () => {
    expect(await run('byAddress')).toEqual([[0, 1], [100, 101], [2, 3], [102], [4, 5], [6]]);
  });

  test('errors, ends and hangs of workers are errors of the loop', async () => {
    const { thrown, closed, hung, missing } = await run('failures');
    expect(thrown.message).toBe(
      'DataLoader: worker 0 failed at index 5: RangeError: sample 5 is broken',
    );
    expect(thrown.stack).toMatch(/in worker 0:\nRangeError: sample 5 is broken\n\s+at fail /);
    expect(closed.message).toBe('DataLoader: worker 0 ended unexpectedly');
    expect(hung.message).toBe('DataLoader: worker 0 gave no batch: timed out after 3 s');
    expect(missing.message).toMatch(/could not load its module .*nowhere\.js.*with a bundler/);
  });

  test('images are decoded by the browser, to the same bytes', async () => {
    const { data, pixels, damaged } = await run('decoding');
    expect(pixels).toEqual(data.filter((_, i) => i % 4 !== 3));
    expect(damaged).toMatch(/decodeImage: the image is damaged/);
  });

  test('leaving the loop ends the workers and gives the memory back', async () => {
    let left = -1;
    const { bytes } = await run('leaving', isolation, async (page) => {
      // The threads that compute, which run a text, stay.
      const loading = () => page.workers().filter((worker) => !worker.url().startsWith('blob:'));
      await expect.poll(() => loading().length, { timeout: 5_000 }).toBe(0);
      left = loading().length;
    });
    expect(left).toBe(0);
    expect(bytes).toBeLessThan(65536);
  });
});
