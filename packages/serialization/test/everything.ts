import {
  arange,
  Device,
  dtypes,
  empty,
  float,
  fromTypedArray,
  ones,
  type Tensor,
  tensor,
  typedArrayOver,
  zeros,
} from '@sconce/core';
import { Parameter } from '@sconce/nn';
import { Tuple } from '../src/torch/tuple.js';

/** A tensor of each dtype with bits of every kind: signs, infinities, NaNs, subnormals, extremes. */
function extremes(): Map<string, Tensor> {
  const patterns = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + (i >> 3) * 91) & 255);
  patterns.set([0, 0, 0x80, 0x7f, 0, 0, 0x80, 0xff, 1, 0, 0xc0, 0x7f, 1, 0, 0, 0x80], 16);
  return new Map(
    dtypes.map((dtype) => {
      const bytes = dtype === 'bool' ? patterns.map((x) => x & 1) : patterns.slice();
      const size = typedArrayOver(dtype, bytes.buffer, 0, 1).byteLength;
      const data = typedArrayOver(dtype, bytes.buffer, 0, 64 / size);
      return [dtype, fromTypedArray(data, [2, 32 / size], { dtype, device: 'cpu' })];
    }),
  );
}

/** Whatever a file of PyTorch can hold of ours: each dtype, shared memory, views of all kinds, containers, numbers, texts. */
export function everything(): unknown {
  const base = arange(24).to('float32').reshape([4, 6]);
  const twice = tensor([1.5, -2.5]);
  const trained = new Parameter(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  const frozen = new Parameter(ones([2]), false);
  const loop: unknown[] = ['contains itself'];
  loop.push(loop);
  return {
    dtypes: extremes(),
    views: new Map<string, Tensor>([
      ['base', base],
      ['transposed', base.t()],
      ['slice', base.narrow(1, 2, 3)],
      ['row', base.select(0, 2)],
      ['expanded', base.select(1, 1).unsqueeze(1).expand([4, 5])],
      ['diagonal', base.diagonal()],
      ['step', base.asStrided([2, 3], [12, 2], 1)],
    ]),
    twice: [twice, { again: twice }],
    shapes: [zeros([]), empty([0, 3]), empty([2, 0]).t(), ones([1, 1, 1, 2])],
    gradients: new Map<string, Tensor>([
      ['trained', trained],
      ['frozen', frozen],
      ['leaf', tensor([0.25], { requiresGrad: true })],
      ['shared', trained.detach().select(0, 1)],
    ]),
    numbers: {
      small: [
        0,
        1,
        255,
        256,
        65535,
        65536,
        -1,
        -128,
        2 ** 31 - 1,
        -(2 ** 31),
        2 ** 31,
        2 ** 53 - 1,
      ],
      large: [2n ** 53n, -(2n ** 63n), 2n ** 64n - 1n, 123456789012345678901234567890n],
      floats: [0.1, -0, Number.NaN, Infinity, -Infinity, 5e-324, 1e300, float(2), float(1e20)],
    },
    texts: ['', 'plain', 'über – 数据 🔥', 'a\nb\0c', 'plain'],
    bytes: Uint8Array.from({ length: 256 }, (_, i) => i),
    containers: {
      tuple: Tuple.of<unknown>(1, Tuple.of(), Tuple.of('x', null)),
      set: new Set([1, 2, 3]),
      map: new Map<unknown, unknown>([
        [2, 'two'],
        ['1', 'one'],
        [Tuple.of(1, 2), true],
      ]),
      state: { 0: { step: 1 }, 1: { step: 2 } },
      empty: [[], {}, new Map()],
      flags: [true, false, null],
    },
    device: Device.from('cpu'),
  };
}
