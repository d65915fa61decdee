// A registry on loopback that holds what is about to be published, and passes other packages on.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runServer } from 'verdaccio';

const exec = promisify(execFile);
// npm and npx are .cmd files on Windows, which start only through a shell.
const shell = process.platform === 'win32';

/** A running registry. */
export interface Registry {
  /** Its address, which ends with a slash. */
  readonly url: string;
  /** Variables with which package managers use it, and nothing that a user has set up. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** Starts a registry whose storage and settings lie under `folder`. */
export async function startRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const upstream = (await exec('npm', ['config', 'get', 'registry'], { shell })).stdout.trim();
  const ours = { access: '$all', publish: '$all', unpublish: '$all' };
  const server: Server = await runServer({
    self_path: join(folder, 'config.yaml'),
    storage: join(folder, 'storage'),
    uplinks: { upstream: { url: upstream, maxage: '30m', timeout: '120s', max_fails: 20 } },
    packages: {
      sconce: ours,
      '@sconce/*': ours,
      '**': { access: '$all', proxy: 'upstream' },
    },
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
    max_body_size: '64mb',
  } as never);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const npmrc = join(folder, 'npmrc');
  writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=rehearsal\n`);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|pnpm_|yarn_|bun_|deno_)/i.test(name),
  );
  return {
    url,
    env: {
      ...Object.fromEntries(inherited),
      NPM_CONFIG_USERCONFIG: npmrc,
      NPM_CONFIG_REGISTRY: url,
      YARN_NPM_REGISTRY_SERVER: url,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      BUN_CONFIG_REGISTRY: url,
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
