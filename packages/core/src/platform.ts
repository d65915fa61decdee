/**
 * A module of Node's own, by `process.getBuiltinModule`, which bundlers do not follow; undefined in browsers.
 *
 * @example builtinModule<typeof import('node:os')>('node:os')?.availableParallelism() ?? 1
 */
export const builtinModule = <T>(name: string): T | undefined =>
  (
    globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  ).process?.getBuiltinModule?.(name) as T | undefined;

/** An environment variable; undefined in browsers, and where the program may not look (Deno without permissions). */
export function environment(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process
      ?.env?.[name];
  } catch {
    return undefined;
  }
}
