import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { fromSource } from '../../../scripts/testing/from-source.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Modules bundled from source into a folder, as workers of Node and browsers load them. */
export interface Bundle {
  readonly folder: string;
  url(name: string): string;
  remove(): Promise<void>;
}

/** Bundles modules, by their paths from the root, and the workers' own entry, sharing what they have in common. */
export async function bundle(
  paths: readonly string[],
  platform: 'node' | 'browser',
): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'sconce-data-'));
  await build({
    entryPoints: [...paths, 'packages/data/src/loader/worker-entry.ts'].map((path) => ({
      in: root + path,
      out: path.replace(/^.*\/|\.ts$/g, ''),
    })),
    plugins: [fromSource],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform,
    target: 'es2022',
    sourcemap: 'inline',
    outdir: folder,
    // Asked for at run time, and only if they are there.
    external: ['koffi', 'webgpu'],
    logLevel: 'error',
  });
  return {
    folder,
    url: (name) => pathToFileURL(join(folder, `${name}.js`)).href,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
