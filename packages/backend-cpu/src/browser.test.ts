import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromSource } from '../../../scripts/testing/from-source.js';
import { chromiumArgs, host } from '../../../scripts/testing/host.js';

/** What the page computes; bundled from source as a user's page would be. */
const program = `
import { CpuBackend, getNumThreads, setNumThreads, setWorkerUrl, blasName } from '@sconce/backend-cpu';
import { Device, full, memoryStats, ones, yieldToCollector } from '@sconce/core';
export async function run(workers) {
  if (workers) setWorkerUrl(workers);
  const first = getNumThreads();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const settled = getNumThreads();
  const a = ones([300, 310]);
  const b = full([310, 290], 0.5);
  let product, sum;
  for (let i = 0; i < 20; i++) {
    product = a.matmul(b);
    sum = product.add(a.narrow(1, 0, 290)).mul(0.01).exp().sum();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  setNumThreads(getNumThreads());
  return {
    threads: getNumThreads(),
    first,
    settled,
    blas: blasName() ?? null,
    shared: Device.from('cpu').backend.memory.shared,
    compiled: Device.from('cpu').backend instanceof CpuBackend,
    corner: product.select(0, 299).select(0, 289).itemSync(),
    sum: sum.itemSync() / (300 * 290 * Math.exp(1.56)),
  };
}

export async function train(steps) {
  const x = ones([1024, 1024]);
  let most = 0;
  for (let i = 0; i < steps; i++) {
    x.add(x).mul(2);
    for (let j = 0; j < 4; j++) ones([4]);
    most = Math.max(most, memoryStats('cpu').bytes);
    await yieldToCollector();
  }
  return most;
}
`;

interface Outcome {
  readonly threads: number;
  /** How many it says there are at once, and when events have arrived. */
  readonly first: number;
  readonly settled: number;
  readonly blas: string | null;
  readonly shared: boolean;
  readonly compiled: boolean;
  readonly corner: number;
  readonly sum: number;
}

const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

describe.skipIf(!host.chromium)('in a browser', () => {
  let browser: Browser;
  let server: Server;
  let code = '';
  let workerCode = '';
  let headers: Record<string, string> = {};

  beforeAll(async () => {
    const bundled = async (entry: BuildOptions): Promise<string> => {
      const { outputFiles } = await build({
        ...entry,
        plugins: [fromSource],
        bundle: true,
        minify: true,
        format: 'esm',
        platform: 'browser',
        write: false,
      });
      return outputFiles[0]?.text ?? '';
    };
    const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
    code = await bundled({ stdin: { contents: program, resolveDir: here('.') } });
    workerCode = await bundled({ entryPoints: [here('./worker-file.ts')] });
    server = createServer((request, response) => {
      const script = request.url?.endsWith('.js');
      response.writeHead(200, {
        'Content-Type': script ? 'text/javascript' : 'text/html',
        ...headers,
      });
      const text = request.url === '/worker.js' ? workerCode : code;
      response.end(script ? text : '<!doctype html><title>test</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: host.chromium ?? '', args: chromiumArgs });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function visit(
    sent: Record<string, string>,
    workerUrl?: string,
  ): Promise<{ outcome: Outcome; warnings: string[]; workers: number }> {
    headers = sent;
    const page: Page = await browser.newPage();
    const warnings: string[] = [];
    let workers = 0;
    page.on('console', (message) => {
      if (message.type() === 'warning') warnings.push(message.text());
    });
    page.on('worker', () => workers++);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const outcome = (await page.evaluate(
      `import('/program.js').then((program) => program.run(${JSON.stringify(workerUrl)}))`,
    )) as Outcome;
    await page.close();
    return { outcome, warnings, workers };
  }

  const right = { corner: 155, blas: null, compiled: true };

  test('an isolated page computes on several threads', async () => {
    const { outcome, warnings, workers } = await visit(isolation);
    expect(outcome).toMatchObject({ ...right, shared: true });
    expect(outcome.sum).toBeCloseTo(1, 4);
    expect(outcome.threads).toBeGreaterThan(1);
    expect(workers).toBe(outcome.threads - 1);
    expect(warnings).toEqual([]);
  });

  test('another page computes on one thread and says once how to get more', async () => {
    const { outcome, warnings, workers } = await visit({});
    expect(outcome).toMatchObject({ ...right, shared: false, threads: 1 });
    expect(outcome.sum).toBeCloseTo(1, 4);
    expect(workers).toBe(0);
    expect(warnings).toEqual([
      "Sconce runs on one thread: this page is not cross-origin isolated. Serve it with the headers 'Cross-Origin-Opener-Policy: same-origin' and 'Cross-Origin-Embedder-Policy: require-corp' to use all cores.",
    ]);
  });

  test.each(["'none'", "'self'"])(
    'a page that allows workers from %s only computes on one thread, and says so',
    async (sources) => {
      const policy = `default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src ${sources}`;
      const { outcome, warnings, workers } = await visit({
        ...isolation,
        'Content-Security-Policy': policy,
      });
      expect(outcome).toMatchObject({ ...right, threads: 1, settled: 1 });
      expect(workers).toBe(0);
      expect(warnings).toEqual([
        'Sconce runs on one thread: workers could not be started. A content security policy must allow `worker-src blob:`, or setWorkerUrl() of @sconce/backend-cpu name a file of its entry @sconce/backend-cpu/worker-file that the policy allows.',
      ]);
    },
  );

  test('a file of the page serves where the policy forbids text', async () => {
    const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
    const sent = { ...isolation, 'Content-Security-Policy': policy };
    const { outcome, warnings, workers } = await visit(sent, '/worker.js');
    expect(outcome).toMatchObject(right);
    expect(outcome.sum).toBeCloseTo(1, 4);
    expect(outcome.threads).toBeGreaterThan(1);
    expect(workers).toBe(outcome.threads - 1);
    expect(warnings).toEqual([]);
    // A file that is not there is no worker.
    const missing = await visit(sent, 'http://127.0.0.1:1/none.js');
    expect(missing.outcome).toMatchObject({ ...right, threads: 1 });
  });

  test('a page that forbids compiling computes by the interpreter', async () => {
    const policy = "default-src 'self'; script-src 'self'";
    const { outcome } = await visit({ 'Content-Security-Policy': policy });
    expect(outcome).toMatchObject({ ...right, threads: 1 });
  });

  test('a loop that yields at every batch stays far below the memory there is', async () => {
    headers = isolation;
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // 12 GB in all, of the 4 there are.
    const most = (await page.evaluate(
      `import('/program.js').then((program) => program.train(1_500))`,
    )) as number;
    await page.close();
    expect(most).toBeLessThan(2 ** 31);
  }, 120_000);

  test('the bundle holds nothing that only Node has', () => {
    expect(code).not.toMatch(/from\s*["'](node:|koffi)/);
    expect(code).not.toMatch(/import\(["'](node:|koffi)/);
  });
});
