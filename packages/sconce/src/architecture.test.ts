import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as sconce from './index.js';

const file = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');

/** The lines that a diff adds, by the file that a comment above them names. */
function added(diff: string): Map<string, string[]> {
  const files = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of diff.split('\n')) {
    const named = /^ \/\/ (\S+)$/.exec(line)?.[1];
    if (named) {
      lines = [];
      files.set(named, lines);
    } else if (line.startsWith('+')) lines.push(line.slice(1).trim());
  }
  return files;
}

describe('the operator that docs/architecture.md adds', () => {
  const diff = /```diff\n([\s\S]*?)```/.exec(file('docs/architecture.md'))?.[1] ?? '';
  const files = added(diff);

  it('is one row and one derivative', () => {
    expect([...files].map(([path, lines]) => [path, lines.length])).toEqual([
      ['packages/core/src/ops/unary.ts', 1],
      ['packages/autograd/src/derivatives/pointwise.ts', 1],
    ]);
  });

  it.each([...files])('says what is in %s', (path, lines) => {
    const source = file(path)
      .split('\n')
      .map((line) => line.trim());
    for (const line of lines) expect(source).toContain(line);
  });

  it('is a function with out, a method, an in-place method, and has its gradient', () => {
    const { rsqrt, tensor, empty } = sconce;
    const x = tensor([4, 16], { requiresGrad: true });
    const y = x.rsqrt();
    expect(y.toArraySync()).toEqual([0.5, 0.25]);
    y.sum().backward();
    expect(x.grad?.toArraySync()).toEqual([-0.0625, -0.0078125]);
    const out = empty([0]);
    expect(rsqrt(tensor([4, 16]), { out })).toBe(out);
    expect(out.square_().rsqrt_().toArraySync()).toEqual([2, 4]);
  });
});
