import type { ComputeType, DType, Expr } from '@sconce/core';
import { itemSize } from '@sconce/core';
import { loadValue } from './elements.js';
import type { Evaluator } from './evaluator.js';
import { control, i32, i32x4 } from './opcodes.js';
import { isWide, pushLane, select, type Value } from './values.js';
import type { Vectors } from './vectors.js';

/** Reads an operand at computed coordinates: the value of a `load` node. */
export function evaluateLoad(m: Evaluator, e: Expr): Value {
  const { v, kernel } = m;
  const l = kernel.program.loads.indexOf(Number(e.value));
  const { dtype } = kernel.loads[l] as { dtype: DType };
  const coords = e.args.slice(0, -2).map((c) => m.value(c));
  const [valid, fill] = e.args.slice(-2) as [Expr, Expr];
  const always = valid.op === 'const' && valid.value === true;
  const mask = always ? undefined : m.value(valid);
  const base = m.argument(m.layout.loadPointer(l));
  const strides = coords.map((_, d) => m.argument(m.layout.loadStride(l, d)));
  const loaded =
    m.level(e) < 3 && m.lanesAgree
      ? loadOne(v, dtype, base, strides, coords, mask)
      : gather(v, dtype, e.dtype, addressesOf(v, base, strides, coords, mask));
  return mask ? select(v, mask, loaded, m.value(fill)) : loaded;
}

/** The byte addresses of four elements. Where nothing may be read, the first of the operand, to be dropped. */
function addressesOf(
  v: Vectors,
  base: number,
  strides: readonly number[],
  coords: readonly Value[],
  mask: Value | undefined,
): number {
  const { code } = v;
  return v.scoped(() => {
    code.get(base).op(i32x4.splat);
    const first = v.take();
    let sum = first;
    coords.forEach((c, d) => {
      code
        .get(c.parts[0] as number)
        .get(strides[d] as number)
        .op(i32x4.splat)
        .op(i32x4.mul);
      sum = v.iadd(sum, v.take());
    });
    return mask ? v.select(mask.parts[0] as number, sum, first) : sum;
  });
}

/** One element for all lanes, where they agree on the coordinates. */
function loadOne(
  v: Vectors,
  dtype: DType,
  base: number,
  strides: readonly number[],
  coords: readonly Value[],
  mask: Value | undefined,
): Value {
  const { code } = v;
  const address = code.local('i32');
  code.get(base);
  coords.forEach((c, d) => {
    pushLane(v, c, 0);
    code
      .get(strides[d] as number)
      .op(i32.mul)
      .op(i32.add);
  });
  code.set(address);
  if (mask) {
    code.get(address).get(base);
    pushLane(v, mask, 0);
    code.op(control.select).set(address);
  }
  return loadValue(v, dtype, { push: () => code.get(address), repeated: true });
}

/** Loads four elements from four addresses, at once if they follow one another. */
function gather(v: Vectors, dtype: DType, type: ComputeType, addresses: number): Value {
  const { code } = v;
  const bytes = itemSize(dtype);
  const first = code.local('i32');
  const distances = [1, 2, 3].map(() => code.local('i32'));
  const parts = isWide(type) ? [v.fresh(), v.fresh()] : [v.fresh()];
  const keep = (value: Value): readonly number[] => {
    value.parts.forEach((p, i) => {
      code.get(p).set(parts[i] as number);
    });
    return [];
  };
  const push = (): void => {
    code.get(first);
  };
  code.get(addresses).get(addresses).lane(i32x4.extractLane, 0).tee(first);
  code
    .op(i32x4.splat)
    .op(i32x4.sub)
    .get(v.i32(0, bytes, 2 * bytes, 3 * bytes));
  code.op(i32x4.eq).op(i32x4.allTrue);
  code.if(
    () => {
      v.scope(() => keep(loadValue(v, dtype, { push })));
    },
    () => {
      v.scope(() => {
        distances.forEach((distance, k) => {
          code.get(addresses).lane(i32x4.extractLane, k + 1);
          code.get(first).op(i32.sub).set(distance);
        });
        return keep(loadValue(v, dtype, { push, distances }));
      });
    },
  );
  return { type, parts };
}
