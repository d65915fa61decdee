// What this machine has that some programs and tests need: a browser, a WebGPU adapter, a BLAS.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const self = fileURLToPath(import.meta.url);
const packages = join(dirname(dirname(self)), 'packages');

/**
 * Finds Chromium or Chrome: `CHROME_PATH`, the PATH, then the usual places.
 *
 * @returns {string | undefined} its path
 */
export function findChromium() {
  if (process.env.CHROME_PATH) return process.env.CHROME_PATH;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  candidates.push(
    '/usr/bin/chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  );
  return candidates.find(isExecutable);
}

/**
 * Finds the WebGPU adapter that Dawn gives Node, with the environment it takes. A GPU comes first;
 * without one, the software rasterizer that comes with Chromium on Linux (SwiftShader).
 *
 * @returns {{ adapter: string | null, env: Record<string, string> }} the adapter's name, and the
 *   variables a process needs to reach it
 */
export function findWebgpu() {
  const adapter = probe('webgpu', {});
  if (adapter !== null || process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES) {
    return { adapter, env: {} };
  }
  for (const folder of ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']) {
    const driver = join(folder, 'vk_swiftshader_icd.json');
    if (!existsSync(driver)) continue;
    const env = { VK_ICD_FILENAMES: driver };
    const software = probe('webgpu', env);
    if (software !== null) return { adapter: software, env };
    // The Vulkan loader may be nowhere but beside the driver.
    const path = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
    const own = { ...env, LD_LIBRARY_PATH: path };
    const loaded = probe('webgpu', own);
    if (loaded !== null) return { adapter: loaded, env: own };
  }
  return { adapter: null, env: {} };
}

/**
 * The environment for a program that is given these arguments: this one's, and where they ask for
 * WebGPU, what reaches an adapter.
 *
 * @param {string[]} args
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentFor(args) {
  if (!args.some((arg) => /\bwebgpu\b/.test(arg))) return process.env;
  const { adapter, env } = findWebgpu();
  if (Object.keys(env).length > 0) console.log(`No GPU was found; WebGPU runs on ${adapter}.`);
  return { ...process.env, ...env };
}

/**
 * Finds a system BLAS that can be called from Node.
 *
 * @returns {string | null} the library's name
 */
export function findBlas() {
  return probe('blas', {});
}

/** @type {Record<string, () => Promise<string | null>>} */
const probes = {
  async webgpu() {
    const { create, globals } = await import(resolveFrom('backend-webgpu', 'webgpu'));
    Object.assign(globalThis, globals);
    const adapter = await create([]).requestAdapter();
    if (!adapter) return null;
    const { vendor, architecture, device, description } = adapter.info;
    return description || [vendor, architecture, device].filter(Boolean).join(' ') || 'unnamed';
  },
  async blas() {
    const { default: koffi } = await import(resolveFrom('backend-cpu', 'koffi'));
    /** @type {Partial<Record<NodeJS.Platform, string[]>>} */
    const elsewhere = {
      darwin: ['/System/Library/Frameworks/Accelerate.framework/Accelerate', 'libopenblas.dylib'],
      win32: ['libopenblas.dll', 'mkl_rt.2.dll'],
    };
    const linux = ['libopenblas.so.0', 'libopenblas.so', 'libmkl_rt.so.2', 'libmkl_rt.so'];
    const names = elsewhere[process.platform] ?? linux;
    for (const name of names) {
      try {
        koffi.load(name).func('cblas_sgemm', 'void', []);
        return name;
      } catch {}
    }
    return null;
  },
};

/**
 * Runs one of the probes in a process of its own, so that no native library stays loaded here and
 * a crash of a driver is a "no".
 *
 * @param {string} name
 * @param {Record<string, string>} env
 * @returns {string | null}
 */
function probe(name, env) {
  const { status, stdout } = spawnSync(process.execPath, [self, name], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 30_000,
  });
  if (status !== 0) return null;
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
}

/**
 * @param {string} folder of a package of ours
 * @param {string} name a module it depends on
 */
function resolveFrom(folder, name) {
  const from = createRequire(join(packages, folder, 'package.json'));
  return pathToFileURL(from.resolve(name)).href;
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const asked = process.argv[1] === self ? probes[process.argv[2] ?? ''] : undefined;
if (asked) {
  const answer = await asked().catch(() => null);
  console.log(JSON.stringify(answer));
  // Dawn keeps the process alive.
  process.exit(0);
}
