import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromSource } from '../../../scripts/testing/from-source.js';
import { chromiumArgs, host } from '../../../scripts/testing/host.js';

/** What the page computes; bundled from source as a user's page would be. */
const program = `
import { openWebGpu } from '@sconce/backend-webgpu';
import { init, linalg, registerBackend, tensor } from '@sconce/core';

const list = async (t) => Array.from(await t.toTypedArray(), Number);
const message = async (promise) => promise.then(() => 'no error', (error) => error.message);

/** Linear algebra between kernels, nothing of which is awaited before the end. */
export async function solve() {
  await init('webgpu');
  const device = 'webgpu';
  const a = tensor([[4, 2], [2, 3]], { device });
  const factor = linalg.cholesky(a);
  const again = factor.matmul(factor.mT);
  const x = linalg.solve(again.add(0), tensor([[2], [1]], { device }));
  a.mul_(100);
  const late = linalg.cholesky(a);
  factor.zero_();
  const found = [await list(again), await list(x), await list(late.mul(0.1)), await list(factor)];
  const indefinite = linalg.cholesky(tensor([[1, 2], [2, 1]], { device }));
  const error = await message(indefinite.toArray());
  return { found, error, after: await list(a) };
}

/** A device with so few buffers that sorting does not fit. */
export async function fallBack() {
  registerBackend('webgpu_small', { openAsync: () => openWebGpu('webgpu_small', { storageBuffers: 2 }) });
  const device = 'webgpu_small';
  await init(device);
  const x = tensor([3, 1, 2], { device });
  const error = await message((async () => x.sort())());
  await init(device, { fallback: true });
  let y = x;
  for (let i = 0; i < 20; i++) y = y.sort(-1, { descending: i % 2 === 0 }).values.add(1);
  const wide = tensor([1, 2], { device, dtype: 'float64' }).div(3);
  return { error, found: await list(y), wide: await list(wide) };
}
`;

describe.skipIf(!host.chromium)('in a browser', () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    const bundle = await build({
      stdin: { contents: program, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      plugins: [fromSource],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    const code = bundle.outputFiles[0]?.text ?? '';
    server = createServer((request, response) => {
      const script = request.url === '/program.js';
      response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' });
      response.end(script ? code : '<!doctype html><title>test</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: host.chromium ?? '', args: chromiumArgs });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** What a function of the program returns, and what the page said. */
  async function run<T>(name: string): Promise<{ result: T; warnings: string[] }> {
    const page = await browser.newPage();
    const warnings: string[] = [];
    page.on('console', (said) => {
      if (said.text().startsWith('sconce: ')) warnings.push(said.text());
    });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const result = await page.evaluate(
      `import('/program.js').then((program) => program.${name}())`,
    );
    await page.close();
    return { result: result as T, warnings };
  }

  test('linear algebra is computed on the host, in its turn', { timeout: 60_000 }, async () => {
    const { result, warnings } = await run<{ found: number[][]; error: string; after: number[] }>(
      'solve',
    );
    const expected = [
      [4, 2, 2, 3],
      [0.5, 0],
      [2, 0, 1, Math.SQRT2],
      [0, 0, 0, 0],
    ];
    expected.forEach((row, i) => {
      row.forEach((value, j) => expect(result.found[i]?.[j]).toBeCloseTo(value, 5));
    });
    expect(result.error).toMatch(/^linalg.cholesky: .*not positive-definite/);
    expect(result.after).toEqual([400, 200, 200, 300]);
    expect(warnings).toEqual([]);
  });

  test('what the device cannot run falls back only where asked for', {
    timeout: 60_000,
  }, async () => {
    const { result, warnings } = await run<{ error: string; found: number[]; wide: number[] }>(
      'fallBack',
    );
    expect(result.error).toMatch(/^sort: webgpu cannot run this here/);
    expect(result.found).toEqual([21, 22, 23]);
    expect(result.wide).toEqual([1 / 3, 2 / 3]);
    expect(warnings.map((text) => text.slice(0, 25))).toEqual([
      'sconce: sort: webgpu cann',
      'sconce: div: webgpu canno',
    ]);
  });
});
