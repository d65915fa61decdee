import {
  type ConvPrimitive,
  cast,
  computeType,
  coord,
  type Expr,
  e,
  input as element,
  load,
  type ReducePrimitive,
  type ScalarValue,
  scalar,
  stage,
  type View,
} from '@sconce/core';

/** Numbers that a kernel gets at run time, in the order in which they are asked for. */
class Scalars {
  readonly values: ScalarValue[] = [];

  add(value: number): Expr {
    return scalar(this.values.push(value) - 1, 'int32');
  }
}

/** A view with dimensions of stride 0 inserted: what is broadcast over the other operand's coordinates. */
const spread = (view: View, shape: readonly number[], strides: readonly number[]): View => ({
  ...view,
  shape,
  strides,
});

const zeros = (count: number): number[] => new Array<number>(count).fill(0);
const ones = (count: number): number[] => new Array<number>(count).fill(1);

/**
 * Convolution and its two gradients as one reduction with computed loads: slow beside a tiled kernel, but it takes
 * every dtype, stride, dilation, group and layout. The output must not share memory with the other operands.
 */
export function lowerConv(p: ConvPrimitive): ReducePrimitive {
  switch (p.compute) {
    case 'output':
      return lowerOutput(p);
    case 'input':
      return lowerInput(p);
    case 'weight':
      return lowerWeight(p);
  }
}

/** The place along one spatial dimension that output place `y` reads at kernel place `k`, and whether it exists. */
function tap(p: ConvPrimitive, d: number, y: Expr, k: Expr, s: Scalars): { at: Expr; valid: Expr } {
  const start = e.sub(e.mul(y, s.add(p.stride[d] as number)), s.add(p.padding[d] as number));
  const at = e.add(start, e.mul(k, s.add(p.dilation[d] as number)));
  const extent = s.add(p.input.shape[d + 2] as number);
  return { at, valid: e.and(e.ge(at, 0), e.lt(at, extent)) };
}

const all = (conditions: readonly Expr[]): Expr => conditions.reduce((a, b) => e.and(a, b));

/** The first channel of the group that output channel `o` belongs to, plus `c`. */
function inGroup(p: ConvPrimitive, o: Expr, c: Expr, s: Scalars): Expr {
  if (p.groups === 1) return c;
  const group = e.idiv(o, s.add((p.weight.shape[0] as number) / p.groups));
  return e.add(e.mul(group, s.add(p.weight.shape[1] as number)), c);
}

function lowerOutput(p: ConvPrimitive): ReducePrimitive {
  const type = computeType(p.output.dtype);
  const space = p.stride.length;
  const s = new Scalars();
  const channel = 2 + space;
  const taps = p.stride.map((_, d) => tap(p, d, coord(2 + d), coord(channel + 1 + d), s));
  const from = load(
    0,
    computeType(p.input.dtype),
    [coord(0), inGroup(p, coord(1), coord(channel), s), ...taps.map((t) => t.at)],
    all(taps.map((t) => t.valid)),
  );
  const shape = [...p.output.shape, ...p.weight.shape.slice(1)];
  const axes = shape.map((_, d) => d).slice(channel);
  const [strideO, ...rest] = p.weight.strides as [number, ...number[]];
  const weight = spread(p.weight, shape, [0, strideO, ...zeros(space), ...rest]);
  const product = e.mul(cast(from, type), cast(element(1, computeType(p.weight.dtype)), type));
  const inputs = [p.input, weight];
  let value = stage(0, type);
  if (p.bias) {
    const biasShape = [1, p.bias.shape[0] as number, ...ones(shape.length - 2)];
    const strides = [0, p.bias.strides[0] as number, ...zeros(shape.length - 2)];
    inputs.push(spread(p.bias, biasShape, strides));
    value = e.add(value, cast(element(2, computeType(p.bias.dtype)), type));
  }
  return reduction(p.output, shape, axes, inputs, s, product, value);
}

function lowerInput(p: ConvPrimitive): ReducePrimitive {
  const type = computeType(p.input.dtype);
  const space = p.stride.length;
  const s = new Scalars();
  const perGroup = (p.weight.shape[0] as number) / p.groups;
  const shape = [...p.input.shape, perGroup, ...p.weight.shape.slice(2)];
  const first = 2 + space;
  const [n, c, o] = [coord(0), coord(1), coord(first)];
  const kernel = p.stride.map((_, d) => coord(first + 1 + d));
  let [outChannel, weightChannel] = [o, c];
  if (p.groups > 1) {
    const channels = s.add(p.weight.shape[1] as number);
    outChannel = e.add(e.mul(e.idiv(c, channels), s.add(perGroup)), o);
    weightChannel = e.fmod(c, channels);
  }
  const places: Expr[] = [];
  const valid: Expr[] = [];
  for (let d = 0; d < space; d++) {
    // The output place whose window reaches this input place at this kernel place, if there is one.
    const stride = s.add(p.stride[d] as number);
    const reach = e.sub(
      e.add(coord(2 + d), s.add(p.padding[d] as number)),
      e.mul(kernel[d] as Expr, s.add(p.dilation[d] as number)),
    );
    const place = e.idiv(reach, stride);
    places.push(place);
    valid.push(
      all([
        e.ge(reach, 0),
        e.eq(e.mul(place, stride), reach),
        e.lt(place, s.add(p.output.shape[d + 2] as number)),
      ]),
    );
  }
  const gradient = load(0, computeType(p.output.dtype), [n, outChannel, ...places], all(valid));
  const weight = load(1, computeType(p.weight.dtype), [outChannel, weightChannel, ...kernel]);
  const axes = shape.map((_, d) => d).slice(first);
  const product = e.mul(cast(gradient, type), cast(weight, type));
  return reduction(p.input, shape, axes, [p.output, p.weight], s, product, stage(0, type));
}

function lowerWeight(p: ConvPrimitive): ReducePrimitive {
  const type = computeType(p.weight.dtype);
  const space = p.stride.length;
  const s = new Scalars();
  const first = 2 + space;
  const [batch, , ...outSpace] = p.output.shape as [number, number, ...number[]];
  const shape = [...p.weight.shape, batch, ...outSpace];
  const taps = p.stride.map((_, d) => tap(p, d, coord(first + 1 + d), coord(2 + d), s));
  const from = load(
    0,
    computeType(p.input.dtype),
    [coord(first), inGroup(p, coord(0), coord(1), s), ...taps.map((t) => t.at)],
    all(taps.map((t) => t.valid)),
  );
  const [strideN, strideO, ...rest] = p.output.strides as [number, number, ...number[]];
  const gradient = spread(p.output, shape, [strideO, 0, ...zeros(space), strideN, ...rest]);
  const product = e.mul(cast(from, type), cast(element(1, computeType(p.output.dtype)), type));
  const axes = shape.map((_, d) => d).slice(first);
  return reduction(p.weight, shape, axes, [p.input, gradient], s, product, stage(0, type));
}

function reduction(
  out: View,
  shape: readonly number[],
  axes: readonly number[],
  inputs: readonly View[],
  s: Scalars,
  product: Expr,
  value: Expr,
): ReducePrimitive {
  const view = spread(
    out,
    [...out.shape, ...ones(axes.length)],
    [...out.strides, ...zeros(axes.length)],
  );
  return {
    kind: 'reduce',
    shape,
    axes,
    inputs,
    scalars: s.values,
    stages: [{ combine: 'sum', value: product }],
    outputs: [{ per: 'row', value, view }],
  };
}
