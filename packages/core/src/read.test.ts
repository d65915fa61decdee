import { expect, it } from 'vitest';
import {
  InterpreterBackend,
  init,
  registerBackend,
  type Tensor,
  tensor,
  withReads,
} from './index.js';

/** A device that, like WebGPU, gives values through promises only. */
class Distant extends InterpreterBackend {
  override readonly synchronous = false as true;
  override readSync = undefined as never;
  override async read(...args: Parameters<InterpreterBackend['readSync']>) {
    return InterpreterBackend.prototype.readSync.apply(this, args);
  }
}
registerBackend('distant', { open: () => new Distant() });

it('repeats a function until the values it needs have arrived', async () => {
  await init('distant');
  const x = tensor([3, -1, 2, -5], { device: 'distant' });
  expect(() => x.maskedSelect(x.gt(0))).toThrow(/await withReads\(\(\) => \.\.\.\)/);
  expect(() => x.sum().itemSync()).toThrow(
    /^itemSync: device 'distant' can only be read asynchronously; use `await t.item\(\)`, or/,
  );
  expect(() => x.to('cpu')).toThrow(
    /^to: device 'distant' can only be read asynchronously; use `await t.toAsync\('cpu'\)`, or/,
  );
  expect((await x.toAsync('cpu')).toArraySync()).toEqual([3, -1, 2, -5]);
  let runs = 0;
  const chosen = await withReads((): Tensor => {
    runs++;
    return x.maskedSelect(x.gt(0)).mul(x.sum().itemSync());
  });
  expect(await chosen.toArray()).toEqual([-3, -2]);
  expect(runs).toBe(3);
  expect((await withReads(() => x.to('reference'))).toArraySync()).toEqual([3, -1, 2, -5]);
});

it('runs once where values can be read at once, and passes errors on', async () => {
  let runs = 0;
  const positions = await withReads(() => {
    runs++;
    return tensor([1, 0]).nonzero();
  });
  expect(positions.toArraySync()).toEqual([[0]]);
  expect(runs).toBe(1);
  await expect(withReads(() => tensor([1]).matmul(tensor([1, 2])))).rejects.toThrow(
    /inconsistent tensor size/,
  );
});
