// `npm test`: installs, builds and type-checks, lints, and runs every test.
// `npm test -- packages/core` runs the tests under the named paths only.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, root, run, runNode } from './prepare.mjs';

const cache = join(root, 'node_modules', '.cache');
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const broken = [];

/**
 * A check that passes or fails as a whole; the ones after it run either way.
 *
 * @param {string} name
 * @param {() => number} check
 */
function step(name, check) {
  console.log(`\n== ${name}`);
  const passed = check() === 0;
  total[passed ? 'passed' : 'failed']++;
  if (!passed) broken.push(name);
  return passed;
}

/**
 * @param {string} name
 * @param {string[]} args of `vitest run`
 */
function vitest(name, args) {
  console.log(`\n== ${name}`);
  const json = join(cache, `vitest-${name.replaceAll(' ', '-')}.json`);
  rmSync(json, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${json}`];
  const status = runNode('node_modules/vitest/vitest.mjs', ['run', ...reporters, ...args]);
  const counts = existsSync(json) ? countTests(json) : { passed: 0, failed: 0, skipped: 0 };
  // A crash, or an error outside any test, fails the run without failing a test.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  if (status !== 0) broken.push(name);
}

/** @param {string} file a report of vitest's json reporter */
function countTests(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of report.testResults) {
    // A file that cannot be loaded holds no test to fail.
    if (suite.status === 'failed' && suite.assertionResults.length === 0) counts.failed++;
    for (const { status } of suite.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') counts.failed++;
      else counts.skipped++;
    }
  }
  return counts;
}

install();
mkdirSync(cache, { recursive: true });
const chosen = process.argv.slice(2);
if (chosen.length > 0) {
  vitest('tests', chosen);
} else {
  const built = step('build and types', () => build());
  step('lint', () => run('npx', ['biome', 'check'], { shell: process.platform === 'win32' }));
  step('layers', () => runNode('scripts/check-layers.mjs'));
  vitest('tests', []);
  step('changesets', () => runNode('node_modules/@changesets/cli/bin.js', ['status']));
  if (built) vitest('packed packages', ['--config', 'vitest.packages.config.ts']);
  // It asks the registry of npm for other packages, and so is for machines that test everything.
  if (built && process.env.SCONCE_TEST_ALL) {
    vitest('rehearsal of a release', ['--config', 'vitest.rehearsal.config.ts']);
  }
}

console.log('');
for (const name of broken) console.log(`failed: ${name} (see above)`);
console.log(`sconce: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
