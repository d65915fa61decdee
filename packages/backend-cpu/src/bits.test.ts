import {
  asTensor,
  cat,
  Device,
  type DType,
  InterpreterBackend,
  registerBackend,
  tensor,
} from '@sconce/core';
import { expect, test } from 'vitest';
import './index.js';

registerBackend('slow', { open: () => new InterpreterBackend() });

/** Signalling and quiet NaNs that carry something, of both signs, among other bits. */
const cases: readonly [DType, Int32Array | BigInt64Array | Uint16Array][] = [
  [
    'float32',
    Int32Array.of(0x7f800001, 0x7fc12345, -0x7ffffe, 0x00000001, -0x80000000, 0x3f800000),
  ],
  [
    'float64',
    BigInt64Array.of(
      0x7ff0000000000001n,
      0x7ff8123400000000n,
      -0xffff0000000ffn,
      1n,
      -(2n ** 63n),
      0n,
    ),
  ],
  ['float16', Uint16Array.of(0x7c01, 0x7e12, 0xfc01, 0x0001, 0x8000, 0x3c00)],
  ['bfloat16', Uint16Array.of(0x7f81, 0x7fc2, 0xff81, 0x0001, 0x8000, 0x3f80)],
];

for (const device of ['cpu', 'slow']) {
  test.each(cases)(`copies of %s on ${device} move bits`, (dtype, bits) => {
    const raw =
      dtype === 'float32'
        ? new Float32Array(bits.buffer as ArrayBuffer)
        : dtype === 'float64'
          ? new Float64Array(bits.buffer as ArrayBuffer)
          : (bits as Uint16Array);
    const x = asTensor(raw, { dtype, device: Device.from(device) }).view([2, 3]);
    const read = (t: typeof x): unknown[] => {
      const { buffer } = t.toTypedArraySync();
      return Array.from(new (bits.constructor as Uint16ArrayConstructor)(buffer as ArrayBuffer));
    };
    const b = Array.from(bits as ArrayLike<unknown>);
    const turned = [0, 3, 1, 4, 2, 5].map((i) => b[i]);
    expect(read(x.t())).toEqual(turned);
    expect(read(x.t().contiguous())).toEqual(turned);
    expect(read(x.clone())).toEqual(b);
    expect(read(x.narrow(1, 1, 2).clone())).toEqual([1, 2, 4, 5].map((i) => b[i]));
    expect(read(cat([x, x], 0))).toEqual([...b, ...b]);
    expect(read(x.flip([1]))).toEqual([2, 1, 0, 5, 4, 3].map((i) => b[i]));
    expect(read(x.indexSelect(1, tensor([2n, 0n], { device: x.device })))).toEqual(
      [2, 0, 5, 3].map((i) => b[i]),
    );
    const target = x.t().clone().zero_();
    target.copy_(x.t());
    expect(read(target)).toEqual(turned);
  });
}

test('the standard deviation of numbers whose squares are none', () => {
  // By PyTorch 2.15.
  const x = tensor([1e-40, 3e-40, 5e-40, 9e-40]);
  expect(x.std().itemSync()).toBe(3.4156509938070984e-40);
  expect(x.var().itemSync()).toBe(0);
  expect(x.std(null as never, { unbiased: false }).itemSync()).toBe(2.958042967297186e-40);
  expect(tensor([1e-20, 3e-20, 5e-20]).std().itemSync()).toBe(1.999999936531045e-20);
  expect(tensor([1e-23, 3e-23]).std().itemSync()).toBe(1.4142136639837782e-23);
  expect(tensor([1e-45, 1e-45, 3e-45]).std().itemSync()).toBe(1.401298464324817e-45);
});
