import { chromium } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { findChromium, findWebgpu } from '../host.mjs';
import { chromiumArgs, host } from './host.js';

describe('host', () => {
  test.skipIf(!host.webgpu)('passes the environment of the adapter on to the workers', () => {
    expect(findWebgpu()).toEqual({ adapter: host.webgpu, env: {} });
  });

  test('takes the browser that CHROME_PATH names', () => {
    const before = process.env.CHROME_PATH;
    process.env.CHROME_PATH = '/a/browser';
    try {
      expect(findChromium()).toBe('/a/browser');
    } finally {
      if (before === undefined) delete process.env.CHROME_PATH;
      else process.env.CHROME_PATH = before;
    }
  });

  test.skipIf(!host.chromium)('has a browser that computes on WebGPU', async () => {
    const browser = await chromium.launch({
      executablePath: host.chromium ?? '',
      args: chromiumArgs,
    });
    try {
      const page = await browser.newPage();
      // WebGPU exists in secure contexts only; localhost is one, about:blank is not.
      await page.route('http://localhost/', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
      );
      await page.goto('http://localhost/');
      const adapter = await page.evaluate(async () => {
        const found = await navigator.gpu.requestAdapter();
        const device = await found?.requestDevice();
        return device ? found?.info.vendor : null;
      });
      expect(adapter).toBeTypeOf('string');
    } finally {
      await browser.close();
    }
  });
});
