// Every snippet of the READMEs compiles as a user's strict TypeScript, and runs.

import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../prepare.mjs';
import { setups } from './readme-setups.js';

const exec = promisify(execFile);
const work = realpathSync(mkdtempSync(join(tmpdir(), 'sconce-readme-')));

interface Snippet {
  readonly name: string;
  readonly file: string;
  readonly code: string;
}

/** The snippets of a page; one that begins with the name of a module is found by others under that name. */
function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ''], i) => {
    const name = `${page} ${i}`;
    const module = /^\/\/ (\w+)\.ts\n/.exec(code)?.[1] ?? `snippet${i}`;
    return { name, file: join(page.replaceAll(/\W/g, '-'), module), code };
  });
}

const packages = readdirSync(join(root, 'packages')).filter((name) => name !== 'parity');
const pages = [
  'README.md',
  'docs/webgpu.md',
  ...packages.map((name) => `packages/${name}/README.md`),
];
const snippets = pages.flatMap(snippetsOf);

function link(name: string, target: string): void {
  const path = join(work, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(realpathSync(target), path, 'junction');
}

beforeAll(() => {
  for (const name of packages)
    link(name === 'sconce' ? name : `@sconce/${name}`, join(root, 'packages', name));
  link('@types/node', join(root, 'node_modules/@types/node'));
  link('@huggingface/tokenizers', join(root, 'packages/data/node_modules/@huggingface/tokenizers'));
  writeFileSync(join(work, 'package.json'), '{ "private": true, "type": "module" }\n');
  const compilerOptions = {
    strict: true,
    target: 'es2022',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['es2023', 'esnext.disposable', 'dom'],
    types: ['node'],
    rootDir: 'src',
    outDir: 'out',
    skipLibCheck: true,
  };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  for (const { name, file, code } of snippets) {
    const path = join(work, 'src', `${file}.ts`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${setups[name]?.before ?? ''}\n${code}\nexport {};\n`);
  }
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

/** What a program printed, also where it failed. */
async function output(file: string, args: string[], cwd = work): Promise<string> {
  const failed = (error: { stdout?: string; stderr?: string }) =>
    `failed: ${error.stdout}${error.stderr}`;
  return exec(process.execPath, [file, ...args], { cwd, timeout: 60_000 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    failed,
  );
}

describe('snippets of the READMEs', () => {
  test('are found, and setups are of snippets that exist', () => {
    const names = snippets.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(12);
    expect(Object.keys(setups).filter((name) => !names.includes(name))).toEqual([]);
  });

  test('compile in strict TypeScript', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(await output(tsc, ['-p', '.'])).toBe('');
  });

  const running = snippets.filter(({ name }) => !setups[name]?.typesOnly);
  test.each(running.map((s) => [s.name, s] as const))('%s runs', async (_, { file }) => {
    const path = join(work, 'out', `${file}.js`);
    expect(existsSync(path)).toBe(true);
    const folder = join(work, 'files', file);
    mkdirSync(folder, { recursive: true });
    expect(await output(path, [], folder)).not.toMatch(/failed|warning|error/i);
  });
});
