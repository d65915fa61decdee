import type { DType, Expr, Primitive, View } from '@sconce/core';
import { computeType, constant, coord, e, input, isFloatingPoint, numel } from '@sconce/core';
import fc from 'fast-check';
import { test } from 'vitest';
import { positions } from './check.js';
import { decode, encode } from './fixture.js';
import type { Pair } from './pair.js';
import { hold, seeds } from './pair.js';
import { layOut, numbers, shapes } from './random.js';
import { ulp } from './ulp.js';

/** An operand on both devices. */
type Both = ReturnType<Pair['view']>;

/**
 * Runs a primitive on both devices and compares what they wrote: integers exactly, floats within
 * `slack` (absolute, one for each element) and the rounding of the dtype.
 */
async function compare(
  pair: Pair,
  build: (side: 'device' | 'reference') => Primitive,
  outputs: readonly Both[],
  slack: (output: number, element: number) => number,
): Promise<void> {
  pair.device.execute(build('device'));
  pair.reference.execute(build('reference'));
  for (const [k, output] of outputs.entries()) {
    const got = await pair.device.stored(output.device);
    const right = await pair.reference.stored(output.reference);
    const { dtype } = output.device;
    const seen = new Map(positions(output.device).map((at, i) => [at, i]));
    const wrong: string[] = [];
    // Wrapped at 32 bits or at 64, the low 32 are the same.
    const bits = pair.limits.int64Bits;
    const equal = (a: number | bigint, b: number | bigint) =>
      dtype === 'int64'
        ? BigInt.asIntN(bits, BigInt(a)) === BigInt.asIntN(bits, BigInt(b))
        : Number(a) === Number(b);
    got.forEach((value, at) => {
      const expected = right[at] as number;
      const i = seen.get(at);
      const allowed =
        i === undefined || !isFloatingPoint(dtype)
          ? 0
          : slack(k, i) + (slack(k, i) > 0 ? ulp(expected, dtype) : 0);
      const same = Object.is(value, expected) || equal(value, expected);
      if (!same && !(Math.abs((value as number) - expected) <= allowed)) {
        wrong.push(
          `${i === undefined ? 'outside the view' : `element ${i}`}: ${value}, expected ${expected} within ${allowed}`,
        );
      }
    });
    if (wrong.length > 0) {
      throw new Error(
        `output ${k} (${dtype}): ${wrong.length} wrong\n  ${wrong.slice(0, 6).join('\n  ')}`,
      );
    }
  }
}

const none = () => 0;

/** The same view with every element's absolute value, to bound sums. */
function magnitudes(pair: Pair, { reference }: Both): Both {
  const { dtype, storage, shape, strides, offset } = reference;
  const bytes = storage.backend.readSync?.(storage.buffer, dtype, 0, storage.length);
  const values = decode(dtype, bytes as Float32Array).map((v) => Math.abs(Number(v)));
  const data = encode('float64', values);
  const view: View = {
    storage: pair.reference.storage('float64', data),
    dtype: 'float64',
    shape,
    strides,
    offset,
  };
  return { device: view, reference: view };
}

const zeros64 = (pair: Pair, shape: readonly number[]): View =>
  pair.reference.empty('float64', shape);

async function values64(pair: Pair, view: View): Promise<number[]> {
  return (await pair.reference.read(view)) as number[];
}

/** Scan, matmul, conv, scatter and sort on random operands against the reference. */
export function operandProperties(pair: Pair, held: readonly DType[]): void {
  scanProperty(pair, held);
  matmulProperty(pair, held);
  convProperty(pair, held);
  scatterProperty(pair, held);
  sortProperty(pair, held);
}

const numeric = (held: readonly DType[], k: number): DType => {
  const fitting = held.filter((dtype) => dtype !== 'bool');
  return k % 2 === 0 ? 'float32' : (fitting[k % fitting.length] as DType);
};

function scanProperty(pair: Pair, held: readonly DType[]): void {
  const cases = fc.record({
    shape: shapes.filter((shape) => shape.length > 0),
    combine: fc.constantFrom('sum', 'prod', 'max', 'min', 'logaddexp'),
    reverse: fc.boolean(),
    axis: fc.nat(4),
    kind: fc.nat(99),
    seed: seeds,
  });
  test('scan: random axes of random views', () =>
    hold(pair, cases, async ({ shape, combine, reverse, axis: any, kind, seed }) => {
      const axis = any % shape.length;
      const best = combine === 'max' || combine === 'min';
      const dtype = combine === 'logaddexp' ? 'float32' : numeric(held, kind);
      // Only max and min are asked about NaN and infinity: sums of those differ by order alone.
      const from = pair.view(dtype, layOut(shape, seed), seed + 1, !best);
      if (combine === 'prod' && isFloatingPoint(dtype) && (shape[axis] as number) > 30) return;
      const output = pair.view(dtype, layOut(shape, seed + 2), seed + 3);
      const indices = best
        ? pair.view(pair.device.indexDtype, layOut(shape, seed + 4), seed + 5)
        : undefined;
      const sums = zeros64(pair, shape);
      if (combine === 'sum' || combine === 'prod') {
        const sizes = magnitudes(pair, from).reference;
        pair.reference.execute({
          kind: 'scan',
          axis,
          combine,
          reverse,
          input: sizes,
          output: sums,
        });
      }
      const total = await values64(pair, sums);
      const n = shape[axis] as number;
      await compare(
        pair,
        (side) => ({
          kind: 'scan',
          axis,
          combine,
          reverse,
          input: from[side],
          output: output[side],
          ...(indices ? { indices: indices[side] } : {}),
        }),
        indices ? [output, indices] : [output],
        (k, i) => {
          if (k === 1 || best) return 0;
          // Every step of a running logaddexp adds an error of a few units of values up to 4 + log(n).
          if (combine === 'logaddexp') return n * 3 * 2 ** -23 * (4 + Math.log(n));
          return n * 2 ** -23 * (total[i] as number);
        },
      );
    }));
}

function matmulProperty(pair: Pair, held: readonly DType[]): void {
  const size = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 9 }) },
    { weight: 1, arbitrary: fc.integer({ min: 10, max: 150 }) },
  );
  const cases = fc.record({
    batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    m: size,
    n: size,
    k: fc.oneof(
      { weight: 3, arbitrary: size },
      { weight: 1, arbitrary: fc.integer({ min: 256, max: 700 }) },
    ),
    expand: fc.nat(15),
    kind: fc.nat(99),
    epilogue: fc.nat(3),
    seed: seeds,
  });
  test('matmul: random sizes, layouts, batches and epilogues', () =>
    hold(pair, cases, async ({ batch, m, n, k, expand, kind, epilogue, seed }) => {
      const dtype = numeric(held, kind);
      const type = computeType(dtype);
      const expanded = (shape: readonly number[], mask: number, at: number): Both => {
        const narrow = shape.map((s, d) => (d < batch.length && (mask >> d) & 1 ? 1 : s));
        const placed = layOut(narrow, at);
        const strides = placed.strides.map((s, d) => (narrow[d] === shape[d] ? s : 0));
        return pair.view(dtype, { ...placed, shape, strides }, at + 1, true);
      };
      const a = expanded([...batch, m, k], expand & 3, seed);
      const b = expanded([...batch, k, n], expand >> 2, seed + 2);
      const out = pair.view(dtype, layOut([...batch, m, n], seed + 4), seed + 5, true);
      const bias = pair.view(dtype, layOut([n], seed + 6), seed + 7, true);
      const product = input(0, type);
      const other = input(1, type);
      const value: Expr | undefined = [
        undefined,
        e.add(product, other),
        e.max(e.add(product, other), 0),
        e.add(e.mul(product, 2), other),
      ][epilogue];
      const extra = epilogue === 3 ? out : bias;
      const sums = zeros64(pair, [...batch, m, n]);
      pair.reference.execute({
        kind: 'matmul',
        a: magnitudes(pair, a).reference,
        b: magnitudes(pair, b).reference,
        out: sums,
      });
      const total = await values64(pair, sums);
      await compare(
        pair,
        (side) => ({
          kind: 'matmul',
          a: a[side],
          b: b[side],
          out: out[side],
          ...(value ? { epilogue: { value, inputs: [extra[side]], scalars: [] } } : {}),
        }),
        [out],
        (_, i) => (k + 2) * 2 ** -23 * (2 * (total[i] as number) + 4),
      );
    }));
}

function convProperty(pair: Pair, held: readonly DType[]): void {
  const cases = fc.record({
    rank: fc.integer({ min: 1, max: 3 }),
    compute: fc.constantFrom('output', 'input', 'weight'),
    batch: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 4 }),
    outChannels: fc.integer({ min: 1, max: 4 }),
    bias: fc.boolean(),
    kind: fc.nat(99),
    seed: seeds,
  });
  test('conv: all three directions, random geometry', () =>
    hold(
      pair,
      cases,
      async ({ rank, compute, batch, groups, channels, outChannels, bias, kind, seed }) => {
        const next = numbers(seed);
        const each = (min: number, max: number) =>
          Array.from({ length: rank }, () => min + Math.floor(next() * (max - min + 1)));
        const [stride, padding, dilation, kernel] = [
          each(1, 3),
          each(0, 2),
          each(1, 2),
          each(1, 3),
        ];
        const space = each(1, rank === 3 ? 5 : 11).map((s, d) =>
          Math.max(
            s,
            (dilation[d] as number) * ((kernel[d] as number) - 1) + 1 - 2 * (padding[d] as number),
          ),
        );
        const outSpace = space.map((s, d) => {
          const reach =
            s +
            2 * (padding[d] as number) -
            (dilation[d] as number) * ((kernel[d] as number) - 1) -
            1;
          return Math.floor(reach / (stride[d] as number)) + 1;
        });
        const fitting = held.filter(isFloatingPoint);
        const dtype = kind % 2 ? 'float32' : (fitting[kind % fitting.length] as DType);
        const operand = (shape: readonly number[], k: number) =>
          pair.view(dtype, layOut(shape, seed + k), seed + k + 1, true);
        const operands = {
          input: operand([batch, channels * groups, ...space], 2),
          weight: operand([outChannels * groups, channels, ...kernel], 4),
          output: operand([batch, outChannels * groups, ...outSpace], 6),
        };
        const biasOf =
          bias && compute === 'output' ? operand([outChannels * groups], 8) : undefined;
        const geometry = { stride, padding, dilation, groups };
        const sizes = {
          input: magnitudes(pair, operands.input).reference,
          weight: magnitudes(pair, operands.weight).reference,
          output: magnitudes(pair, operands.output).reference,
          [compute]: zeros64(pair, operands[compute].device.shape),
        };
        pair.reference.execute({ kind: 'conv', compute, ...sizes, ...geometry });
        const total = await values64(pair, sizes[compute]);
        const terms =
          compute === 'weight'
            ? batch * numel(outSpace)
            : numel(kernel) * (compute === 'output' ? channels : outChannels);
        await compare(
          pair,
          (side) => ({
            kind: 'conv',
            compute,
            input: operands.input[side],
            weight: operands.weight[side],
            output: operands.output[side],
            ...(biasOf ? { bias: biasOf[side] } : {}),
            ...geometry,
          }),
          [operands[compute]],
          (_, i) => (terms + 2) * 2 ** -23 * ((total[i] as number) + 4),
        );
      },
    ));
}

function scatterProperty(pair: Pair, held: readonly DType[]): void {
  const cases = fc.record({
    shape: shapes.filter((shape) => shape.length > 0),
    target: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
    combine: fc.constantFrom('sum', 'prod', 'max', 'min', 'set'),
    kind: fc.nat(99),
    seed: seeds,
  });
  test('scatter: collisions, gaps, strided targets', () =>
    hold(pair, cases, async ({ shape, target, combine, kind, seed }) => {
      const floats = numeric(held, kind);
      // The order of float sums is the device's own; halves would round differently at every step.
      const dtype = isFloatingPoint(floats) ? 'float32' : floats;
      const type = computeType(dtype);
      const from = pair.view(
        dtype,
        layOut(shape, seed),
        seed + 1,
        combine === 'sum' || combine === 'prod',
      );
      const index = pair.view('int32', layOut(shape, seed + 2), seed + 3);
      const last = target.length - 1;
      let coords: Expr[] = target.map((size, d) =>
        e.fmod(d === last ? e.and(input(1, 'int32'), 1023) : coord(d % shape.length), size),
      );
      let valid: Expr = e.gt(input(1, 'int32'), -8);
      let sizes = target;
      if (combine === 'set') {
        // One writer an element, each coordinate reversed: who wins among several is not defined everywhere.
        sizes = [...shape];
        coords = shape.map((size, d) => e.sub(constant(size - 1, 'int32'), coord(d)));
        valid = e.gt(input(1, 'int32'), 0);
      }
      if (combine === 'prod' && numel(shape) > 60) return;
      const output = pair.view(dtype, layOut(sizes, seed + 4), seed + 5, true);
      const primitive = (side: 'device' | 'reference'): Primitive => ({
        kind: 'scatter',
        shape,
        inputs: [from[side], index[side]],
        scalars: [],
        coords,
        valid,
        value: input(0, type),
        output: output[side],
        combine,
      });
      const start = magnitudes(pair, output).reference;
      if (combine === 'sum' || combine === 'prod') {
        pair.reference.execute({
          ...(primitive('reference') as Extract<Primitive, { kind: 'scatter' }>),
          inputs: [magnitudes(pair, from).reference, index.reference],
          value: input(0, 'float64'),
          output: start,
        });
      }
      const total = await values64(pair, start);
      await compare(
        pair,
        primitive,
        [output],
        combine === 'sum' || combine === 'prod'
          ? (_, i) => numel(shape) * 2 ** -23 * (total[i] as number)
          : none,
      );
    }));
}

function sortProperty(pair: Pair, held: readonly DType[]): void {
  const cases = fc.record({
    shape: shapes.filter((shape) => shape.length > 0),
    descending: fc.boolean(),
    kind: fc.nat(99),
    seed: seeds,
  });
  test('sort: random views, many equals', () =>
    hold(pair, cases, async ({ shape, descending, kind, seed }) => {
      const dtype = kind % 3 === 0 ? 'float32' : (held[kind % held.length] as DType);
      const from = pair.view(dtype, layOut(shape, seed), seed + 1);
      const values = pair.view(dtype, layOut(shape, seed + 2), seed + 3);
      const indices = pair.view(pair.device.indexDtype, layOut(shape, seed + 4), seed + 5);
      await compare(
        pair,
        (side) => ({
          kind: 'sort',
          descending,
          input: from[side],
          values: values[side],
          indices: indices[side],
        }),
        [values, indices],
        none,
      );
    }));
}
