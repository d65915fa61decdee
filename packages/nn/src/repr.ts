import { entries, type Module, Module as ModuleClass, stateKey } from './module.js';

const indent = (text: string): string => text.split('\n').join('\n  ');

/** PyTorch's repr: the class name, its extra text, and submodules on lines of their own. */
export function moduleRepr(module: Module): string {
  const extra = module.extraRepr();
  const extraLines = extra === '' ? [] : extra.split('\n');
  const children = entries(module)
    .filter((x): x is [string, Module] => x[1] instanceof ModuleClass)
    .map(([name, child]) => `(${stateKey(module, name)}): ${indent(child.toString())}`);
  const name = module.getName();
  if (children.length === 0 && extraLines.length <= 1) return `${name}(${extraLines[0] ?? ''})`;
  return `${name}(\n  ${[...extraLines, ...children].join('\n  ')}\n)`;
}
