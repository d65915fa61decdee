import { builtinModule, takes, ValueError } from '@sconce/core';
import type { DatasetLike } from '../dataset.js';
import type { IterableDataset } from '../iterable-dataset.js';
import * as signatures from '../signatures.js';
import { serveIfWorker } from './serve.js';

/** Where workers find the module of a dataset. */
export interface DatasetOrigin {
  /** The module's own address, `import.meta.url`. */
  readonly url: string | undefined;
  /** Starts a Web Worker on the module, in the form that bundlers recognise. */
  readonly worker: (() => Worker) | undefined;
}

/** What `defineDataset` takes as the place of a module. */
export type DatasetPlace =
  | string
  | URL
  | (() => Worker)
  | { readonly url?: string | URL; readonly worker?: () => Worker };

/** Options of `defineDataset`. */
export interface DefineDatasetOptions {
  /** Tells several datasets of one module apart; default `'default'`. */
  name?: string;
  /** Functions of the module that a loader may be given to run in its workers: for `collateFn`, `workerInitFn` and `map`. */
  // biome-ignore lint/suspicious/noExplicitAny: functions of any type are looked up by identity alone
  functions?: readonly ((...args: any[]) => unknown)[];
}

type Create = (...args: never[]) => unknown;

interface Definition {
  readonly origin: DatasetOrigin;
  readonly name: string;
  readonly create: Create;
  readonly functions: readonly unknown[];
}

/** How a function is called where only text travels. */
export interface FunctionName {
  readonly url: string | undefined;
  readonly name: string;
  readonly place: number;
}

const definitions = new Map<string, Definition | 'several'>();
const made = new WeakMap<object, Definition & { readonly args: readonly unknown[] }>();
const functions = new WeakMap<object, { origin: DatasetOrigin; name: string; place: number }>();

const keyOf = (url: string | undefined, name: string): string => `${url ?? ''}#${name}`;

/**
 * Defines a dataset in a module that both this thread and the workers of a `DataLoader` load, since neither classes nor open files can
 * be sent between threads. What it returns makes the dataset here; given to a `DataLoader` with `numWorkers`, each
 * worker loads the module and makes the dataset for itself, from the same arguments.
 *
 * @param place `import.meta.url`: right in Node, and in browsers where modules are not bundled together. For bundlers, a function with the
 *   expression they look for: `() => new Worker(new URL('./digits.js', import.meta.url), { type: 'module' })`; for both, `{ url, worker }`.
 * @param create makes the dataset; its arguments must be values that can be cloned (plain data, typed arrays, shared memory).
 * @returns a function of the same arguments that resolves to the dataset.
 * @example
 * // digits.ts
 * export const digits = defineDataset(import.meta.url, (folder: string) => ImageFolder.open(folder));
 * // train.ts
 * const loader = new DataLoader(await digits('data/train'), { batchSize: 64, shuffle: true, numWorkers: 2 });
 */
export function defineDataset<
  A extends readonly unknown[],
  D extends DatasetLike<unknown> | IterableDataset<unknown>,
>(
  place: DatasetPlace,
  create: (...args: A) => D | Promise<D>,
  options: DefineDatasetOptions = {},
): (...args: A) => Promise<D> {
  takes('defineDataset', signatures.defineDataset, arguments);
  const origin = originOf(place);
  const name = options.name ?? 'default';
  const listed = options.functions ?? [];
  const definition: Definition = { origin, name, create: create as Create, functions: listed };
  // A bundle has another address in a worker, so there the name alone must do.
  for (const key of new Set([keyOf(origin.url, name), keyOf(undefined, name)]))
    definitions.set(key, definitions.has(key) ? 'several' : definition);
  for (const [i, f] of listed.entries()) functions.set(f, { origin, name, place: i });
  serveIfWorker();
  return async (...args) => {
    const dataset = await create(...args);
    made.set(dataset as object, { ...definition, args });
    return dataset;
  };
}

function originOf(place: DatasetPlace): DatasetOrigin {
  if (typeof place === 'function') return { url: undefined, worker: place };
  if (typeof place === 'string' || place instanceof URL)
    return { url: String(place), worker: undefined };
  return { url: place.url === undefined ? undefined : String(place.url), worker: place.worker };
}

/** The address by which a worker knows a module; where a bundler starts workers it knows names alone. */
const addressOf = ({ url, worker }: DatasetOrigin): string | undefined =>
  worker && !builtinModule('node:worker_threads') ? undefined : url;

/** What made a dataset, if `defineDataset` did. */
export function definitionOf(
  dataset: object,
):
  | { origin: DatasetOrigin; url: string | undefined; name: string; args: readonly unknown[] }
  | undefined {
  const found = made.get(dataset);
  return found && { ...found, url: addressOf(found.origin) };
}

/** The name of a function that a definition listed. */
export function functionName(f: object): FunctionName | undefined {
  const found = functions.get(f);
  return found && { url: addressOf(found.origin), name: found.name, place: found.place };
}

async function find(url: string | undefined, name: string): Promise<Definition> {
  const key = keyOf(url, name);
  if (url && !definitions.has(key)) await import(/* @vite-ignore */ /* webpackIgnore: true */ url);
  const found = definitions.get(key);
  if (found === 'several')
    throw new ValueError(
      `defineDataset: several datasets are named '${name}'${url ? ` in ${url}` : ''}; tell them apart by { name }`,
    );
  if (!found)
    throw new ValueError(
      `defineDataset: ${url ?? "the worker's module"} defines no dataset named '${name}'; call defineDataset at the top level of the module that workers load`,
    );
  return found;
}

/** Makes a dataset in a worker. */
export async function madeDataset(
  url: string | undefined,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const { create } = await find(url, name);
  return create(...(args as never[]));
}

/** The function of that name in a worker. */
export async function namedFunction<F>({ url, name, place }: FunctionName): Promise<F> {
  return (await find(url, name)).functions[place] as F;
}
