import { computeType } from '../dtype.js';
import { input as element } from '../expr.js';
import type { ConvPrimitive } from '../primitive.js';
import { runMap } from './map.js';
import { accumulator, denseAs, denseView, multiplyAdd } from './matmul.js';
import type { HostView } from './space.js';
import { cells, product } from './space.js';

/** A conv primitive over host views. */
export interface HostConv
  extends Pick<ConvPrimitive, 'compute' | 'stride' | 'padding' | 'dilation' | 'groups'> {
  readonly input: HostView;
  readonly weight: HostView;
  readonly output: HostView;
  readonly bias?: HostView | undefined;
}

type Three = [number, number, number];

/** Three spatial values, with leading ones of no effect where there are fewer. */
const three = (values: readonly number[], missing: number): Three =>
  [...new Array<number>(3 - values.length).fill(missing), ...values] as Three;

/**
 * Visits every product of which a convolution is made: the row-major positions of its factors in
 * input, weight and output. All three directions add up these same products.
 */
function forEachProduct(
  p: HostConv,
  visit: (input: number, weight: number, output: number) => void,
): void {
  const [batch, channels, ...space] = p.input.shape as [number, number, ...number[]];
  const [outChannels, groupChannels, ...kernel] = p.weight.shape as [number, number, ...number[]];
  const [d, h, w] = three(space, 1);
  const [kd, kh, kw] = three(kernel, 1);
  const [od, oh, ow] = three(p.output.shape.slice(2), 1);
  const [sd, sh, sw] = three(p.stride, 1);
  const [pd, ph, pw] = three(p.padding, 0);
  const [dd, dh, dw] = three(p.dilation, 1);
  const perGroup = outChannels / p.groups;

  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outChannels; o++) {
      const firstChannel = Math.floor(o / perGroup) * groupChannels;
      for (let c = 0; c < groupChannels; c++)
        for (let a = 0; a < kd; a++)
          for (let b = 0; b < kh; b++)
            for (let e = 0; e < kw; e++) {
              const weightAt = (((o * groupChannels + c) * kd + a) * kh + b) * kw + e;
              for (let z = 0; z < od; z++) {
                const iz = z * sd - pd + a * dd;
                if (iz < 0 || iz >= d) continue;
                for (let y = 0; y < oh; y++) {
                  const iy = y * sh - ph + b * dh;
                  if (iy < 0 || iy >= h) continue;
                  const outputRow = (((n * outChannels + o) * od + z) * oh + y) * ow;
                  const inputRow = (((n * channels + firstChannel + c) * d + iz) * h + iy) * w;
                  for (let x = 0; x < ow; x++) {
                    const ix = x * sw - pw + e * dw;
                    if (ix >= 0 && ix < w) visit(inputRow + ix, weightAt, outputRow + x);
                  }
                }
              }
            }
    }
}

/** Adds up the products into whichever of the three is computed. */
export function runConv(p: HostConv): void {
  const target = { input: p.input, weight: p.weight, output: p.output }[p.compute];
  const type = computeType(target.dtype);
  const sums = accumulator(type, product(target.shape));
  const to = cells(sums);
  const add = multiplyAdd(type);
  const values = (view: HostView) => (view === target ? to : cells(denseAs(view, type)));
  const x = values(p.input);
  const w = values(p.weight);
  const y = values(p.output);

  if (p.compute === 'output') {
    if (p.bias) {
      const bias = cells(denseAs(p.bias, type));
      const size = product(p.output.shape.slice(2));
      for (let i = 0; i < to.length; i++) {
        to[i] = bias[Math.floor(i / size) % bias.length] as number;
      }
    }
    forEachProduct(p, (i, k, o) => {
      to[o] = add(to[o] as number, x[i] as number, w[k] as number);
    });
  } else if (p.compute === 'input') {
    forEachProduct(p, (i, k, o) => {
      to[i] = add(to[i] as number, y[o] as number, w[k] as number);
    });
  } else {
    forEachProduct(p, (i, k, o) => {
      to[k] = add(to[k] as number, y[o] as number, x[i] as number);
    });
  }
  runMap(
    {
      shape: target.shape,
      inputs: [denseView(sums, type, target.shape)],
      scalars: [],
      values: [element(0, type)],
      outputs: [target],
    },
    'conv',
  );
}
