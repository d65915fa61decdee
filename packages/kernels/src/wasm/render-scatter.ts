import type { Expr } from '@sconce/core';
import { itemSize } from '@sconce/core';
import { BROADCAST } from '../layout.js';
import { combineValues } from './combine.js';
import { loadValue, storeValue } from './elements.js';
import type { Emitter, Pointers } from './emitter.js';
import { i32, i32x4, v128 } from './opcodes.js';
import { exchangeTo, type Value } from './values.js';

/**
 * Positions in row-major order, each combined into the output at computed coordinates. Items are positions along
 * one dimension whose coordinate is a coordinate of the output, so that they never meet; one item if there is none.
 */
export function renderScatter(m: Emitter): void {
  const { kernel, code } = m;
  const scatter = kernel.scatter as NonNullable<typeof kernel.scatter>;
  const { values } = kernel.program;
  const operands = m.operandsOf(values);
  const inner = kernel.kept - 1;
  m.prepare(1, values, new Map());
  const bases: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
  for (const [o, local] of bases) {
    const base = m.base(o);
    if (base === undefined) code.i32(0);
    else code.get(base);
    if (scatter.itemDimension <= inner) {
      code.get(1).get(m.stride(o, scatter.itemDimension)).op(i32.mul).op(i32.add);
    }
    code.set(local);
  }
  const items = code.local('i32');
  code.get(2).get(1).op(i32.sub).set(items);
  const extent = (d: number): number => (d === scatter.itemDimension ? items : m.size(d));
  const level = (d: number, outer: Pointers): void => {
    const pointers: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
    for (const [o, pointer] of pointers) code.get(outer.get(o) as number).set(pointer);
    if (d === inner) {
      m.forget(2);
      m.prepare(2, values, pointers);
      const moving = new Map([...pointers].filter(([o]) => m.access(o) !== BROADCAST));
      m.vectors(extent(d), moving, { light: false }, () => combineVector(m));
      return;
    }
    const left = code.local('i32');
    code.get(extent(d)).set(left);
    m.while(
      () => code.get(left),
      () => {
        level(d + 1, pointers);
        for (const [o, pointer] of pointers) {
          code.get(pointer).get(m.stride(o, d)).op(i32.add).set(pointer);
        }
        code.get(left).i32(1).op(i32.sub).set(left);
      },
    );
  };
  level(0, bases);
}

function combineVector(m: Emitter): void {
  const { kernel, code, v } = m;
  const { output, combine, hasValid } = kernel.scatter as NonNullable<typeof kernel.scatter>;
  const { values } = kernel.program;
  const remaining = m.position.remaining as number;
  const coords = values.slice(0, output.rank);
  const valid = hasValid ? (values[output.rank] as Expr) : undefined;
  const value = m.value(values.at(-1) as Expr);
  code.get(m.argument(m.layout.scatterPointer)).op(i32x4.splat);
  let addresses = v.take();
  coords.forEach((c, d) => {
    code.get(m.value(c).parts[0] as number);
    code
      .get(m.argument(m.layout.scatterStride(d)))
      .op(i32x4.splat)
      .op(i32x4.mul);
    addresses = v.iadd(addresses, v.take());
  });
  const isValid = valid ? (m.value(valid).parts[0] as number) : undefined;
  const address = code.local('i32');
  const place = { push: () => code.get(address) };
  const one = (lane: number): void => {
    code.get(addresses).lane(i32x4.extractLane, lane).set(address);
    v.scope(() => {
      const mine = exchangeTo(v, value, lane);
      const result: Value =
        combine === 'set'
          ? mine
          : combineValues(
              v,
              combine,
              loadValue(v, output.dtype, { ...place, repeated: true }),
              mine,
            );
      storeValue(v, output.dtype, result, place, -1);
      return [];
    });
  };
  const ifValid = (lane: number): void => {
    if (isValid === undefined) one(lane);
    else {
      code.get(isValid).lane(i32x4.extractLane, lane);
      code.if(() => one(lane));
    }
  };
  const oneByOne = (): void => {
    ifValid(0);
    for (const lane of [1, 2, 3]) {
      code.get(remaining).i32(lane).op(i32.gtS);
      code.if(() => ifValid(lane));
    }
  };
  // Four neighbours at once where they are: rows of an embedding, slices.
  const bytes = itemSize(output.dtype);
  code.get(addresses);
  code.get(addresses).lane(i32x4.extractLane, 0).tee(address);
  code
    .op(i32x4.splat)
    .op(i32x4.sub)
    .get(v.i32(0, bytes, 2 * bytes, 3 * bytes))
    .op(i32x4.eq);
  if (isValid !== undefined) code.get(isValid).op(v128.and);
  code.op(i32x4.allTrue).get(remaining).i32(4).op(i32.geS).op(i32.and);
  code.if(() => {
    v.scope(() => {
      const result =
        combine === 'set'
          ? value
          : combineValues(v, combine, loadValue(v, output.dtype, place), value);
      storeValue(v, output.dtype, result, place, undefined);
      return [];
    });
  }, oneByOne);
}
