/**
 * A module of Node's own, by `process.getBuiltinModule`, which bundlers do not follow; undefined in browsers.
 *
 * @example builtinModule<typeof import('node:os')>('node:os')?.availableParallelism() ?? 1
 */
export const builtinModule = <T>(name: string): T | undefined =>
  (
    globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  ).process?.getBuiltinModule?.(name) as T | undefined;
