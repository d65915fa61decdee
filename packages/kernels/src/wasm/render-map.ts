import type { LoopKernel } from '../kernel.js';
import { BROADCAST, STRIDED } from '../layout.js';
import type { Emitter, Pointers } from './emitter.js';
import { control, i32 } from './opcodes.js';
import { LIGHT, weightOf } from './weights.js';

/**
 * Rows and columns of the blocks in which transposed operands are walked. Few columns: with a stride of a power
 * of two their lines all fall into one set of the cache.
 */
export const TILE_ROWS = 32;
const TILE_COLUMNS = 8;

/**
 * Whether a map is walked in blocks, so that each cache line of an operand that is contiguous along
 * another dimension is used up while it is there. Items are then bands of `TILE_ROWS` rows.
 */
export function isTiled(kernel: LoopKernel): boolean {
  if (kernel.kind !== 'map' || kernel.kept < 2) return false;
  let weight = 0;
  for (const e of kernel.program.order) weight += weightOf(e);
  return weight <= 40 && kernel.streams.some((s) => s.access === STRIDED);
}

/** Elementwise: items are elements, or bands of rows where tiled. */
export function renderMap(m: Emitter): void {
  const { kernel } = m;
  const roots = kernel.program.values;
  m.prepare(1, roots, new Map());
  const outputs = kernel.outputs.map((_, i) => m.outputBase + i);
  const operands = [...m.operandsOf(roots), ...outputs];
  const weight = m.weight(roots);
  const regular = operands.every((o) => m.access(o) !== STRIDED);
  const options = { light: weight <= LIGHT, unroll: regular && weight <= 6 ? [2] : [1] };
  const run = (count: number, pointers: Pointers): void => {
    m.forget(2);
    m.prepare(2, roots, pointers);
    const moving = new Map([...pointers].filter(([o]) => m.access(o) !== BROADCAST));
    m.vectors(count, moving, options, () => {
      const values = roots.map((e) => m.value(e));
      values.forEach((value, i) => {
        m.store(i, value);
      });
    });
  };
  if (isTiled(kernel)) walkTiles(m, operands, run);
  else {
    const dimensions = Array.from({ length: kernel.kept }, (_, d) => d);
    m.walk(dimensions, 1, 2, operands, (o) => m.base(o), run);
  }
}

/** Walks the last two dimensions in blocks; items [begin, end) are bands of rows. */
function walkTiles(
  m: Emitter,
  operands: readonly number[],
  run: (count: number, pointers: Pointers) => void,
): void {
  const { code, kernel } = m;
  const rows = kernel.kept - 2;
  const columns = kernel.kept - 1;
  const outer = Array.from({ length: rows }, (_, d) => d);
  const locals = (): Pointers => new Map(operands.map((o) => [o, code.local('i32')]));
  const [band, block, pointers] = [locals(), locals(), locals()];
  const [item, slab, bands, row, lastRow, column, count, r] = Array.from({ length: 8 }, () =>
    code.local('i32'),
  ) as [number, number, number, number, number, number, number, number];
  const coordinates = new Map(outer.map((d) => [d, code.local('i32')]));
  const coordinate = (d: number): number => coordinates.get(d) as number;
  const atMost = (limit: number, push: () => void): void => {
    push();
    code.i32(limit);
    push();
    code.i32(limit).op(i32.ltS).op(control.select);
  };
  code
    .get(m.size(rows))
    .i32(TILE_ROWS - 1)
    .op(i32.add)
    .i32(TILE_ROWS)
    .op(i32.divU)
    .set(bands);
  code.get(1).set(item);
  m.while(
    () => code.get(item).get(2).op(i32.ltU),
    () => {
      code.get(item).get(bands).op(i32.remU).i32(TILE_ROWS).op(i32.mul).set(row);
      code.get(item).get(bands).op(i32.divU).set(slab);
      if (outer.length > 0) m.unravel(outer, slab, coordinate);
      atMost(TILE_ROWS, () => code.get(m.size(rows)).get(row).op(i32.sub));
      code.set(lastRow);
      for (const [o, pointer] of band) {
        const base = m.base(o);
        if (base === undefined) code.i32(0);
        else code.get(base);
        for (const d of outer) code.get(coordinate(d)).get(m.stride(o, d)).op(i32.mul).op(i32.add);
        code.get(row).get(m.stride(o, rows)).op(i32.mul).op(i32.add).set(pointer);
      }
      code.i32(0).set(column);
      m.while(
        () => code.get(column).get(m.size(columns)).op(i32.ltU),
        () => {
          atMost(TILE_COLUMNS, () => code.get(m.size(columns)).get(column).op(i32.sub));
          code.set(count);
          for (const [o, pointer] of block) {
            code
              .get(band.get(o) as number)
              .get(column)
              .get(m.stride(o, columns))
              .op(i32.mul);
            code.op(i32.add).set(pointer);
          }
          code.i32(0).set(r);
          m.while(
            () => code.get(r).get(lastRow).op(i32.ltS),
            () => {
              for (const [o, pointer] of pointers) code.get(block.get(o) as number).set(pointer);
              run(count, pointers);
              for (const [o, pointer] of block) {
                code.get(pointer).get(m.stride(o, rows)).op(i32.add).set(pointer);
              }
              code.get(r).i32(1).op(i32.add).set(r);
            },
          );
          code.get(column).i32(TILE_COLUMNS).op(i32.add).set(column);
        },
      );
      code.get(item).i32(1).op(i32.add).set(item);
    },
  );
}
