import { builtinModule } from '@sconce/core';
import type { LinearMemory } from './memory.js';

/** The part of koffi that is used. */
export interface Koffi {
  load(path: string | null): Library;
  address(view: ArrayBufferView): bigint;
  config(): KoffiSettings;
  config(settings: KoffiSettings): unknown;
}

interface KoffiSettings {
  readonly sync_stack_size: number;
}

/** The stack that native functions are called on: OpenBLAS's threaded LU takes half a MiB for each halving of a matrix. */
const stackBytes = 16 * 2 ** 20;

export interface Library {
  func(declaration: string): (...args: never[]) => unknown;
}

/** The operating system as Node names it; empty in browsers. */
export const platform = (): string =>
  builtinModule<typeof import('node:process')>('node:process')?.platform ?? '';

/** koffi and where it lies, or undefined where it is not installed (it is optional) or not to be had (browsers). */
export function findKoffi(): { koffi: Koffi; path: string } | undefined {
  const module = builtinModule<typeof import('node:module')>('node:module');
  if (!module) return undefined;
  try {
    const require = module.createRequire(import.meta.url);
    const path = require.resolve('koffi');
    const koffi = require(path) as Koffi;
    enlargeStack(koffi);
    return { koffi, path };
  } catch {
    return undefined;
  }
}

/** Asks for a large stack; koffi refuses once any library is loaded, by whomever. */
function enlargeStack(koffi: Koffi): void {
  const settings = koffi.config();
  if (settings.sync_stack_size >= stackBytes) return;
  try {
    koffi.config({ ...settings, sync_stack_size: stackBytes });
  } catch {
    // `hasLargeStack` tells
  }
}

/** Whether native functions may use as much stack as threaded factorisations want. */
export const hasLargeStack = (koffi: Koffi): boolean =>
  koffi.config().sync_stack_size >= stackBytes;

/** Where the memory begins in the process; it stays there when the memory grows. */
export const baseAddress = (koffi: Koffi, memory: LinearMemory): number =>
  Number(koffi.address(new Uint8Array(memory.buffer)));

const hugePage = 14; // MADV_HUGEPAGE

/**
 * Asks Linux to back the memory with large pages, which makes the first touch of new tensors a few times
 * cheaper; nothing happens where that cannot be asked for.
 */
export function useHugePages(memory: LinearMemory): void {
  if (platform() !== 'linux') return;
  const found = findKoffi();
  if (!found) return;
  try {
    const advise = found.koffi
      .load(null)
      .func('int madvise(intptr_t start, size_t length, int advice)');
    const call = advise as unknown as (start: number, length: number, advice: number) => number;
    call(baseAddress(found.koffi, memory), memory.maximum * 65536, hugePage);
  } catch {
    // a C library without it
  }
}
