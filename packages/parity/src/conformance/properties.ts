import type {
  ComputeType,
  DType,
  Expr,
  Primitive,
  ReduceOutput,
  ReduceStage,
  View,
} from '@sconce/core';
import {
  cast,
  computeType,
  constant,
  coord,
  dtypes,
  e,
  exprKey,
  input,
  isFloatingPoint,
  linearIndex,
  load,
  numel,
  scalar,
  stage,
} from '@sconce/core';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Bounds } from './bounds.js';
import { Judge } from './bounds.js';
import { checkOutput } from './check.js';
import type { Fixture } from './fixture.js';
import type { Limits } from './limits.js';
import { linalgProperties } from './linalg-properties.js';
import { operandProperties } from './operand-properties.js';
import { hold, Pair, seeds, storedAs } from './pair.js';
import type { Recipe } from './random.js';
import { buildExpressions, layOut, layOutInput, numbers, recipes, shapes } from './random.js';
import { boundReduction } from './reduction-bounds.js';

/** Random primitives against the reference. */
export function propertyTests(device: Fixture, reference: Fixture, limits: Limits): void {
  const held = dtypes.filter((dtype) => device.supports(dtype));
  const types = (['float32', 'int32', 'bool', 'float64', 'int64'] as const).filter((type) =>
    device.supports(type),
  );
  const pair = new Pair(device, reference, limits);
  mapProperties(pair, limits, held, types);
  loadProperty(pair, limits, held);
  reduceProperties(pair, limits, held);
  operandProperties(pair, held);
  linalgProperties(pair);
}

/** Storage dtypes of inputs, chosen by number. */
const inputDtypes = (held: readonly DType[], numbersOf: readonly number[]): DType[] =>
  numbersOf.map((k) => (k % 3 === 0 ? 'float32' : (held[k % held.length] as DType)));

function mapProperties(
  pair: Pair,
  limits: Limits,
  held: readonly DType[],
  types: readonly ComputeType[],
): void {
  const cases = fc.record({
    shape: shapes,
    recipe: recipes(10),
    kinds: fc.array(fc.nat(99), { minLength: 1, maxLength: 3 }),
    seed: seeds,
    outputs: fc.integer({ min: 1, max: 3 }),
    inPlace: fc.boolean(),
  });

  test('map: random trees over random views', () =>
    hold(pair, cases, async ({ shape, recipe, kinds, seed, outputs, inPlace }) => {
      const next = numbers(seed);
      const inputs = inputDtypes(held, kinds).map((dtype, k) => {
        const placed = (inPlace && k === 0 ? layOut : layOutInput)(
          shape,
          Math.floor(next() * 2 ** 31),
        );
        return { dtype, ...pair.view(dtype, placed, Math.floor(next() * 2 ** 31)) };
      });
      const scalars = [Math.fround(next() * 4 - 2), Math.floor(next() * 9) - 4];
      const leaves = [
        ...(numel(shape) > 0 ? shape.map((_, axis) => coord(axis)) : []),
        linearIndex(),
        scalar(0, 'float32'),
        scalar(1, 'int32'),
        ...inputs.map(({ dtype }, k) => input(k, computeType(dtype))),
      ];
      const values = buildExpressions(recipe, leaves, types, limits.int64Bits)
        .slice(-outputs)
        .reverse();
      await checkMap(pair, limits, held, shape, inputs, scalars, values, seed, inPlace);
    }));
}

async function checkMap(
  pair: Pair,
  limits: Limits,
  held: readonly DType[],
  shape: readonly number[],
  inputs: readonly { device: View; reference: View }[],
  scalars: readonly number[],
  values: readonly Expr[],
  seed: number,
  inPlace: boolean,
): Promise<void> {
  const judge = new Judge(pair.reference, limits, {
    shape,
    inputs: inputs.map(({ reference }) => reference),
    scalars,
  });
  const next = numbers(seed ^ 0x5bd1e995);
  const outputs = values.map((value, k): View => {
    const first = inputs[0]?.device;
    if (inPlace && k === 0 && first && computeType(first.dtype) === value.dtype) return first;
    const dtype = storedAs(value.dtype, held, Math.floor(next() * 100));
    return pair.view(
      dtype,
      layOut(shape, Math.floor(next() * 2 ** 31)),
      Math.floor(next() * 2 ** 31),
    ).device;
  });
  const before = await Promise.all(outputs.map((view) => pair.device.stored(view)));
  pair.device.execute({
    kind: 'map',
    shape,
    inputs: inputs.map(({ device }) => device),
    scalars,
    values,
    outputs,
  });
  for (const [k, view] of outputs.entries()) {
    await explain(values[k] as Expr, () =>
      checkOutput(pair.device, view, judge.bounds(values[k] as Expr), before[k] as number[]),
    );
  }
}

/** Adds the expression to a failure. */
export async function explain(value: Expr, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    throw new Error(`${exprKey(value)}\n${error instanceof Error ? error.message : error}`);
  }
}

/** One coordinate of a load from a dimension of `size`, made of the coordinates of the space; with whether it is in range. */
function coordinate(size: number, from: Expr, kind: number): { at: Expr; valid: Expr } {
  const yes = constant(true, 'bool');
  const clamped = e.max(e.min(from, size - 1), 0);
  if (kind % 5 === 0) return { at: e.fmod(from, size), valid: yes };
  if (kind % 5 === 1) return { at: e.sub(constant(size - 1, 'int32'), clamped), valid: yes };
  if (kind % 5 === 2) return { at: clamped, valid: yes };
  const shift = kind % 5 === 3 ? e.sub(from, 1) : e.sub(e.mul(from, 2), 2);
  return { at: shift, valid: e.and(e.ge(shift, 0), e.lt(shift, size)) };
}

function loadProperty(pair: Pair, limits: Limits, held: readonly DType[]): void {
  const cases = fc.record({
    shape: shapes.filter((shape) => shape.length > 0),
    source: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
    kinds: fc.array(fc.nat(99), { minLength: 8, maxLength: 8 }),
    seed: seeds,
  });
  test('map: computed loads, chained and padded', () =>
    hold(pair, cases, async ({ shape, source, kinds, seed }) => {
      const dtype = held[(kinds[0] as number) % held.length] as DType;
      const type = computeType(dtype);
      const data = pair.view(dtype, layOut(source, seed), seed + 1);
      const index = pair.view('int32', layOut(shape, seed + 2), seed + 3);
      let valid: Expr = constant(true, 'bool');
      const coords = source.map((size, d) => {
        const kind = kinds[d + 1] as number;
        // Some coordinates are themselves elements of an index tensor.
        const from =
          kind % 7 === 0 ? e.and(input(1, 'int32'), 1023) : coord((kind + d) % shape.length);
        const { at, valid: inside } = coordinate(size, from, kind);
        valid = e.and(valid, inside);
        return at;
      });
      const value = load(0, type, coords, valid, constant(type === 'bool' ? false : 5, type));
      await checkMap(pair, limits, held, shape, [data, index], [], [value], seed, false);
    }));
}

/** A reduction made of stages, with what it stores. */
interface Reduction {
  readonly stages: readonly ReduceStage[];
  readonly outputs: readonly Pick<ReduceOutput, 'per' | 'value'>[];
}

const x = input(0, 'float32');
const mean = e.mul(stage(0, 'float32'), scalar(0, 'float32'));
const deviation = e.sub(x, mean);
const shifted = e.exp(e.sub(x, stage(0, 'float32')));

/** The reductions that networks are made of; the scalar is one over the length of the row. */
const rowwise: readonly Reduction[] = [
  {
    stages: [
      { combine: 'max', value: x },
      { combine: 'sum', value: shifted },
    ],
    outputs: [{ per: 'element', value: e.div(shifted, stage(1, 'float32')) }],
  },
  {
    stages: [
      { combine: 'max', value: x },
      { combine: 'sum', value: shifted },
    ],
    outputs: [
      { per: 'element', value: e.sub(e.sub(x, stage(0, 'float32')), e.log(stage(1, 'float32'))) },
      { per: 'row', value: e.add(stage(0, 'float32'), e.log(stage(1, 'float32'))) },
    ],
  },
  {
    stages: [
      { combine: 'sum', value: x },
      { combine: 'sum', value: e.mul(deviation, deviation) },
    ],
    outputs: [
      {
        per: 'element',
        value: e.div(
          deviation,
          e.sqrt(e.add(e.mul(stage(1, 'float32'), scalar(0, 'float32')), 1e-2)),
        ),
      },
      { per: 'row', value: mean },
      { per: 'row', value: e.mul(stage(1, 'float32'), scalar(0, 'float32')) },
    ],
  },
  {
    stages: [
      { combine: 'min', value: x },
      { combine: 'max', value: x },
    ],
    outputs: [{ per: 'row', value: e.sub(stage(1, 'float32'), stage(0, 'float32')) }],
  },
];

function reduceProperties(pair: Pair, limits: Limits, held: readonly DType[]): void {
  const base = { shape: shapes, axes: fc.nat(31), seed: seeds };
  const axesOf = (shape: readonly number[], mask: number) =>
    shape.map((_, axis) => axis).filter((axis) => (mask >> axis) & 1);

  const reduceCase = async (
    shape: readonly number[],
    axes: readonly number[],
    reduction: Reduction,
    inputs: readonly { device: View; reference: View }[],
    scalars: readonly number[],
    seed: number,
  ) => {
    const next = numbers(seed);
    const rowShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const outputs = reduction.outputs.map((output): ReduceOutput => {
      const fitting =
        output.value.dtype === 'int64' || output.value.dtype === 'int32'
          ? output.value.dtype
          : storedAs(output.value.dtype, held, Math.floor(next() * 100));
      const placed = layOut(output.per === 'row' ? rowShape : shape, Math.floor(next() * 2 ** 31));
      return { ...output, view: pair.view(fitting, placed, Math.floor(next() * 2 ** 31)).device };
    });
    const before = await Promise.all(outputs.map(({ view }) => pair.device.stored(view)));
    const primitive: Primitive = {
      kind: 'reduce',
      shape,
      axes,
      inputs: inputs.map(({ device }) => device),
      scalars,
      stages: reduction.stages,
      outputs,
    };
    pair.device.execute(primitive);
    const bounds = boundReduction(pair.reference, limits, {
      shape,
      axes,
      inputs: inputs.map(({ reference }) => reference),
      scalars,
      stages: reduction.stages,
      outputs: reduction.outputs,
    });
    for (const [k, { view, value }] of outputs.entries()) {
      await explain(value, () =>
        checkOutput(pair.device, view, bounds[k] as Bounds, before[k] as number[]),
      );
    }
  };

  test('reduce: one stage over random axes of random views', () =>
    hold(
      pair,
      fc.record({
        ...base,
        kind: fc.nat(99),
        combine: fc.constantFrom('sum', 'prod', 'max', 'min', 'argmax', 'argmin'),
        recipe: recipes(3),
      }),
      async ({ shape, axes, seed, kind, combine, recipe }) => {
        const dtype = inputDtypes(held, [kind])[0] as DType;
        const reduced = axesOf(shape, axes);
        const type = computeType(dtype);
        const isArg = combine.startsWith('arg');
        if (isArg && numel(reduced.map((axis) => shape[axis] as number)) === 0) return;
        const isSum = combine === 'sum' || combine === 'prod';
        const wanted = isSum && type === 'bool' ? 'int32' : type;
        // Long products leave the range of every type: those of floats are taken of numbers near 1.
        const nearOne = combine === 'prod' && isFloatingPoint(dtype);
        const of = input(0, type);
        let value: Expr = cast(of, wanted);
        if (nearOne) value = e.add(e.mul(of, 0.01), 1);
        else if (!isArg) value = tameTree(recipe, value);
        const result = isArg ? pair.device.indexDtype : value.dtype;
        await reduceCase(
          shape,
          reduced,
          { stages: [{ combine, value }], outputs: [{ per: 'row', value: stage(0, result) }] },
          [pair.view(dtype, layOutInput(shape, seed), seed + 1, isSum)],
          [],
          seed,
        );
      },
    ));

  test('reduce: softmax, log-softmax, layer norm, range', () =>
    hold(
      pair,
      fc.record({ ...base, kind: fc.nat(99), which: fc.nat(rowwise.length - 1) }),
      async ({ shape, axes, seed, kind, which }) => {
        const reduced = axesOf(shape, axes);
        const length = numel(reduced.map((axis) => shape[axis] as number));
        if (length === 0) return;
        const dtype = storedAs('float32', held, kind);
        const of = pair.view(dtype, layOutInput(shape, seed), seed + 1, true);
        await reduceCase(
          shape,
          reduced,
          rowwise[which] as Reduction,
          [of],
          [Math.fround(1 / length)],
          seed,
        );
      },
    ));
}

/** A small tree of arithmetic over one value: what is summed in practice. */
function tameTree(recipe: Recipe, leaf: Expr): Expr {
  if (leaf.dtype === 'bool') return leaf;
  let value = leaf;
  for (const [choice] of recipe) {
    if (choice % 4 === 0) value = e.mul(value, leaf);
    else if (choice % 4 === 1) value = e.abs(value);
    else if (choice % 4 === 2) value = e.add(value, 1);
    else value = e.max(value, leaf);
  }
  return value;
}
