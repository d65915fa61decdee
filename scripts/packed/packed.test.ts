// Each public package, packed, installed with npm in an empty folder and used there alone.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../prepare.mjs';
import { packAll, run as runProgram } from '../testing/packing.js';

const work = mkdtempSync(join(tmpdir(), 'sconce-packed-'));
const tarballs = join(work, 'tarballs');

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  dependencies?: Record<string, string>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

const manifests = new Map(
  readdirSync(join(root, 'packages'))
    .map((folder) => manifestOf(join(root, 'packages', folder)))
    .filter((manifest) => !manifest.private)
    .map((manifest) => [manifest.name, manifest]),
);
const names = [...manifests.keys()].sort();

/** A package and what of ours it depends on, none of which is on a registry yet. */
function closure(name: string, seen = new Set<string>()): string[] {
  if (manifests.has(name) && !seen.has(name)) {
    seen.add(name);
    for (const dependency of Object.keys(manifests.get(name)?.dependencies ?? {})) {
      closure(dependency, seen);
    }
  }
  return [...seen];
}

function tarballOf(name: string): string {
  const { version } = manifests.get(name) as Manifest;
  return join(tarballs, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

/** The empty folder in which a package is installed. */
function folderOf(name: string): string {
  return join(work, name.replace('@sconce/', ''));
}

const run = (command: string, args: readonly string[], cwd: string): Promise<string> =>
  runProgram(command, args, { cwd, timeout: 100_000 });

async function install(name: string): Promise<void> {
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run('npm', ['install', ...flags, ...closure(name).map(tarballOf)], folder);
}

beforeAll(() => packAll(tarballs), 60_000);

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
}, 60_000);

describe.each(names)('%s', (name) => {
  test('packs what a user needs and nothing else', async () => {
    const files = (await run('tar', ['-tzf', tarballOf(name)], work)).trim().split('\n');
    expect(files).toEqual(
      expect.arrayContaining(
        ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'].map(
          (file) => `package/${file}`,
        ),
      ),
    );
    expect(files.filter((file) => /\.test\.|tsbuildinfo|node_modules/.test(file))).toEqual([]);
    // Every source map finds its source.
    const maps = files.filter((file) => /^package\/dist\/.*\.js\.map$/.test(file));
    expect(maps.length).toBeGreaterThan(0);
    for (const map of maps) {
      const text = await run('tar', ['-xzOf', tarballOf(name), map], work);
      const { sources, sourcesContent } = JSON.parse(text);
      const places = sources.map((source: string) => posix.join('package/dist', source));
      expect(places.filter((place: string) => !files.includes(place))).toEqual([]);
      expect(sourcesContent).toBeUndefined();
    }
  });

  test('installs alone, is imported, and has types', async () => {
    await install(name);
    const folder = folderOf(name);
    const { dependencies = {} } = manifestOf(join(folder, 'node_modules', name));
    expect(
      Object.values(dependencies).filter((range) => /workspace|link|file/.test(range)),
    ).toEqual([]);

    writeFileSync(
      join(folder, 'main.mjs'),
      `import * as all from '${name}';\nconsole.log(Object.keys(all).length);\n`,
    );
    const count = Number(await run(process.execPath, ['main.mjs'], folder));
    expect(count).toBeGreaterThan(0);

    writeFileSync(
      join(folder, 'main.ts'),
      `import * as all from '${name}';\nexport const names: string[] = Object.keys(all);\n`,
    );
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'nodenext',
      moduleResolution: 'nodenext',
      lib: ['es2023', 'esnext.disposable', 'dom'],
      // Declarations must not need types that only this repository has.
      types: [],
      skipLibCheck: false,
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['main.ts'] }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', folder], folder);
  });
});

describe('sconce in a browser', () => {
  test('bundles with neither koffi nor the webgpu package, and no Node module', async () => {
    const folder = folderOf('sconce');
    const { metafile } = await build({
      stdin: {
        contents: `import * as sconce from 'sconce';\nglobalThis.sconce = sconce;\n`,
        resolveDir: folder,
      },
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      splitting: true,
      outdir: join(work, 'bundle'),
      external: ['node:*'],
      logLevel: 'silent',
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.some((file) => file.includes('node_modules/@sconce/backend-cpu/'))).toBe(true);
    expect(inputs.filter((file) => /node_modules\/(koffi|@koromix|webgpu)\//.test(file))).toEqual(
      [],
    );
    // A dynamic import of a Node module behind a check is harmless; a static one stops the page.
    const external = Object.values(metafile.outputs)
      .flatMap((output) => output.imports)
      .filter((found) => found.external && found.kind !== 'dynamic-import');
    expect(external).toEqual([]);
  });
});
