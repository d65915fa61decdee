// `npm run canary`: publishes what is on main under the tag `canary`, as 0.0.0-canary-<commit>, whatever changesets say.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicFolders } from './bundle.mjs';
import { root, run } from './prepare.mjs';

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: root,
  encoding: 'utf8',
});
const version = `0.0.0-canary-${commit.trim()}`;
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** @type {[string, string][]} */
const kept = [];
let status = 1;
try {
  for (const folder of publicFolders()) {
    const file = join(root, 'packages', folder, 'package.json');
    const text = readFileSync(file, 'utf8');
    kept.push([file, text]);
    writeFileSync(file, text.replace(/"version": "[^"]*"/, `"version": "${version}"`));
  }
  const filters = publicFolders().map((folder) => `--filter=./packages/${folder}`);
  const publish = ['publish', '--tag', 'canary', '--no-git-checks', ...process.argv.slice(2)];
  status = run('npx', ['--yes', packageManager, '-r', ...filters, ...publish], {
    shell: process.platform === 'win32',
  });
} finally {
  for (const [file, text] of kept) writeFileSync(file, text);
}
process.exit(status);
