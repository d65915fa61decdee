import { formatShape, RuntimeError, wrongArgument } from '../errors.js';
import { coord, type Expr, e } from '../expr.js';
import { allOf, int, within } from './plan.js';

/** Windows over the last dimensions of a tensor, one entry a dimension. */
export interface Windows {
  /** `regular` windows move by `stride`; `adaptive` ones divide the size evenly. */
  readonly kind: 'regular' | 'adaptive';
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly size: readonly number[];
  readonly out: readonly number[];
}

const slots = 6;

/** The numbers the expressions below read at run time. */
export const windowScalars = (w: Windows): number[] =>
  w.size.flatMap((size, i) => [
    w.stride[i] as number,
    w.padding[i] as number,
    w.dilation[i] as number,
    w.kernel[i] as number,
    size,
    w.out[i] as number,
  ]);

/** How many numbers `windowScalars` gives for so many dimensions: where further ones start. */
export const scalarsAfter = (dims: number): number => slots * dims;

/** The run-time numbers of one dimension. */
export const slot = (i: number) => ({
  stride: int(slots * i),
  padding: int(slots * i + 1),
  dilation: int(slots * i + 2),
  kernel: int(slots * i + 3),
  size: int(slots * i + 4),
  out: int(slots * i + 5),
});

/** First position and end of an adaptive window. */
export function adaptiveSpan(i: number, o: Expr): { start: Expr; end: Expr } {
  const { size, out } = slot(i);
  return {
    start: e.idiv(e.mul(o, size), out),
    end: e.idiv(e.sub(e.add(e.mul(e.add(o, 1), size), out), 1), out),
  };
}

/** The input position of a tap of window `o` of dimension `i`, before it is known to exist. */
export function tapPosition(kind: Windows['kind'], i: number, o: Expr, tap: Expr): Expr {
  const { stride, padding, dilation } = slot(i);
  if (kind === 'adaptive') return e.add(adaptiveSpan(i, o).start, tap);
  return e.add(e.sub(e.mul(o, stride), padding), e.mul(tap, dilation));
}

/**
 * In an iteration space of `lead` dimensions, `dims` window positions and `dims` taps:
 * the coordinates under the taps, and whether they exist.
 */
export function windowLoad(
  kind: Windows['kind'],
  lead: number,
  dims: number,
): { coords: Expr[]; valid: Expr } {
  const coords = Array.from({ length: lead }, (_, d) => coord(d));
  const checks: Expr[] = [];
  for (let i = 0; i < dims; i++) {
    const o = coord(lead + i);
    const at = tapPosition(kind, i, o, coord(lead + dims + i));
    coords.push(at);
    checks.push(kind === 'adaptive' ? e.lt(at, adaptiveSpan(i, o).end) : within(at, slot(i).size));
  }
  return { coords, valid: allOf(checks) };
}

/** Whether every tap of every window exists. */
export const allInside = (w: Windows): boolean =>
  w.kind === 'regular' &&
  w.size.every((size, i) => {
    const reach = (w.dilation[i] as number) * ((w.kernel[i] as number) - 1);
    const last = ((w.out[i] as number) - 1) * (w.stride[i] as number) - (w.padding[i] as number);
    return w.padding[i] === 0 && last + reach < size;
  });

/** Whether no element is in two windows, and all taps lie next to each other. */
export const areDisjoint = (w: Windows): boolean =>
  allInside(w) &&
  w.kernel.every((k, i) => k <= (w.stride[i] as number) && (k === 1 || w.dilation[i] === 1));

/** Whether disjoint windows leave no element out. */
export const coversAll = (w: Windows): boolean =>
  w.size.every(
    (size, i) =>
      w.kernel[i] === w.stride[i] && (w.out[i] as number) * (w.stride[i] as number) === size,
  );

/** A size for each pooled dimension, or one for all. */
export type PoolSize = number | readonly number[];

/**
 * One whole number a pooled dimension.
 *
 * @throws TypeError for other than whole numbers, RuntimeError for more or fewer than there are dimensions.
 */
export function poolSizes(
  name: string,
  what: string,
  position: number,
  value: PoolSize,
  dims: number,
): number[] {
  const list: number[] = Array.isArray(value)
    ? [...value]
    : new Array<number>(dims).fill(value as number);
  const wrong = list.findIndex((x) => !Number.isInteger(x));
  if (wrong >= 0) {
    throw wrongArgument(name, what, position, 'an integer or a list of integers', list[wrong]);
  }
  if (list.length === 1 && dims > 1) return new Array<number>(dims).fill(list[0] as number);
  if (list.length !== dims) {
    const count = ['no', 'one int', 'two ints', 'three ints'][dims];
    throw new RuntimeError(
      `${name}: argument ${what} must either be a single int, or a tuple of ${count}: it should contain ${count} (got ${list.length})`,
    );
  }
  return list;
}

/** What regular windows are made from. */
export interface WindowOptions {
  stride?: PoolSize | null;
  padding?: PoolSize;
  dilation?: PoolSize;
  ceilMode?: boolean;
}

/**
 * Regular windows over the last `dims` dimensions, checked; `check` may refuse sizes before their output is computed.
 *
 * @throws RuntimeError if they do not fit the shape.
 */
export function regularWindows(
  name: string,
  dims: number,
  shape: readonly number[],
  kernelSize: PoolSize,
  options: WindowOptions,
  check?: (size: readonly number[], kernel: readonly number[]) => void,
): Windows {
  const kernel = poolSizes(name, 'kernel_size', 1, kernelSize, dims);
  const given = options.stride ?? undefined;
  const none = given === undefined || (Array.isArray(given) && given.length === 0);
  const stride = none ? kernel : poolSizes(name, 'stride', 2, given as PoolSize, dims);
  const padding = poolSizes(name, 'padding', 3, options.padding ?? 0, dims);
  const dilation = poolSizes(name, 'dilation', 4, options.dilation ?? 1, dims);
  const size = shape.slice(shape.length - dims);
  const bad = (what: string, list: readonly number[]): never => {
    throw new RuntimeError(
      `${name}: ${what} should be greater than zero, but got ${formatShape(list)}`,
    );
  };
  if (kernel.some((x) => !(x > 0))) bad('kernel_size', kernel);
  if (stride.some((x) => !(x > 0))) bad('stride', stride);
  if (dilation.some((x) => !(x > 0))) bad('dilation', dilation);
  for (const [i, p] of padding.entries()) {
    const [k, d] = [kernel[i] as number, dilation[i] as number];
    if (p < 0) throw new RuntimeError(`${name}: pad must be non-negative, but got pad: ${p}`);
    if (p > ((k - 1) * d + 1) / 2) {
      throw new RuntimeError(
        `${name}: pad should be at most half of kernel size, but got pad=${p} and kernel_size=${k}`,
      );
    }
  }
  checkRank(name, dims, shape);
  check?.(size, kernel);
  const out = size.map((length, i) => {
    const [k, s, p, d] = [kernel, stride, padding, dilation].map((list) => list[i] as number) as [
      number,
      number,
      number,
      number,
    ];
    const room = length + 2 * p - d * (k - 1) - 1 + (options.ceilMode ? s - 1 : 0);
    let count = Math.floor(room / s) + 1;
    // The last window must start inside of the input or its left padding.
    if (options.ceilMode && (count - 1) * s >= length + p) count--;
    return count;
  });
  if (out.some((count) => count < 1)) {
    const short = out.find((count) => count < 1);
    throw new RuntimeError(
      `${name}: Invalid computed output size: ${short}. Given input size: (${shape.slice(-dims - 1).join('x')}). Calculated output size: (${[...shape.slice(-dims - 1, -dims), ...out].join('x')}). Output size is too small`,
    );
  }
  const large = [...kernel, ...stride, ...padding, ...dilation].find((x) => x > 2 ** 31 - 1);
  if (large !== undefined) {
    throw new RuntimeError(`${name}: ${large} does not fit the 32 bits that sizes of windows have`);
  }
  return { kind: 'regular', kernel, stride, padding, dilation, size, out };
}

/** Windows that divide the last dimensions into `out` parts; a null keeps the size. `any` lets there be no channels. */
export function adaptiveWindows(
  name: string,
  dims: number,
  shape: readonly number[],
  outputSize: number | readonly (number | null)[],
  channels: 'some' | 'any' = 'some',
): Windows {
  checkRank(name, dims, shape, channels);
  const size = shape.slice(shape.length - dims);
  const each: readonly (number | null)[] = Array.isArray(outputSize)
    ? outputSize
    : new Array<number>(dims).fill(outputSize as number);
  const wrong = each.findIndex(
    (n) => !Number.isInteger(n) && !(n === null && Array.isArray(outputSize)),
  );
  if (wrong >= 0) {
    const list = dims === 1 ? 'an integer' : 'an integer or a list of integers and nulls';
    throw wrongArgument(name, 'output_size', 1, list, each[wrong]);
  }
  const wanted = each.length === 1 ? new Array<number | null>(dims).fill(each[0] ?? null) : each;
  if (wanted.length !== dims) {
    throw new RuntimeError(`${name}: output_size must be ${dims}, got ${wanted.length} numbers`);
  }
  const out = wanted.map((n, i) => n ?? (size[i] as number));
  if (out.some((n) => n < 0)) {
    throw new RuntimeError(
      `${name}: elements of output_size must be greater than or equal to 0, but found ${formatShape(out)}`,
    );
  }
  const even = size.every((length, i) => out[i] !== 0 && length % (out[i] as number) === 0);
  const ones = size.map(() => 1);
  const zeros = size.map(() => 0);
  if (even) {
    const kernel = size.map((length, i) => length / (out[i] as number));
    return { kind: 'regular', kernel, stride: kernel, padding: zeros, dilation: ones, size, out };
  }
  const kernel = size.map((length, i) => {
    const parts = out[i] as number;
    let most = 1;
    for (let o = 0; o < parts; o++) {
      const start = Math.floor((o * length) / parts);
      most = Math.max(most, Math.ceil(((o + 1) * length) / parts) - start);
    }
    return most;
  });
  return { kind: 'adaptive', kernel, stride: ones, padding: zeros, dilation: ones, size, out };
}

function checkRank(
  name: string,
  dims: number,
  shape: readonly number[],
  channels: 'some' | 'any' = 'some',
): void {
  const batch = shape.length === dims + 2 ? 1 : 0;
  const fits = shape.length === dims + 1 || batch === 1;
  const empty = shape.indexOf(0, channels === 'any' ? batch + 1 : batch);
  if (fits && empty < 0) return;
  const why =
    fits &&
    `: Expected input's non-batch dimensions to have positive length, but input has a shape of ${formatShape(shape)} and non-batch dimension ${empty} has length zero`;
  throw new RuntimeError(
    `${name}: Expected ${dims + 1}D or ${dims + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got: ${formatShape(shape)}${why || ''}`,
  );
}
