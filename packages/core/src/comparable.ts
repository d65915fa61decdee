import type { TypedArray } from './dtype.js';
import { RuntimeError } from './errors.js';
import { environment } from './platform.js';
import { readAllSync } from './read.js';
import type { Tensor } from './tensor.js';

/** What `assert.deepStrictEqual` and `toEqual` find in `contents`: the elements, read when they look. */
const elements: ProxyHandler<Tensor> = {
  // Comparisons walk up prototypes, of which a tensor's has a thousand entries.
  getPrototypeOf: () => null,
  ownKeys: () => ['values'],
  getOwnPropertyDescriptor: (t, key) =>
    key === 'values' ? { value: valuesOf(t), enumerable: true, configurable: true } : undefined,
  get: (t, key) => (key === 'values' ? valuesOf(t) : undefined),
};

function valuesOf(t: Tensor): TypedArray {
  if (t.storage.backend.synchronous) return readAllSync(t, 'contents');
  throw new RuntimeError(
    `tensors on device '${t.device}' can only be read asynchronously, and so not be compared deeply; compare \`await t.toArray()\``,
  );
}

/** Whether a test runner is at work: vitest, jest, node's own, or what calls itself a test. */
function testing(): boolean {
  if ('__vitest_worker__' in globalThis) return true;
  return (
    environment('NODE_ENV') === 'test' ||
    ['VITEST', 'JEST_WORKER_ID', 'NODE_TEST_CONTEXT'].some(
      (name) => environment(name) !== undefined,
    )
  );
}

const byContents = testing();
let count = 0;

/**
 * What a tensor holds for deep comparisons to find. A proxy for every tensor costs as much as a twentieth of a small operation, so it is
 * made where tests run; elsewhere no two tensors are ever deeply equal.
 */
export const comparable = (t: Tensor): object | number =>
  byContents ? new Proxy<Tensor>(t, elements) : ++count;
