import {
  apply,
  type ConvPrimitive,
  computeType,
  constant,
  coord,
  type Expr,
  input,
  load,
  scalar,
  stage,
} from '@sconce/core';
import { planContraction } from './contraction.js';
import { type Operand, progression, type WgslLimits, type WgslStep } from './plan.js';

/** A `ConvPrimitive` over operands. */
export interface ConvWork
  extends Omit<ConvPrimitive, 'kind' | 'input' | 'weight' | 'output' | 'bias'> {
  readonly input: Operand;
  readonly weight: Operand;
  readonly output: Operand;
  readonly bias: Operand | undefined;
}

const all = (conditions: readonly Expr[]): Expr => conditions.reduce((a, b) => apply('and', a, b));

/**
 * Adds the dispatches of a convolution or one of its gradients, as a contraction whose operands are read at
 * computed places (no matrix of windows is built). Groups are its batch.
 */
export function planConv(work: ConvWork, limits: WgslLimits, steps: WgslStep[]): void {
  const { groups, stride, padding, dilation, compute, weight } = work;
  const image = work.input;
  const result = work.output;
  const [samples, channels, ...space] = image.shape as [number, number, ...number[]];
  const [outputs, , ...kernel] = weight.shape as [number, number, ...number[]];
  const outSpace = result.shape.slice(2);
  const dims = space.length;
  const perGroup = { in: channels / groups, out: outputs / groups };
  const type = computeType(result.dtype);
  const ones = space.map(() => 1);
  const padded = padding.some((p) => p > 0);
  /** Run-time numbers of spatial axis `i`. */
  const setting = {
    stride: (i: number) => scalar(4 * i, 'int32'),
    padding: (i: number) => scalar(4 * i + 1, 'int32'),
    dilation: (i: number) => scalar(4 * i + 2, 'int32'),
    extent: (i: number) => scalar(4 * i + 3, 'int32'),
  };
  const scalars = (extents: readonly number[]) =>
    extents.flatMap((extent, i) => [stride[i], padding[i], dilation[i], extent] as number[]);
  /** The strides of an operand along its channels, taken as groups and channels of a group. */
  const spatial = (operand: Operand) => operand.strides.slice(2);
  const strideOf = (operand: Operand, d: number) => operand.strides[d] as number;
  const none = space.map(() => 0);
  const shifted = image.offset - padding.reduce((sum, p, i) => sum + p * strideOf(image, i + 2), 0);
  const windowStep = stride.map((s, i) => s * strideOf(image, i + 2));
  const kernelStep = dilation.map((d, i) => d * strideOf(image, i + 2));
  /**
   * An element at places that are linear in the position, zero where one is outside: the input `index`, with the
   * places along each spatial axis as the inputs from `first` on.
   */
  const inside = (index: number, first: number): Expr => {
    const conditions = space.flatMap((_, i) => {
      const place = input(first + i, 'int32');
      return [apply('ge', place, 0), apply('lt', place, scalar(i, 'int32'))];
    });
    return apply('where', all(conditions), input(index, type), constant(0, type));
  };
  /** A place along spatial axis `i`: the counters of two of the axes of a shape, times their steps. */
  const place = (
    shape: readonly number[],
    offset: number,
    axis: number,
    step: number,
    kernelAxis: number,
    kernelStep: number,
  ): Operand => ({
    buffer: progression,
    dtype: 'int32',
    shape,
    strides: shape.map((_, d) => (d === axis ? step : d === kernelAxis ? kernelStep : 0)),
    offset,
  });
  /** Where the window of an output lies in the image. */
  const windows = (shape: readonly number[], firstOut: number, firstKernel: number): Operand[] =>
    padded
      ? space.map((_, i) =>
          place(
            shape,
            -(padding[i] as number),
            firstOut + i,
            stride[i] as number,
            firstKernel + i,
            dilation[i] as number,
          ),
        )
      : [];
  const shared = { batch: [groups], label: `conv ${compute}`, value: stage(0, type) };

  if (compute === 'output') {
    // Axes: group, channel out, sample, place out, channel in, tap.
    const bias = work.bias;
    const shape = [groups, perGroup.out, samples, ...outSpace, perGroup.in, ...kernel];
    const out = perGroup.out;
    planContraction(
      {
        ...shared,
        m: [out],
        n: [samples, ...outSpace],
        k: [perGroup.in, ...kernel],
        inputs: [
          {
            ...weight,
            shape,
            strides: [
              out * strideOf(weight, 0),
              strideOf(weight, 0),
              0,
              ...none,
              strideOf(weight, 1),
              ...spatial(weight),
            ],
          },
          {
            ...image,
            offset: shifted,
            strays: padded,
            shape,
            strides: [
              perGroup.in * strideOf(image, 1),
              0,
              strideOf(image, 0),
              ...windowStep,
              strideOf(image, 1),
              ...kernelStep,
            ],
          },
          ...(bias
            ? [
                {
                  ...bias,
                  shape: [groups, out, 1, ...ones, 1, ...ones],
                  strides: [out * strideOf(bias, 0), strideOf(bias, 0), 0, ...none, 0, ...none],
                },
              ]
            : []),
          ...windows(shape, 3, 4 + dims),
        ],
        scalars: space,
        a: input(0, type),
        b: padded ? inside(1, bias ? 3 : 2) : input(1, type),
        value: bias ? apply('add', stage(0, type), input(2, type)) : stage(0, type),
        output: {
          ...result,
          shape: [groups, out, samples, ...outSpace, 1, ...ones],
          strides: [
            out * strideOf(result, 1),
            strideOf(result, 1),
            strideOf(result, 0),
            ...spatial(result),
            0,
            ...none,
          ],
        },
      },
      limits,
      steps,
    );
    return;
  }

  if (compute === 'weight') {
    // Axes: group, channel out, channel in, tap, sample, place out.
    const shape = [groups, perGroup.out, perGroup.in, ...kernel, samples, ...outSpace];
    planContraction(
      {
        ...shared,
        m: [perGroup.out],
        n: [perGroup.in, ...kernel],
        k: [samples, ...outSpace],
        inputs: [
          {
            ...result,
            shape,
            strides: [
              perGroup.out * strideOf(result, 1),
              strideOf(result, 1),
              0,
              ...none,
              strideOf(result, 0),
              ...spatial(result),
            ],
          },
          {
            ...image,
            offset: shifted,
            strays: padded,
            shape,
            strides: [
              perGroup.in * strideOf(image, 1),
              0,
              strideOf(image, 1),
              ...kernelStep,
              strideOf(image, 0),
              ...windowStep,
            ],
          },
          ...windows(shape, 4 + dims, 3),
        ],
        scalars: space,
        a: input(0, type),
        b: padded ? inside(1, 2) : input(1, type),
        output: {
          ...weight,
          shape: [groups, perGroup.out, perGroup.in, ...kernel, 1, ...ones],
          strides: [
            perGroup.out * strideOf(weight, 0),
            strideOf(weight, 0),
            strideOf(weight, 1),
            ...spatial(weight),
            0,
            ...none,
          ],
        },
      },
      limits,
      steps,
    );
    return;
  }

  // Axes: group, channel in, sample, place in, channel out, tap. An output touches a place where the tap's
  // distance from it is a multiple of the stride.
  const shape = [groups, perGroup.in, samples, ...space, perGroup.out, ...kernel];
  const transposed: Operand = {
    ...weight,
    shape,
    strides: [
      perGroup.out * strideOf(weight, 0),
      strideOf(weight, 1),
      0,
      ...none,
      strideOf(weight, 0),
      ...spatial(weight),
    ],
  };
  const target: Operand = {
    ...image,
    shape: [groups, perGroup.in, samples, ...space, 1, ...ones],
    strides: [
      perGroup.in * strideOf(image, 1),
      strideOf(image, 1),
      strideOf(image, 0),
      ...spatial(image),
      0,
      ...none,
    ],
  };
  if (stride.every((s) => s === 1)) {
    planContraction(
      {
        ...shared,
        m: [perGroup.in],
        n: [samples, ...space],
        k: [perGroup.out, ...kernel],
        inputs: [
          transposed,
          {
            ...result,
            offset:
              result.offset + padding.reduce((sum, p, i) => sum + p * strideOf(result, i + 2), 0),
            strays: true,
            shape,
            strides: [
              perGroup.out * strideOf(result, 1),
              0,
              strideOf(result, 0),
              ...spatial(result),
              strideOf(result, 1),
              ...dilation.map((d, i) => -d * strideOf(result, i + 2)),
            ],
          },
          ...space.map((_, i) =>
            place(shape, padding[i] as number, 3 + i, 1, 4 + dims + i, -(dilation[i] as number)),
          ),
        ],
        scalars: outSpace,
        a: input(0, type),
        b: inside(1, 2),
        output: target,
      },
      limits,
      steps,
    );
    return;
  }
  const distance = space.map((_, i) =>
    apply(
      'sub',
      apply('add', coord(3 + i), setting.padding(i)),
      apply('mul', coord(4 + dims + i), setting.dilation(i)),
    ),
  );
  const places = distance.map((t, i) => apply('idiv', t, setting.stride(i)));
  const touches = distance.flatMap((t, i) => [
    apply('ge', t, 0),
    apply('eq', apply('fmod', t, setting.stride(i)), 0),
    apply('lt', places[i] as Expr, setting.extent(i)),
  ]);
  const channel = apply('add', apply('mul', coord(0), scalar(4 * dims, 'int32')), coord(3 + dims));
  planContraction(
    {
      ...shared,
      m: [perGroup.in],
      n: [samples, ...space],
      k: [perGroup.out, ...kernel],
      inputs: [transposed, result],
      scalars: [...scalars(outSpace), perGroup.out],
      a: input(0, type),
      b: load(1, type, [coord(2), channel, ...places], all(touches), constant(0, type)),
      output: target,
    },
    limits,
    steps,
  );
}
