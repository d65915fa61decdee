import * as core from '@sconce/core';
import type { Draw } from './draw.js';
import { type OperatorRow, rounding, show } from './row.js';

/** Products of matrices and vectors in any layout. */
const products: readonly OperatorRow[] = [
  rounding('matmul', (d) => {
    const dtype = d.dtype('numeric');
    const [n, k, m] = [d.extent(), d.extent(), d.extent()];
    const batch = d.shape(0, 2, 1);
    const left = d.chance(0.2) ? [k] : [...batch.slice(d.int(0, batch.length)), n, k];
    const right = d.chance(0.2) ? [k] : [...batch.map((b) => (d.chance(0.3) ? 1 : b)), k, m];
    const [a, b] = [d.tensor(dtype, left), d.tensor(dtype, right)];
    return [`t${a}, t${b}`, (t) => core.matmul(t(a), t(b))];
  }),
  rounding('mm of larger matrices', (d) => {
    const most = d.size > 7 ? 60 : 5;
    const [n, k, m] = [d.int(1, most), d.int(1, most), d.int(1, most)];
    const dtype = d.dtype('float');
    const [a, b] = [d.tensor(dtype, [n, k]), d.tensor(dtype, [k, m])];
    return [`t${a}, t${b}`, (t) => core.mm(t(a), t(b))];
  }),
  rounding('addmm', (d) => {
    const dtype = d.dtype('float');
    const [n, k, m] = [d.extent(), d.extent(), d.extent()];
    const self = d.broadcasting(dtype, [n, m]);
    const [a, b] = [d.tensor(dtype, [n, k]), d.tensor(dtype, [k, m])];
    const options = { beta: d.pick([0, 1, 0.5]), alpha: d.pick([1, 2]) };
    return [
      `t${self}, t${a}, t${b}, ${show(options)}`,
      (t) => core.addmm(t(self), t(a), t(b), options),
    ];
  }),
  rounding('baddbmm', (d) => {
    const dtype = d.dtype('float');
    const [r, n, k, m] = [d.extent(), d.extent(), d.extent(), d.extent()];
    const self = d.broadcasting(dtype, [r, n, m]);
    const [a, b] = [d.tensor(dtype, [r, n, k]), d.tensor(dtype, [r, k, m])];
    return [`t${self}, t${a}, t${b}`, (t) => core.baddbmm(t(self), t(a), t(b))];
  }),
  rounding('linear', (d) => {
    const dtype = d.dtype('float');
    const [k, m] = [d.extent(1), d.extent(1)];
    const x = d.tensor(dtype, [...d.shape(0, 3), k]);
    const w = d.tensor(dtype, [m, k]);
    const b = d.tensor(dtype, [m]);
    return [`t${x}, t${w}, t${b}`, (t) => core.linear(t(x), t(w), t(b))];
  }),
  rounding('dot', (d) => {
    const dtype = d.dtype('numeric');
    const n = d.int(0, 40);
    const [a, b] = [d.tensor(dtype, [n]), d.tensor(dtype, [n])];
    return [`t${a}, t${b}`, (t) => core.dot(t(a), t(b))];
  }),
  rounding('einsum', (d) => {
    const [i, j, k, l] = [d.extent(1), d.extent(1), d.extent(1), d.extent(1)];
    const equation = d.pick(['ijk,kl->lij', 'ijk,kl->jl', 'ijk,kl->', 'ijk,kl->kji']);
    const [a, b] = [d.tensor('float32', [i, j, k]), d.tensor('float32', [k, l])];
    return [`${equation}, t${a}, t${b}`, (t) => core.einsum(equation, t(a), t(b))];
  }),
  rounding('cdist', (d) => {
    const k = d.extent();
    const p = d.pick([1, 2, 3, 0, Infinity]);
    const [a, b] = [d.tensor('float32', [d.extent(), k]), d.tensor('float32', [d.extent(), k])];
    return [`t${a}, t${b}, ${p}`, (t) => core.cdist(t(a), t(b), { p })];
  }),
  rounding('outer', (d) => {
    const dtype = d.dtype('numeric');
    const [a, b] = [d.tensor(dtype, [d.extent()]), d.tensor(dtype, [d.extent()])];
    return [`t${a}, t${b}`, (t) => core.outer(t(a), t(b))];
  }),
];

/** Sizes, strides and so on of a window in `dims` dimensions that fits an image of `size`. */
function drawWindows(d: Draw, size: readonly number[]) {
  const kernel = size.map((n) => d.int(1, Math.min(3, n)));
  return {
    kernel,
    stride: size.map(() => d.int(1, 3)),
    padding: kernel.map((k) => d.int(0, Math.floor(k / 2))),
  };
}

const drawImage = (d: Draw, dims: number) => ({
  size: Array.from({ length: dims }, () => d.int(3, dims === 3 ? 5 : 9)),
  batch: d.int(1, 3),
  channels: d.int(1, 4),
});

const convolution = (dims: number, transposed: boolean): OperatorRow =>
  rounding(`conv${transposed ? 'Transpose' : ''}${dims}d`, (d) => {
    const { size, batch } = drawImage(d, dims);
    const { kernel, stride, padding } = drawWindows(d, size);
    const groups = d.pick([1, 1, 2]);
    const [into, out] = [groups * d.int(1, 3), groups * d.int(1, 3)];
    const dilation = size.map((n, i) => (2 * ((kernel[i] as number) - 1) < n ? d.int(1, 2) : 1));
    const dtype = d.chance(0.8) ? 'float32' : d.dtype('float');
    const x = d.tensor(dtype, [batch, into, ...size]);
    const w = d.tensor(
      dtype,
      transposed ? [into, out / groups, ...kernel] : [out, into / groups, ...kernel],
    );
    const b = d.tensor(dtype, [out]);
    const options = { stride, padding, dilation, groups };
    const run = {
      conv1d: core.conv1d,
      conv2d: core.conv2d,
      conv3d: core.conv3d,
      convTranspose1d: core.convTranspose1d,
      convTranspose2d: core.convTranspose2d,
      convTranspose3d: core.convTranspose3d,
    }[`conv${transposed ? 'Transpose' : ''}${dims}d` as 'conv1d'];
    return [`t${x}, t${w}, t${b}, ${show(options)}`, (t) => run(t(x), t(w), t(b), options)];
  });

const pooling = (name: 'max' | 'avg', dims: number): OperatorRow =>
  rounding(`${name}Pool${dims}d`, (d) => {
    const { size, batch, channels } = drawImage(d, dims);
    const { kernel, stride, padding } = drawWindows(d, size);
    const x = d.tensor(d.chance(0.8) ? 'float32' : d.dtype('float'), [batch, channels, ...size]);
    const options = { stride, padding, ceilMode: d.chance(0.3) };
    const max = [core.maxPool1d, core.maxPool2d, core.maxPool3d][dims - 1] as typeof core.maxPool2d;
    const avg = [core.avgPool1d, core.avgPool2d, core.avgPool3d][dims - 1] as typeof core.avgPool2d;
    return [
      `t${x}, ${show(kernel)}, ${show(options)}`,
      (t) => (name === 'max' ? max(t(x), kernel, options) : avg(t(x), kernel, options)),
    ];
  });

/** Rows of a normalisation: weight and bias of the shape that is normalised, or none. */
function drawAffine(d: Draw, shape: readonly number[], dtype: core.DType) {
  if (d.chance(0.3)) return undefined;
  return [d.tensor(dtype, shape), d.tensor(dtype, shape)] as const;
}

const layers: readonly OperatorRow[] = [
  ...[1, 2, 3].flatMap((dims) => [
    convolution(dims, false),
    convolution(dims, true),
    pooling('max', dims),
    pooling('avg', dims),
  ]),
  rounding('adaptivePools', (d) => {
    const { size, batch, channels } = drawImage(d, 2);
    const out = size.map((n) => d.int(1, n));
    const x = d.tensor('float32', [batch, channels, ...size]);
    return [
      `t${x}, ${show(out)}`,
      (t) => [core.adaptiveAvgPool2d(t(x), out), core.adaptiveMaxPool2d(t(x), out)],
    ];
  }),
  rounding('layerNorm', (d) => {
    const shape = d.shape(1, 4, 1);
    const own = shape.slice(d.int(0, shape.length - 1));
    const dtype = d.dtype('float');
    const x = d.tensor(dtype, shape);
    const affine = drawAffine(d, own, dtype);
    return [
      `t${x}, ${show(own)}, ${show(affine)}`,
      (t) =>
        core.layerNorm(t(x), own, affine && t(affine[0]), affine && t(affine[1]), { eps: 0.1 }),
    ];
  }),
  rounding('groupNorm', (d) => {
    const groups = d.int(1, 3);
    const channels = groups * d.int(1, 3);
    const dtype = d.dtype('float');
    const x = d.tensor(dtype, [d.int(1, 3), channels, ...d.shape(1, 2, 1)]);
    const affine = drawAffine(d, [channels], dtype);
    return [
      `t${x}, ${groups}, ${show(affine)}`,
      (t) =>
        core.groupNorm(t(x), groups, affine && t(affine[0]), affine && t(affine[1]), { eps: 0.1 }),
    ];
  }),
  rounding('batchNorm', (d) => {
    const channels = d.int(1, 4);
    const x = d.tensor('float32', [d.int(2, 4), channels, ...d.shape(0, 2, 1)]);
    const [mean, variance] = [
      d.tensor('float32', [channels]),
      d.tensor('float32', [channels], 'positive'),
    ];
    const affine = drawAffine(d, [channels], 'float32');
    const training = d.chance(0.5);
    return [
      `t${x}, t${mean}, t${variance}, ${show(affine)}, ${training}`,
      (t) =>
        core.batchNorm(
          t(x),
          training ? null : t(mean),
          training ? null : t(variance),
          affine && t(affine[0]),
          affine && t(affine[1]),
          { training, eps: 0.1 },
        ),
    ];
  }),
  rounding('normalize', (d) => {
    const shape = d.shape(1, 3, 1);
    const options = { p: d.pick([1, 2, 3]), dim: d.dim(shape) };
    const x = d.tensor(d.dtype('float'), shape, 'positive');
    return [`t${x}, ${show(options)}`, (t) => core.normalize(t(x), options)];
  }),
  rounding('pad', (d) => {
    const { size, batch } = drawImage(d, 2);
    const mode = d.pick(['reflect', 'replicate', 'circular'] as const);
    const amounts = size.flatMap(() => [d.int(0, 2), d.int(0, 2)]);
    const x = d.tensor(d.dtype('float'), [batch, 2, ...size]);
    return [`t${x}, ${show(amounts)}, ${mode}`, (t) => core.pad(t(x), amounts, { mode })];
  }),
  rounding('interpolate', (d) => {
    const { size: image, batch } = drawImage(d, 2);
    const mode = d.pick(['nearest', 'nearest-exact', 'bilinear', 'bicubic', 'area'] as const);
    const size = image.map(() => d.int(1, 12));
    const alignCorners = mode.startsWith('bi') ? d.chance(0.5) : undefined;
    const x = d.tensor('float32', [batch, 2, ...image]);
    return [
      `t${x}, ${show({ size, mode, alignCorners })}`,
      (t) => core.interpolate(t(x), { size, mode, alignCorners }),
    ];
  }),
  rounding('gridSample', (d) => {
    const { size, batch } = drawImage(d, 2);
    const options = {
      mode: d.pick(['bilinear', 'bicubic'] as const),
      paddingMode: d.pick(['zeros', 'border', 'reflection'] as const),
      alignCorners: d.chance(0.5),
    };
    const x = d.tensor('float32', [batch, 2, ...size]);
    const grid = d.tensor('float32', [batch, 3, 4, 2], 'unit');
    return [`t${x}, t${grid}, ${show(options)}`, (t) => core.gridSample(t(x), t(grid), options)];
  }),
  rounding('unfoldImage', (d) => {
    const { size, batch, channels } = drawImage(d, 2);
    const { kernel, stride, padding } = drawWindows(d, size);
    const x = d.tensor('float32', [batch, channels, ...size]);
    return [
      `t${x}, ${show({ kernel, stride, padding })}`,
      (t) => {
        const columns = core.unfoldImage(t(x), kernel, { stride, padding });
        return [columns, core.foldImage(columns, size, kernel, { stride, padding })];
      },
    ];
  }),
  rounding('pixelShuffle', (d) => {
    const r = d.int(1, 3);
    const x = d.tensor(d.dtype('any'), [
      ...d.shape(0, 1, 1),
      r * r * d.int(1, 2),
      d.extent(1),
      d.extent(1),
    ]);
    return [
      `t${x}, ${r}`,
      (t) => [core.pixelShuffle(t(x), r), core.pixelUnshuffle(core.pixelShuffle(t(x), r), r)],
    ];
  }),
  rounding('embedding', (d) => {
    const [rows, columns] = [d.int(1, 9), d.extent(1)];
    const weight = d.tensor(d.dtype('float'), [rows, columns]);
    const index = d.index(d.shape(0, 3), rows);
    return [`t${index}, t${weight}`, (t) => core.embedding(t(index), t(weight))];
  }),
  rounding('nllLoss', (d) => {
    const [n, classes] = [d.int(1, 8), d.int(1, 6)];
    const rest = d.shape(0, 2, 1);
    const x = d.tensor(d.dtype('float'), [n, classes, ...rest]);
    const target = d.index([n, ...rest], classes);
    const reduction = d.pick(['none', 'mean', 'sum'] as const);
    return [`t${x}, t${target}, ${reduction}`, (t) => core.nllLoss(t(x), t(target), { reduction })];
  }),
  rounding('attention', (d) => {
    const [batch, n, m, k] = [d.int(1, 3), d.extent(1), d.extent(1), d.extent(1)];
    const isCausal = d.chance(0.4);
    const q = d.tensor('float32', [batch, n, k]);
    const [key, value] = [d.tensor('float32', [batch, m, k]), d.tensor('float32', [batch, m, k])];
    return [
      `t${q}, t${key}, t${value}, ${isCausal}`,
      (t) => core.scaledDotProductAttention(t(q), t(key), t(value), { isCausal }),
    ];
  }),
];

/** Products, convolutions, pooling, normalisations and other layers. */
export const layerRows: readonly OperatorRow[] = [...products, ...layers];
