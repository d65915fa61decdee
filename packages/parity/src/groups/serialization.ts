import { Tensor, toAsync } from '@sconce/core';
import { type LoadOptions, load } from '@sconce/serialization';
import { difference, type Read, readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { TensorData, Value } from '../corpus/value.js';
import { evaluate } from '../mapping/world.js';
import { keyText, valueAt } from '../python/keys.js';
import { notImplemented, type Outcome } from '../report/counts.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder } from '../runtime/tensors.js';
import type { Group, Run } from './group.js';

/** The group `serialization`: files that PyTorch and NumPy wrote. */
export const serialization: Group = {
  subject: (test) => test.kind as string,
  hasGradient: () => false,

  async run(test, run) {
    const op = serialization.subject(test);
    try {
      return { op, forward: await loaded(test, run) };
    } catch (error) {
      return { op, forward: outcomeOf(error) };
    }
  },
};

async function loaded(test: Case, run: Run): Promise<Outcome> {
  const decoder = expectedDecoder(run.device);
  const expected = decoder.decode(test.expected);
  const foreign = decoder.tensors.find(({ data }) => !run.device.backend.supports(data.dtype));
  if (foreign) return notImplemented(`${run.device} has no ${foreign.data.dtype}`);
  const options: LoadOptions = { mapLocation: run.device, maps: true };
  const actual = await load<Value>(run.corpus.read(test.file as string), options);
  const exact = { tolerance: { rtol: 0, atol: 0 } };
  return judged(
    difference(await readBack(actual), expected, exact, 'loaded') ??
      (await unlike(actual, expected, 'loaded')) ??
      unshared(actual, (test.shared_storage as string[][] | undefined) ?? []),
  );
}

/** What values alone do not tell: bits, strides, gradients, kinds and sizes of containers. */
async function unlike(actual: Value, expected: Value, place: string): Promise<string | undefined> {
  if (Array.isArray(expected)) {
    for (const [i, item] of expected.entries()) {
      const found = await unlike((actual as Value[])[i], item, `${place}[${i}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (expected instanceof Map) {
    if (!(actual instanceof Map)) return `${place}: no Map`;
    const keys = (map: ReadonlyMap<Value, Value>) => JSON.stringify([...map.keys()].map(keyText));
    if (keys(actual) !== keys(expected))
      return `${place}: keys ${keys(actual)}, expected ${keys(expected)}`;
    for (const [key, item] of expected) {
      const found = await unlike(valueAt(actual, key), item, `${place}.${String(key)}`);
      if (found) return found;
    }
    return undefined;
  }
  if (!(actual instanceof Tensor)) return undefined;
  const data = expected as TensorData;
  if (data.strides && actual.strides.join() !== data.strides.join()) {
    return `${place}: strides ${actual.strides}, expected ${data.strides}`;
  }
  if (actual.offset !== data.offset)
    return `${place}: offset ${actual.offset}, expected ${data.offset}`;
  if (actual.requiresGrad !== data.requiresGrad)
    return `${place}: requiresGrad ${actual.requiresGrad}`;
  const { data: values } = (await readBack(await toAsync(actual.detach(), 'cpu'))) as Read;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.compare(bytes, data.bytes) === 0 ? undefined : `${place}: other bits`;
}

/** Tensors that were to share memory, by their paths as Python writes them. */
function unshared(root: Value, groups: readonly (readonly string[])[]): string | undefined {
  for (const paths of groups) {
    const storages = new Set(paths.map((path) => (at(root, path) as Tensor).storage));
    if (storages.size !== 1) return `${paths.join(', ')} do not share memory`;
  }
  return undefined;
}

/** What stands at a path such as `['layers'][0]`. */
const at = (root: Value, path: string): Value => evaluate(`root${path}`, new Map([['root', root]]));
