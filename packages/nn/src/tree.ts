import { RuntimeError } from '@sconce/core';
import type { Module } from './module.js';
import { registry } from './registry.js';

interface Visit {
  readonly module: Module;
  readonly path: string;
  readonly rest: Iterator<[string, Module]>;
}

const visit = (module: Module, path: string): Visit => ({
  module,
  path,
  rest: registry(module).modules.present(),
});

export const join = (prefix: string, name: string): string =>
  prefix === '' ? name : `${prefix}.${name}`;

/**
 * Throws if a module is a part of itself, for what goes through every path of the tree.
 *
 * @throws RuntimeError that names the path.
 */
export function checkTree(operation: string, root: Module): void {
  const open = new Set([root]);
  const done = new Set<Module>();
  const stack = [visit(root, '')];
  while (stack.length > 0) {
    const { module, path, rest } = stack.at(-1) as Visit;
    const next = rest.next();
    if (next.done) {
      open.delete(module);
      done.add(module);
      stack.pop();
      continue;
    }
    const [name, child] = next.value;
    const below = join(path, name);
    if (open.has(child)) {
      throw new RuntimeError(
        `${operation}: ${child.getName()} contains itself, as '${below}'; a reference back to a module that holds this one is kept in an array, a function or a #private field, which are no submodules`,
      );
    }
    if (done.has(child)) continue;
    open.add(child);
    stack.push(visit(child, below));
  }
}

/** A module and all below it by their paths; those that stand in several places several times. */
export function* paths(root: Module, prefix: string): Generator<[string, Module]> {
  const stack: [string, Module][] = [[prefix, root]];
  for (let next = stack.pop(); next; next = stack.pop()) {
    yield next;
    const [path, module] = next;
    const below = [...registry(module).modules.present()];
    for (const [name, child] of below.reverse()) stack.push([join(path, name), child]);
  }
}
