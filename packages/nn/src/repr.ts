import type { Module } from './module.js';
import { registry } from './registry.js';

const indent = (text: string): string => text.split('\n').join('\n  ');

/** PyTorch's repr: the class name, its extra text, and submodules on lines of their own. */
export function moduleRepr(module: Module): string {
  const extra = module.extraRepr();
  const extraLines = extra === '' ? [] : extra.split('\n');
  const children = [...registry(module).modules].map(
    ([name, child]) => `(${name}): ${child === null ? 'None' : indent(child.toString())}`,
  );
  const name = module.getName();
  if (children.length === 0 && extraLines.length <= 1) return `${name}(${extraLines[0] ?? ''})`;
  return `${name}(\n  ${[...extraLines, ...children].join('\n  ')}\n)`;
}
