import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Modules bundled from source into a folder, as workers of Node and browsers load them. */
export interface Bundle {
  readonly folder: string;
  url(name: string): string;
  remove(): Promise<void>;
}

/** Bundles modules of this folder and the workers' own entry, sharing what they have in common. */
export async function bundle(
  names: readonly string[],
  platform: 'node' | 'browser',
): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'sconce-data-'));
  const aliases = ['backend-cpu', 'core', 'data', 'kernels'].map((name) => [
    `@sconce/${name}`,
    `${root}packages/${name}/src/index.ts`,
  ]);
  await build({
    entryPoints: [
      ...names.map((name) => `${root}packages/data/test/${name}.ts`),
      { in: `${root}packages/data/src/loader/worker-entry.ts`, out: 'worker-entry' },
    ].map((entry) =>
      typeof entry === 'string' ? { in: entry, out: entry.replace(/^.*\/|\.ts$/g, '') } : entry,
    ),
    alias: Object.fromEntries(aliases),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform,
    target: 'es2022',
    sourcemap: 'inline',
    outdir: folder,
    logLevel: 'error',
  });
  return {
    folder,
    url: (name) => pathToFileURL(join(folder, `${name}.js`)).href,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
