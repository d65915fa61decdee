import '@sconce/backend-cpu';
import { arange, dtypes, fromTypedArray, type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { describeValue } from '../test/describe.js';
import { load, type StateDict, serialize } from './index.js';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A `.npy` file with any header. */
function npy(header: string, data: Uint8Array, version = 1): Uint8Array {
  const length = header.length;
  const size =
    version === 1 ? [length & 255, length >> 8] : [length & 255, (length >> 8) & 255, 0, 0];
  return Uint8Array.from([0x93, ...text('NUMPY'), version, 0, ...size, ...text(header), ...data]);
}

const f4 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe('.npy', () => {
  it.each(dtypes.filter((dtype) => dtype !== 'bfloat16'))(
    '%s comes back to the bit',
    async (dtype) => {
      const values = arange(12).to(dtype).reshape([3, 4]);
      const loaded = await load<Tensor>(await serialize(values, { format: 'npy' }));
      expect(describeValue(loaded)).toEqual(describeValue(values));
    },
  );

  it('keeps Fortran order, and writes other views in row-major order', async () => {
    const base = arange(12).to('float32').reshape([3, 4]);
    const transposed = await load<Tensor>(await serialize(base.t(), { format: 'npy' }));
    expect(transposed.shape).toEqual([4, 3]);
    expect(transposed.strides).toEqual([1, 4]);
    expect(await transposed.toArray()).toEqual(await base.t().toArray());
    const part = await load<Tensor>(await serialize(base.narrow(1, 1, 2), { format: 'npy' }));
    expect(part.isContiguous()).toBe(true);
    expect(await part.toArray()).toEqual([
      [1, 2],
      [5, 6],
      [9, 10],
    ]);
    expect((await load<Tensor>(await serialize(zeros([]), { format: 'npy' }))).shape).toEqual([]);
    expect((await load<Tensor>(await serialize(zeros([0, 3]), { format: 'npy' }))).shape).toEqual([
      0, 3,
    ]);
  });

  it('reads keys in any order, big endian, and versions 1 to 3', async () => {
    const header = "{ \"shape\": (2L,), 'fortran_order': False, 'descr': '>f4' }";
    const swapped = f4(1.5, -2).reverse();
    for (const version of [1, 2, 3]) {
      expect(await (await load<Tensor>(npy(header, swapped, version))).toArray()).toEqual([
        -2, 1.5,
      ]);
    }
  });

  it('makes bools 0 or 1', async () => {
    const file = npy(
      "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}",
      Uint8Array.of(0, 1, 77),
    );
    const loaded = await load<Tensor>(file);
    expect(await loaded.toTypedArray()).toEqual(Uint8Array.of(0, 1, 1));
  });

  it.each([
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
      f4(1, 2),
      /truncated: an array of shape \[3\]/,
    ],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
      f4(1, 2),
      /takes 4 bytes, the file has 8/,
    ],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", f4(1), /elements of type '\|O'/],
    [
      "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
      f4(1, 2),
      /'<c8' have no dtype here/,
    ],
    [
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
      f4(1),
      /structured arrays/,
    ],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", f4(1), /malformed .npy header/],
    [
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999)}",
      f4(1),
      /too large/,
    ],
    ["{'descr': '<f4', 'shape': (1,)}", f4(1), /malformed .npy header/],
    ["__import__('os').system('x')", f4(1), /malformed .npy header/],
  ])('refuses %s', async (header, data, message) => {
    await expect(load(npy(header, data))).rejects.toThrow(message);
  });

  it('says what cannot be written', async () => {
    await expect(serialize(zeros([2], { dtype: 'bfloat16' }), { format: 'npy' })).rejects.toThrow(
      "save: NumPy has no bfloat16; convert the tensor first, e.g. with .to('float32')",
    );
    await expect(serialize({ a: zeros([2]) }, { format: 'npy' })).rejects.toThrow(/one tensor/);
  });
});

describe('.npz', () => {
  const arrays = new Map<string, Tensor>([
    ['weight', arange(6).to('float32').reshape([2, 3])],
    ['transposed', arange(6).to('float64').reshape([2, 3]).t()],
    ['mask', tensor([true, false])],
  ]);

  it.each([false, true])('comes back, compressed: %s', async (compress) => {
    const bytes = await serialize(arrays, { format: 'npz', compress });
    const loaded = await load(bytes);
    expect([...loaded.keys()]).toEqual([...arrays.keys()]);
    for (const [name, array] of arrays) {
      expect(loaded.get(name)?.dtype).toBe(array.dtype);
      expect(await loaded.get(name)?.toArray()).toEqual(await array.toArray());
    }
    expect(loaded.get('transposed')?.strides).toEqual([1, 3]);
  });

  it('notices a changed byte by its checksum, and reads it all the same when told to', async () => {
    for (const compress of [false, true]) {
      const bytes = await serialize(
        { x: fromTypedArray(new Float32Array(64).fill(1)) },
        { format: 'npz', compress },
      );
      const at = compress ? bytes.length - 120 : 300;
      bytes[at] = (bytes[at] as number) ^ 1;
      await expect(load(bytes)).rejects.toThrow(/checksum|damaged|unpacks|malformed|overlap|begin/);
      if (compress) continue;
      const state: StateDict = await load(bytes, { verify: false });
      expect(state.get('x')?.shape).toEqual([64]);
    }
  });

  it('refuses what unpacks to more than allowed', async () => {
    const bytes = await serialize({ x: zeros([2 ** 20]) }, { format: 'npz', compress: true });
    expect(bytes.length).toBeLessThan(10_000);
    await expect(load(bytes, { maxInflated: 1e6 })).rejects.toThrow(
      /unpacks to 4194432 bytes, with which the file exceeds what it may unpack to; pass \{ maxInflated \}/,
    );
    expect((await load(bytes)).get('x')?.shape).toEqual([2 ** 20]);
  });
});
