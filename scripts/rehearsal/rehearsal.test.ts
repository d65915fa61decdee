// What users will meet once this is published: every package goes to a registry on loopback, and is installed from there by
// each package manager, checked by TypeScript, and built into a page by Vite.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { type Browser, chromium } from 'playwright-core';
import { publint } from 'publint';
import { build, createServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publicFolders } from '../bundle.mjs';
import { root } from '../prepare.mjs';
import { chromiumArgs, host } from '../testing/host.js';
import { packAll, run as runProgram } from '../testing/packing.js';
import { type Registry, startRegistry } from './registry.js';

const work = mkdtempSync(join(tmpdir(), 'sconce-rehearsal-'));
const tarballs = join(work, 'tarballs');
const folders = publicFolders();
let registry: Registry;

/** Runs a program that has the packages of the rehearsal's registry. */
function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = {
    ...registry.env,
    // Each manager starts from nothing: what an earlier rehearsal left has the address of an earlier registry.
    YARN_GLOBAL_FOLDER: join(work, 'yarn-global'),
    DENO_DIR: join(work, 'deno'),
    BUN_INSTALL_CACHE_DIR: join(work, 'bun'),
  };
  return runProgram(command, args, { cwd, env });
}

/** A new folder with a manifest that depends on the umbrella. */
function project(name: string): string {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const manifest = { private: true, type: 'module', dependencies: { sconce: '*' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, '.npmrc'), `registry=${registry.url}\n`);
  writeFileSync(join(folder, 'main.mjs'), example);
  return folder;
}

/** The script of the README, which prints its loss four times. */
const example = (
  /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? ''
)
  .replace(', type Tensor', '')
  .replace('override ', '')
  .replaceAll(': Tensor', '');

/** The last loss that the example has printed. */
const lastLoss = (printed: string): number => Number(printed.trim().split(/\s+/).at(-1));

beforeAll(async () => {
  registry = await startRegistry(join(work, 'registry'));
  // Packing is of this repository, with the registries that it is set up for.
  await packAll(tarballs);
  for (const tarball of readdirSync(tarballs)) {
    await run('npm', ['publish', join(tarballs, tarball), '--tag', 'latest'], work);
  }
}, 200_000);

afterAll(async () => {
  await registry?.close();
  rmSync(work, { recursive: true, force: true });
}, 60_000);

describe('what is published', () => {
  test('is every public package', () => {
    expect(readdirSync(tarballs)).toHaveLength(folders.length);
  });

  test.each(folders)(
    '%s is well-formed to publint and to each module resolution',
    async (folder) => {
      const name = folder === 'sconce' ? folder : `sconce-${folder}`;
      const file = readdirSync(tarballs).find((tarball) =>
        new RegExp(`^${name}-\\d`).test(tarball),
      );
      const bytes = readFileSync(join(tarballs, file as string));
      const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      const { messages } = await publint({ pack: { tarball: data as ArrayBuffer }, strict: true });
      expect(messages).toEqual([]);
      const { problems = [] } = (await checkPackage(
        createPackageFromTarballData(new Uint8Array(data)),
      )) as { problems?: readonly { kind: string; resolutionKind?: string }[] };
      // CommonJS is not offered, nor what resolved modules before there were "exports".
      const known = problems.filter(
        ({ kind, resolutionKind }) =>
          kind !== 'CJSResolvesToESM' &&
          resolutionKind !== 'node10' &&
          resolutionKind !== 'node16-cjs',
      );
      expect(known).toEqual([]);
    },
  );
});

describe('the example of the README, installed by', () => {
  /** Package managers that npm can bring, each with its way to install and to run. */
  const managers: Record<string, { tool?: string; install: string[]; start: string[] }> = {
    npm: { install: ['npm', 'install', '--no-audit', '--no-fund'], start: ['node'] },
    pnpm: { tool: 'pnpm@10', install: ['pnpm', 'install'], start: ['node'] },
    yarn: { tool: '@yarnpkg/cli-dist@4', install: ['yarn', 'install'], start: ['node'] },
    bun: { tool: 'bun@1', install: ['bun', 'install'], start: ['bun', 'run'] },
    deno: {
      tool: 'deno@2',
      install: ['deno', 'install', '--minimum-dependency-age=0'],
      start: ['deno', 'run'],
    },
  };

  test.each(Object.keys(managers))('%s', async (name) => {
    const { tool, install, start } = managers[name] as (typeof managers)[string];
    const folder = project(name);
    if (name === 'yarn') {
      writeFileSync(
        join(folder, '.yarnrc.yml'),
        [
          'nodeLinker: node-modules',
          'enableTelemetry: false',
          'enableImmutableInstalls: false',
          // What has just been published is what is to be tried.
          'npmMinimalAgeGate: 0',
        ].join('\n'),
      );
      writeFileSync(join(folder, 'yarn.lock'), '');
    }
    const tools = join(work, 'tools', name);
    if (tool) {
      mkdirSync(tools, { recursive: true });
      writeFileSync(join(tools, 'package.json'), '{ "private": true }');
      await run('npm', ['install', '--no-audit', '--no-fund', tool], tools);
    }
    const path = (program: string) =>
      ['npm', 'node'].includes(program) ? program : join(tools, 'node_modules', '.bin', program);
    const said = await run(path(install[0] as string), install.slice(1), folder);
    // Nothing of ours has scripts that a manager would ask about.
    expect(said).not.toMatch(/sconce[^\n]*(build|install) script/i);
    const printed = await run(path(start[0] as string), [...start.slice(1), 'main.mjs'], folder);
    expect(lastLoss(printed)).toBeLessThan(0.5);
  });
});

describe('TypeScript', () => {
  test.each([
    ['es2022', 'nodenext'],
    ['es2022', 'bundler'],
    ['esnext', 'bundler'],
  ])('checks the declarations too, with lib %s and resolution %s', async (lib, resolution) => {
    const folder = join(work, 'npm');
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      lib: [lib, 'dom'],
      module: resolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution: resolution,
      types: [],
      skipLibCheck: false,
    };
    writeFileSync(
      join(folder, 'main.ts'),
      "import { ones, type Tensor } from 'sconce';\nexport const x: Tensor = ones([2]).add(1);\n",
    );
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['main.ts'] }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', folder], folder);
  });
});

describe.skipIf(!host.chromium)('an application of Vite', () => {
  const expected = {
    learned: true,
    sum: 190,
    product: [
      [7, 10],
      [15, 22],
    ],
  };
  const isolating = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = project('vite');
    cpSync(fileURLToPath(new URL('./app', import.meta.url)), folder, { recursive: true });
    await run('npm', ['install', '--no-audit', '--no-fund'], folder);
    browser = await chromium.launch({
      executablePath: host.chromium as string,
      args: chromiumArgs,
    });
  }, 100_000);

  afterAll(async () => {
    await browser?.close();
  });

  async function resultOf(url: string): Promise<unknown> {
    const page = await browser.newPage();
    page.on('console', (message) => message.type() === 'error' && console.log(message.text()));
    page.on('pageerror', (error) => console.log(error.message));
    await page.goto(url);
    await page.waitForFunction(() => document.title !== 'waiting', undefined, { timeout: 90_000 });
    const title = await page.title();
    await page.close();
    return JSON.parse(title);
  }

  const shared = (headers: Record<string, string>) => ({
    root: folder,
    configFile: false as const,
    logLevel: 'error' as const,
    worker: { format: 'es' as const },
    server: { headers, host: '127.0.0.1', port: 0 },
    preview: { headers, host: '127.0.0.1', port: 0 },
  });

  test.each([
    ['isolated', isolating],
    ['not isolated', {}],
  ])('runs in its development server, %s', async (name, headers) => {
    const server = await createServer(shared(headers));
    await server.listen();
    try {
      const url = server.resolvedUrls?.local[0] as string;
      expect(await resultOf(url)).toEqual({ ...expected, isolated: name === 'isolated' });
    } finally {
      await server.close();
    }
  });

  test.each([
    ['isolated', isolating],
    ['not isolated', {}],
  ])('runs as it is built, %s', async (name, headers) => {
    if (!existsSync(join(folder, 'dist'))) await build(shared(headers));
    const server = await preview(shared(headers));
    try {
      const url = server.resolvedUrls?.local[0] as string;
      expect(await resultOf(url)).toEqual({ ...expected, isolated: name === 'isolated' });
    } finally {
      await server.close();
    }
  });
});
