import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publicFolders } from '../bundle.mjs';
import { root } from '../prepare.mjs';

const exec = promisify(execFile);
// npm and npx are .cmd files on Windows, which start only through a shell.
const shell = process.platform === 'win32';

/** How a program is run. */
export interface RunOptions {
  readonly cwd: string;
  /** Variables instead of this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which it is ended; default 150,000. */
  readonly timeout?: number;
}

/**
 * Runs a program and gives what it printed.
 *
 * @throws Error that holds what it printed, if it fails.
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, timeout = 150_000, ...options }: RunOptions,
): Promise<string> {
  try {
    const given = { ...options, cwd, shell, timeout, maxBuffer: 1 << 26 };
    return (await exec(command, args, given)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}\n${stdout}\n${stderr}`);
  }
}

/** Packs every public package into a folder, as it is published. */
export async function packAll(destination: string): Promise<void> {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const filters = publicFolders().map((folder) => `--filter=./packages/${folder}`);
  const pack = ['-r', ...filters, 'pack', '--pack-destination', destination];
  await run('npx', ['--yes', packageManager, ...pack], { cwd: root });
}
