import { type Device, Storage, Tensor } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { Budget, cost, headerFactor } from '../io/budget.js';
import { type Fill, fillAll } from '../io/fill.js';
import { openSource, type Source } from '../io/source.js';
import type { LoadOptions } from '../options.js';
import { readHeader, type SafetensorsHeader, type TensorInfo } from './header.js';
import { JsonFault, JsonReader } from './json.js';

/** A tensor that a safetensors file promises, and what fills it. */
export function prepareTensor(
  source: Source,
  info: TensorInfo,
  device: Device,
): { tensor: Tensor; fill: Fill } {
  const { dtype, shape, offset, name, type } = info;
  if (!dtype) {
    throw new FileError(
      `${source.name}: tensor ${quote(name)} is of ${type}, which has no dtype here; open the file with openTensors to read the others`,
    );
  }
  const length = shape.reduce((n, size) => n * size, 1);
  const storage = new Storage(device, dtype, length);
  return { tensor: new Tensor(storage, dtype, shape), fill: { storage, source, offset } };
}

/** What reading the header of a file may cost. */
export const headerBudget = (source: Source, { maxExpansion }: LoadOptions): Budget =>
  new Budget(source.name, source.size, headerFactor, maxExpansion);

/** Second names of tensors, which the metadata gives: `{ 'lm_head.weight': 'embed.weight' }`. */
export function secondNames({ tensors, metadata }: SafetensorsHeader): [string, string][] {
  return Object.entries(metadata).filter(
    ([name, target]) => name !== 'format' && !tensors.has(name) && tensors.has(target),
  );
}

/** Reads all tensors of a safetensors file, in the order of its header. */
export async function readSafetensors(
  source: Source,
  device: Device,
  options: LoadOptions,
): Promise<Map<string, Tensor>> {
  const header = await readHeader(source, headerBudget(source, options));
  const state = new Map<string, Tensor>();
  const fills: Fill[] = [];
  for (const info of header.tensors.values()) {
    const { tensor, fill } = prepareTensor(source, info, device);
    state.set(info.name, tensor);
    fills.push(fill);
  }
  await fillAll(fills, options);
  for (const [name, target] of secondNames(header)) state.set(name, state.get(target) as Tensor);
  return state;
}

/** The index of a file in several parts: the part of each tensor. */
export async function readIndex(source: Source, budget: Budget): Promise<Map<string, string>> {
  const fault = (why: string): FileError => new FileError(`${source.name}: ${why}`);
  if (source.size > 100_000_000) throw fault('an index of more than 100 MB is too long');
  let parts: Map<string, string> | undefined;
  const add = (tensor: string, file: unknown): void => {
    if (
      typeof file !== 'string' ||
      !/^[^/\\:\0]+\.safetensors$/.test(file) ||
      file.startsWith('..')
    ) {
      throw fault(
        `tensor ${quote(tensor)} is said to be in ${quote(String(file))}, which is no name of a safetensors file beside the index`,
      );
    }
    if (parts?.has(tensor)) throw fault(`the index has ${quote(tensor)} twice`);
    budget.spend(2 * cost.entry + 2 * (tensor.length + file.length));
    parts?.set(tensor, file);
  };
  try {
    const json = new JsonReader(await source.read(0, source.size));
    json.members((key) => {
      if (key !== 'weight_map') {
        json.value();
        return;
      }
      if (parts) throw fault('the index has "weight_map" twice');
      parts = new Map();
      json.members((tensor) => add(tensor, json.value()));
    });
    json.end();
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw fault(
      `no index of safetensors files: it is no JSON with a "weight_map" (${error.message})`,
    );
  }
  if (!parts) throw fault('no index of safetensors files: it has no "weight_map"');
  return parts;
}

/** Opens a part of a sharded file: by what the caller gives, or beside the index. */
export async function openShard(
  index: Source,
  name: string,
  options: LoadOptions,
): Promise<Source> {
  if (options.shard) return openSource(await options.shard(name));
  if (index.sibling) return index.sibling(name);
  throw new FileError(
    `${index.name}: is an index of several files, which cannot be found from here; pass { shard: (name) => file }`,
  );
}

/** Reads all tensors of a sharded file, in the order of its index. */
export async function readSharded(
  index: Source,
  device: Device,
  options: LoadOptions,
): Promise<Map<string, Tensor>> {
  const parts = await readIndex(index, headerBudget(index, options));
  const found = new Map<string, Tensor>();
  const sources: Source[] = [];
  try {
    const fills: Fill[] = [];
    const second: [string, string][] = [];
    for (const file of new Set(parts.values())) {
      const source = await openShard(index, file, options);
      sources.push(source);
      const header = await readHeader(source, headerBudget(source, options));
      second.push(...secondNames(header));
      for (const info of header.tensors.values()) {
        if (parts.get(info.name) !== file) continue;
        const { tensor, fill } = prepareTensor(source, info, device);
        found.set(info.name, tensor);
        fills.push(fill);
      }
    }
    for (const [name, file] of parts) {
      if (!found.has(name))
        throw new FileError(`${index.name}: tensor ${quote(name)} is not in ${quote(file)}`);
    }
    await fillAll(fills, options);
    for (const [name, target] of second) {
      const tensor = found.get(target);
      if (tensor && !found.has(name)) found.set(name, tensor);
    }
  } finally {
    for (const source of sources) await source.close();
  }
  const order = [...parts.keys(), ...found.keys()];
  return new Map(order.map((name) => [name, found.get(name) as Tensor]));
}
