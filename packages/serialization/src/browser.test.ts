import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromSource } from '../../../scripts/testing/from-source.js';
import { chromiumArgs, host } from '../../../scripts/testing/host.js';

/** What the page does; bundled from source as a user's page would be. */
const program = `
import '@sconce/backend-cpu';
import { arange } from '@sconce/core';
import { load, openTensors, save, saveAsync, serialize } from '@sconce/serialization';

const values = async (state, name) => (state instanceof Map ? state.get(name) : state[name]).toArray();

export async function run() {
  const w = arange(100000).to('float32');
  const expected = JSON.stringify(await w.toArray());
  const results = {};
  for (const format of ['safetensors', 'torch', 'torch-legacy', 'npz']) {
    const bytes = await serialize({ w }, { format, compress: true });
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle('w.' + format, { create: true });
    await save({ w }, handle, { format });
    const saving = saveAsync({ w }, await folder.getFileHandle('later.' + format, { create: true }), { format });
    w.add_(1);
    await saving;
    w.sub_(1);
    const sources = {
      bytes,
      blob: new Blob([bytes]),
      file: new File([bytes], 'w'),
      response: await fetch(URL.createObjectURL(new Blob([bytes]))),
      opfs: handle,
      later: await folder.getFileHandle('later.' + format),
      opfsFile: await handle.getFile(),
    };
    for (const [name, source] of Object.entries(sources)) {
      results[format + ' ' + name] = JSON.stringify(await values(await load(source), 'w')) === expected;
    }
    if (format !== 'torch-legacy') {
      const file = await openTensors(handle);
      results[format + ' rows'] = (await (await file.rows('w', 5, 7)).toArray()).join() === '5,6';
    }
  }
  const files = await (await fetch('/files')).json();
  for (const name of files) results[name] = (await load(await fetch('/files/' + name))) !== undefined;
  const failures = [];
  for (const attempt of [() => load('model.pt'), () => save({ w }, 'model.pt'), () => load(new Blob([]))]) {
    failures.push(await attempt().then(() => 'none', (error) => error.name + ': ' + error.message));
  }
  return { results, failures, shared: self.crossOriginIsolated };
}
`;

const corpus = fileURLToPath(new URL('../../parity/corpus/files/', import.meta.url));
const files = ['checkpoint_adam.legacy.pt', 'dtypes.proto4.pt', 'compressed.npz', 'be_f4.npy'];

interface Outcome {
  readonly results: Record<string, boolean>;
  readonly failures: string[];
  readonly shared: boolean;
}

describe.skipIf(!host.chromium)('in a browser', () => {
  let browser: Browser;
  let server: Server;
  let code = '';
  let isolated = true;

  beforeAll(async () => {
    const bundle = await build({
      stdin: { contents: program, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
      plugins: [fromSource],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
      external: ['node:*', 'koffi'],
    });
    code = bundle.outputFiles[0]?.text ?? '';
    server = createServer((request, response) => {
      const { url = '' } = request;
      if (isolated) {
        response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      }
      if (url === '/main.js') response.setHeader('Content-Type', 'text/javascript').end(code);
      else if (url === '/files') response.end(JSON.stringify(files));
      else if (url.startsWith('/files/')) response.end(readFileSync(corpus + url.slice(7)));
      else
        response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>sconce</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: host.chromium ?? '', args: chromiumArgs });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  // Shared memory, which many interfaces of browsers refuse, and memory of its own, which moves when it grows.
  test.each([true, false])(
    'reads and writes everything, isolated: %s',
    async (isolation) => {
      isolated = isolation;
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const outcome = (await page.evaluate(
        'import("/main.js").then(({ run }) => run())',
      )) as Outcome;
      await page.close();
      expect(errors).toEqual([]);
      expect(outcome.shared).toBe(isolation);
      const failed = Object.entries(outcome.results).filter(([, right]) => !right);
      expect(failed).toEqual([]);
      expect(Object.keys(outcome.results)).toHaveLength(4 * 7 + 3 + files.length);
      expect(outcome.failures).toEqual([
        "FileError: load: there are no paths here to open 'model.pt' by; pass a File, Blob or `await fetch(url)`",
        "FileError: save: there are no paths here to write 'model.pt' by; pass a file handle, or use serialize()",
        'FileError: the given Blob: the file is empty',
      ]);
    },
    60_000,
  );
});
