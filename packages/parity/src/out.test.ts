import 'sconce';
import { empty, init, Tensor, withReads } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { difference, readBack } from './compare/compare.js';
import { type Case, Corpus } from './corpus/corpus.js';
import type { Value } from './corpus/value.js';
import { ops } from './groups/ops.js';
import { callTorch, hasTorch } from './mapping/call.js';
import { torchForms } from './report/forms.js';
import { expectedDecoder, inputDecoder } from './runtime/tensors.js';

const device = await init('cpu');
const corpus = new Corpus();
const forms = torchForms(corpus);

/** The first case of each operator that PyTorch gives an `out`, of tensors that are not empty. */
const cases = new Map<string, Case>();
for (const test of corpus.cases('ops')) {
  const name = ops.subject(test);
  const plain = typeof test.call === 'string' && /^torch\.[\w.]+$/.test(test.call);
  if (forms.get(name)?.has('out') && plain && !cases.has(name)) cases.set(name, test);
}

/** Operators whose `out` is not there, and why. */
const without = new Map([
  ['equal', 'its result is no tensor'],
  ['native_batch_norm', 'PyTorch itself has it on GPUs alone'],
]);

/** The tensors of a result, in order. */
const tensorsOf = (value: Value): Tensor[] => {
  if (value instanceof Tensor) return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value)
    .filter(([key]) => !Array.isArray(value) || /^\d+$/.test(key))
    .flatMap(([, part]) => (part instanceof Tensor ? [part] : []));
};

/** Places for the tensors of a result, in its own form. */
function placesFor(result: Value, make: (like: Tensor) => Tensor): Value {
  if (result instanceof Tensor) return make(result);
  if (Array.isArray(result)) return Array.from(result, (t: Tensor) => make(t));
  return Object.fromEntries(
    Object.entries(result as Record<string, Tensor>).map(([key, t]) => [key, make(t)]),
  );
}

describe('out', () => {
  const served = [...cases].filter(
    ([name, test]) => !without.has(name) && hasTorch(test.call as string),
  );

  it('is asked of most operators', () => expect(served.length).toBeGreaterThan(180));

  it.each(served)('%s writes its result there, and returns it', async (_, test) => {
    const path = test.call as string;
    const call = (out?: Value) => {
      const decoder = inputDecoder({ device }, false);
      const args = decoder.decodeAll(test.args as unknown[]);
      const kwargs = decoder.decodeKwargs(test.kwargs as Record<string, unknown>);
      if (out !== undefined) kwargs.set('out', out);
      return withReads(() => callTorch(path, args, kwargs));
    };
    const plain = await call();
    const places = placesFor(plain, (like) => empty([0], { dtype: like.dtype }));
    const result = await call(places);
    const written = tensorsOf(places);
    expect(written.length).toBeGreaterThan(0);
    expect(tensorsOf(result)).toEqual(written);
    expect(written.every((t, i) => t === tensorsOf(result)[i])).toBe(true);
    const expected = tensorsOf(plain);
    for (const [i, t] of written.entries()) {
      expect(t.shape).toEqual(expected[i]?.shape);
      expect(await t.toTypedArray()).toEqual(await expected[i]?.toTypedArray());
    }
    if (test.compare === undefined && plain instanceof Tensor) {
      const wanted = expectedDecoder(device).decode(test.out);
      expect(difference(await readBack(places), wanted)).toBeUndefined();
    }
  });
});
