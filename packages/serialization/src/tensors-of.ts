import { Tensor } from '@sconce/core';
import { isStateful } from './classes.js';
import { FileError } from './errors.js';

/**
 * The tensors in nested Maps, objects and arrays by their paths, joined with dots: what formats hold that know nothing
 * but names and tensors. Objects with `stateDict()` stand for that.
 *
 * @throws FileError if there is anything but tensors, or two have one path.
 */
export function tensorsOf(value: unknown, format: string): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const visit = (item: unknown, path: string, above: readonly unknown[]): void => {
    if (item instanceof Tensor) {
      if (found.has(path)) throw new FileError(`save: two tensors are named '${path}'`);
      if (path === '')
        throw new FileError(`save: ${format} holds tensors by name; pass { name: tensor }`);
      found.set(path, item);
      return;
    }
    if (above.includes(item)) throw new FileError(`save: '${path}' contains itself`);
    const entries = childrenOf(item);
    if (!entries) {
      throw new FileError(
        `save: '${path || 'the value'}' is ${describe(item)}; ${format} holds tensors alone, a .pt file anything`,
      );
    }
    for (const [key, child] of entries) {
      if (child !== undefined) visit(child, path === '' ? key : `${path}.${key}`, [...above, item]);
    }
  };
  visit(value, '', []);
  return found;
}

function childrenOf(item: unknown): [string, unknown][] | undefined {
  if (isStateful(item)) return childrenOf(item.stateDict());
  if (item instanceof Map) return [...item].map(([key, value]) => [String(key), value]);
  if (Array.isArray(item)) return item.map((value, i) => [String(i), value]);
  if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null ? Object.entries(item) : undefined;
}

function describe(item: unknown): string {
  if (item === null || typeof item !== 'object') return item === null ? 'null' : `a ${typeof item}`;
  return `an object of class ${item.constructor?.name ?? 'unknown'}`;
}
