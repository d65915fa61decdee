import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkLayers, importsOf } from './check-layers.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sconce-layers-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function addPackage(folder: string, manifest: object, files: Record<string, string>): void {
  write(
    `packages/${folder}/package.json`,
    JSON.stringify({ name: `@sconce/${folder}`, ...manifest }),
  );
  for (const [file, text] of Object.entries(files)) write(`packages/${folder}/${file}`, text);
}

describe('checkLayers', () => {
  test('lets imports point down the table', () => {
    addPackage(
      'nn',
      { dependencies: { '@sconce/core': '*', '@sconce/autograd': '*' } },
      {
        'src/index.ts': `import { a } from '@sconce/core';\nexport * from '@sconce/autograd';\nimport 'node:fs';\n`,
        'src/deep/b.ts': `export * from '../index.js';\n`,
      },
    );
    expect(checkLayers(root)).toEqual([]);
  });

  test.each([
    `import { a } from '@sconce/nn';`,
    `import type { A } from '@sconce/nn';`,
    `export { a } from '@sconce/nn';`,
    `export * from '@sconce/nn/deep';`,
    `const nn = await import('@sconce/nn');`,
    `type A = import('@sconce/nn').A;`,
  ])('catches an import that points up: %s', (statement) => {
    addPackage(
      'core',
      { dependencies: { '@sconce/nn': '*' } },
      { 'src/index.ts': `\n${statement}\n` },
    );
    expect(checkLayers(root)).toEqual([
      'packages/core/src/index.ts:2: @sconce/nn is not below @sconce/core, which may import: none of ours',
    ]);
  });

  test('catches an import that the package.json lacks, of ours and of others', () => {
    addPackage(
      'kernels',
      {},
      { 'src/a.ts': `import '@sconce/core';\nimport koffi from 'koffi';\n` },
    );
    expect(checkLayers(root)).toEqual([
      'packages/kernels/src/a.ts:1: @sconce/core is not in its package.json',
      'packages/kernels/src/a.ts:2: koffi is not in its package.json',
    ]);
  });

  test('catches a relative import that reaches into another package', () => {
    addPackage('nn', {}, { 'src/a.ts': `import '../../core/src/tensor.js';` });
    expect(checkLayers(root)).toEqual([
      'packages/nn/src/a.ts:1: ../../core/src/tensor.js leaves the package; import the other package by its name',
    ]);
  });

  test('lets a test import more when it is a devDependency, and only then', () => {
    const text = `import { test } from 'vitest';\nimport '@sconce/nn';\n`;
    addPackage(
      'optim',
      { devDependencies: { '@sconce/nn': '*' } },
      {
        'src/a.test.ts': text,
        'src/b.ts': `import '@sconce/nn';`,
      },
    );
    addPackage('data', {}, { 'src/a.test.ts': text });
    expect(checkLayers(root).sort()).toEqual([
      'packages/data/src/a.test.ts:2: @sconce/nn is not below @sconce/data, which may import: core',
      'packages/optim/src/b.ts:1: @sconce/nn is not below @sconce/optim, which may import: core, autograd',
    ]);
  });

  test('catches a package that the table does not know', () => {
    addPackage('extra', {}, {});
    expect(checkLayers(root)).toEqual([
      'packages/extra: not in the table of scripts/check-layers.mjs',
    ]);
  });
});

describe('importsOf', () => {
  test('reads no import out of comments and strings', () => {
    const source = [
      `/** import { a } from 'a'; */`,
      `// import 'b';`,
      "const text = `import 'c';`;",
      `import d from 'd';`,
    ].join('\n');
    expect(importsOf('a.ts', source)).toEqual([{ name: 'd', line: 4 }]);
  });
});
