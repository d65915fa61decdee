// Brings a clone from nothing to installed and built, with Node and npm alone.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const stamp = join(root, 'node_modules', '.cache', 'sconce-install');

/**
 * Runs a program with its output on this terminal.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean }} [options]
 * @returns {number} its exit status, 1 when it could not start or a signal ended it
 */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/**
 * Runs a JavaScript file of an installed package, or of this repository, with this Node.
 *
 * @param {string} file path from the root
 * @param {string[]} [args]
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {number} its exit status
 */
export function runNode(file, args = [], env = process.env) {
  return run(process.execPath, [join(root, file), ...args], { env });
}

/**
 * Builds, and so type-checks, the named TypeScript projects and what they depend on, and bundles our packages.
 *
 * @param {string[]} projects folders from the root; none means everything, tests included
 * @returns {number} an exit status
 */
export function build(...projects) {
  const status = runNode('node_modules/typescript/bin/tsc', ['-b', ...projects]);
  return status === 0 ? runNode('scripts/bundle.mjs') : status;
}

/**
 * Installs the dependencies if what is installed is not what the lockfile says. Ends the process
 * with a message when that fails.
 */
export function install() {
  checkNode();
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Installing dependencies ...');
  const pnpm = manifest.packageManager;
  const status = run(
    'npx',
    ['--yes', pnpm, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'],
    // npm and npx are .cmd files on Windows, which start only through a shell.
    { shell: process.platform === 'win32' },
  );
  if (status !== 0) {
    console.error(`\nThe dependencies could not be installed (npx ${pnpm} install failed, above).`);
    process.exit(status);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/**
 * Installs, then builds the named projects (everything when none is named). Ends the process when
 * either fails.
 *
 * @param {string[]} projects folders from the root
 */
export function prepare(...projects) {
  install();
  const status = build(...projects);
  if (status !== 0) process.exit(status);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Sconce needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** What decides the contents of node_modules: the lockfile, the manifests and this Node. */
function fingerprint() {
  const hash = createHash('sha256');
  const folders = ['packages', 'examples'].flatMap((parent) =>
    readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(parent, entry.name)),
  );
  const manifests = ['.', 'bench', ...folders].map((folder) => join(folder, 'package.json'));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  hash.update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  return hash.digest('hex');
}
