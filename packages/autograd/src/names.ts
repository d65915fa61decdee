import type { Op } from '@sconce/core';

/** What PyTorch calls the node, where it is not simply the operation's name. */
const names: Readonly<Record<string, string | ((args: readonly unknown[]) => string)>> = {
  amax: 'AmaxBackward0',
  copy: 'CopyBackwards',
  toDtype: 'ToCopyBackward0',
  toDevice: 'ToCopyBackward0',
  pow: (args) => {
    if (isPlain(args[1])) return 'PowBackward0';
    return isPlain(args[0]) ? 'PowBackward2' : 'PowBackward1';
  },
  sum: reduction('Sum'),
  mean: reduction('Mean'),
  prod: reduction('Prod'),
  divTrunc: 'DivBackward1',
  vectorNorm: 'NormBackward1',
};

const isPlain = (x: unknown): boolean => typeof x !== 'object' || x === null;

/** The first form reduces everything, the second named dimensions. */
function reduction(name: string): (args: readonly unknown[]) => string {
  return ([self, axes]) => {
    const { length } = (self as { shape: readonly number[] }).shape;
    return `${name}Backward${(axes as readonly number[]).length === length ? 0 : 1}`;
  };
}

/** The name of an operation's node, as PyTorch prints it: `AddBackward0`. */
export function nodeName(op: Op, args: readonly unknown[]): string {
  const name = names[op.name];
  if (typeof name === 'function') return name(args);
  return name ?? `${op.name[0]?.toUpperCase()}${op.name.slice(1)}Backward0`;
}
