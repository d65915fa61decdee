// `node scripts/variations.mjs [--node PATH]... [tests...]`: the tests whose numbers depend on the machine, under what varies between
// machines: the kernels of OpenBLAS, none, the number of threads, and other versions of Node.

import { existsSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { parseArgs } from 'node:util';
import { findBlas } from './host.mjs';
import { install, run } from './prepare.mjs';

const { values, positionals } = given();

const usual = [
  'packages/parity/src/parity.test.ts',
  'packages/parity/src/out.test.ts',
  'packages/backend-cpu',
  'packages/core',
  'packages/autograd',
];

/** What the command line says. */
function given() {
  try {
    return parseArgs({
      options: { node: { type: 'string', multiple: true, default: [] } },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/**
 * The kernels of OpenBLAS that this processor can run; it does not look itself.
 *
 * @returns {string[]}
 */
function kernels() {
  const blas = findBlas() ?? '';
  if (!blas.includes('openblas') || arch() !== 'x64' || !existsSync('/proc/cpuinfo')) return [];
  const flags = new Set(
    /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(/\s+/),
  );
  /** @type {[name: string, flag: string][]} */
  const known = [
    ['Prescott', 'pni'],
    ['Nehalem', 'sse4_2'],
    ['Haswell', 'avx2'],
    ['SkylakeX', 'avx512vl'],
  ];
  return known.filter(([, flag]) => flags.has(flag)).map(([name]) => name);
}

/** @type {{ name: string, node?: string, env?: Record<string, string> }[]} */
const variations = [
  ...kernels().map((kind) => ({
    name: `OpenBLAS' kernels for ${kind}`,
    env: { OPENBLAS_CORETYPE: kind },
  })),
  { name: 'no BLAS', env: { SCONCE_BLAS: 'off' } },
  ...[1, 2, 3].map((n) => ({ name: `threads: ${n}`, env: { SCONCE_NUM_THREADS: String(n) } })),
  ...values.node.map((node) => ({ name: node, node })),
];

install();
const tests = positionals.length > 0 ? positionals : usual;
/** @type {string[]} */
const failed = [];
for (const { name, node = process.execPath, env = {} } of variations) {
  console.log(`\n== ${name}`);
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--silent', ...tests];
  if (run(node, args, { env: { ...process.env, ...env } }) !== 0) failed.push(name);
}
console.log(`\n${variations.length - failed.length} of ${variations.length} variations passed`);
for (const name of failed) console.log(`failed: ${name} (see above)`);
process.exit(failed.length > 0 ? 1 : 0);
