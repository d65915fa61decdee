import { type Callable, type Code, ModuleBuilder, opcodes } from '@sconce/kernels';
import { count, remaining } from './emit.js';
import { blockDepth, blockRows, gemmWords, tileColumns, tileRows } from './gemm-layout.js';
import { emitPack, type Target } from './gemm-pack.js';

const { i32, f32, f64, v128, f32x4, f64x2 } = opcodes;

/** What a matrix-product module is made for. */
export interface GemmVariant {
  readonly dtype: 'float32' | 'float64';
  readonly shared: boolean;
  /** Whether the engine has relaxed SIMD, and with it fused multiply-add. */
  readonly relaxed: boolean;
  /** Steps of the inner loop done at once. */
  readonly unroll: number;
}

/**
 * A module with the tasks
 * - `items`: whole products, one an item;
 * - `packB`: strips of B into `packed`, and `rows`: blocks of rows of the product with it, for one product split between threads.
 *
 * The method is Goto's: B in strips as wide as the tile, A in blocks that stay in cache, and an inner
 * loop that keeps a 4 x 2-vector tile of C in registers.
 *
 * @see https://www.cs.utexas.edu/~flame/pubs/GotoTOMS_revision.pdf
 */
export function buildGemm({
  dtype,
  shared,
  relaxed,
  unroll,
}: GemmVariant): Uint8Array<ArrayBuffer> {
  const builder = new ModuleBuilder();
  builder.importMemory('env', 'memory', { shared });
  const double = dtype === 'float64';
  const target: Target = { size: double ? 8 : 4, double, relaxed };
  const width = tileColumns(dtype);
  const packWide = emitPack(builder, target, width);
  const packTall = width === tileRows ? packWide : emitPack(builder, target, tileRows);
  const micro = emitMicro(builder, target, unroll);
  const block = emitBlock(builder, target, width, packTall, micro);
  emitPackB(builder, target, width, packWide);
  emitRows(builder, target, block);
  emitItems(builder, target, width, packWide, block);
  return builder.build();
}

/** `micro(a, b, depth, c, rowC, add)`: one tile from packed strips; `rowC` in bytes. */
function emitMicro(
  builder: ModuleBuilder,
  { size, double, relaxed }: Target,
  unroll: number,
): Callable {
  const f = builder.function(undefined, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [a, b, depth, c, rowC, add] = [0, 1, 2, 3, 4, 5];
  const left = f.local('i32');
  const b0 = f.local('v128');
  const b1 = f.local('v128');
  const element = f.local('v128');
  const tile = Array.from({ length: tileRows * 2 }, () => f.local('v128'));
  const splat = double ? v128.load64Splat : v128.load32Splat;
  const lanes = double ? f64x2 : f32x4;

  const step = (u: number) => {
    f.get(b)
      .memory(v128.load, u * 32)
      .set(b0);
    f.get(b)
      .memory(v128.load, u * 32 + 16)
      .set(b1);
    for (let r = 0; r < tileRows; r++) {
      f.get(a)
        .memory(splat, (u * tileRows + r) * size)
        .set(element);
      [b0, b1].forEach((vector, v) => {
        const sum = tile[r * 2 + v] as number;
        if (relaxed) f.get(element).get(vector).get(sum).op(lanes.relaxedMadd).set(sum);
        else f.get(element).get(vector).op(lanes.mul).get(sum).op(lanes.add).set(sum);
      });
    }
  };
  const loop = (steps: number) => {
    f.block((exit) => {
      f.loop((again) => {
        f.get(left).i32(steps).op(i32.ltS).brIf(exit);
        for (let u = 0; u < steps; u++) step(u);
        f.get(a)
          .i32(steps * tileRows * size)
          .op(i32.add)
          .set(a);
        f.get(b)
          .i32(steps * 32)
          .op(i32.add)
          .set(b);
        f.get(left).i32(steps).op(i32.sub).set(left).br(again);
      });
    });
  };
  f.get(depth).set(left);
  if (unroll > 1) loop(unroll);
  loop(1);
  const write = (adding: boolean) => {
    for (let r = 0; r < tileRows; r++) {
      for (let v = 0; v < 2; v++) {
        f.get(c).get(tile[r * 2 + v] as number);
        if (adding)
          f.get(c)
            .memory(v128.load, v * 16)
            .op(lanes.add);
        f.memory(v128.store, v * 16);
      }
      if (r < tileRows - 1) f.get(c).get(rowC).op(i32.add).set(c);
    }
  };
  f.get(add);
  f.if(
    () => write(true),
    () => write(false),
  );
  return f;
}

/** `block(a, m, packed, c, n, k, rowA, columnA, rowC, add, scratch)`: up to 64 rows of a product; strides in bytes. */
function emitBlock(
  builder: ModuleBuilder,
  { size, double }: Target,
  width: number,
  pack: Callable,
  micro: Callable,
): Callable {
  const f = builder.function(undefined, new Array(11).fill('i32'));
  const [a, m, packed, c, n, k, rowA, columnA, rowC, add, scratch] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ];
  const [k0, depth, i, j, rows, columns, strip, packedA, to, x, y, group] = Array.from(
    { length: 12 },
    () => f.local('i32'),
  ) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const tileBytes = 512;
  const load = double ? f64.load : f32.load;
  const store = double ? f64.store : f32.store;
  const plus = double ? f64.add : f32.add;

  count(f, k0, k, blockDepth, () => {
    remaining(f, k, k0, blockDepth);
    f.set(depth);
    f.get(scratch).i32(tileBytes).op(i32.add).set(packedA);
    count(f, i, m, tileRows, () => {
      f.get(a)
        .get(i)
        .get(rowA)
        .op(i32.mul)
        .op(i32.add)
        .get(k0)
        .get(columnA)
        .op(i32.mul)
        .op(i32.add);
      f.get(packedA).get(i).get(depth).op(i32.mul).i32(size).op(i32.mul).op(i32.add);
      f.get(depth);
      remaining(f, m, i, tileRows);
      f.get(columnA).get(rowA).call(pack);
    });
    count(f, j, n, width, () => {
      f.get(packed).get(j).get(k).op(i32.mul).get(k0).i32(width).op(i32.mul).op(i32.add);
      f.i32(size).op(i32.mul).op(i32.add).set(strip);
      remaining(f, n, j, width);
      f.set(columns);
      count(f, i, m, tileRows, () => {
        remaining(f, m, i, tileRows);
        f.set(rows);
        f.get(c)
          .get(i)
          .get(rowC)
          .op(i32.mul)
          .op(i32.add)
          .get(j)
          .i32(size)
          .op(i32.mul)
          .op(i32.add)
          .set(to);
        f.get(packedA).get(i).get(depth).op(i32.mul).i32(size).op(i32.mul).op(i32.add).set(group);
        f.get(rows).i32(tileRows).op(i32.eq).get(columns).i32(width).op(i32.eq).op(i32.and);
        f.if(
          () => f.get(group).get(strip).get(depth).get(to).get(rowC).get(add).call(micro),
          () => {
            // A tile at the edge is computed whole aside, and its part that exists copied.
            f.get(group).get(strip).get(depth);
            f.get(scratch)
              .i32(width * size)
              .i32(0)
              .call(micro);
            count(f, y, rows, 1, () => {
              count(f, x, columns, 1, () => {
                const at = () =>
                  f
                    .get(to)
                    .get(y)
                    .get(rowC)
                    .op(i32.mul)
                    .op(i32.add)
                    .get(x)
                    .i32(size)
                    .op(i32.mul)
                    .op(i32.add);
                at();
                f.get(scratch)
                  .get(y)
                  .i32(width)
                  .op(i32.mul)
                  .get(x)
                  .op(i32.add)
                  .i32(size)
                  .op(i32.mul)
                  .op(i32.add);
                f.memory(load);
                f.get(add);
                f.if(
                  () => at().memory(load),
                  () => (double ? f.f64(0) : f.f32(0)),
                  double ? 'f64' : 'f32',
                );
                f.op(plus).memory(store);
              });
            });
          },
        );
      });
    });
    f.i32(1).set(add);
  });
  return f;
}

const word = (f: Code, name: keyof typeof gemmWords): Code =>
  f.get(0).memory(i32.load, gemmWords[name] * 4, 2);

/** Pushes a stride of the block in bytes. */
const stride = (f: Code, name: keyof typeof gemmWords, size: number): Code =>
  word(f, name).i32(size).op(i32.mul);

/** Pushes the address of operand 0, 1 or 2 of an item. */
const operand = (f: Code, which: number, item: number): Code =>
  word(f, 'table')
    .get(item)
    .i32(12)
    .op(i32.mul)
    .op(i32.add)
    .memory(i32.load, which * 4, 2);

function emitPackB(builder: ModuleBuilder, { size }: Target, width: number, pack: Callable): void {
  const f = builder.function('packB', ['i32', 'i32', 'i32', 'i32']);
  const [begin, end] = [1, 2];
  const zero = f.local('i32');
  const n = f.local('i32');
  const j = f.local('i32');
  word(f, 'n').set(n);
  f.loop((again) => {
    f.get(begin).i32(width).op(i32.mul).set(j);
    operand(f, 1, zero).get(j);
    stride(f, 'columnB', size).op(i32.mul).op(i32.add);
    word(f, 'packed').get(j);
    stride(f, 'k', size).op(i32.mul).op(i32.add);
    word(f, 'k');
    remaining(f, n, j, width);
    stride(f, 'rowB', size);
    stride(f, 'columnB', size).call(pack);
    f.get(begin).i32(1).op(i32.add).tee(begin).get(end).op(i32.ltS).brIf(again);
  });
}

function emitRows(builder: ModuleBuilder, { size }: Target, block: Callable): void {
  const f = builder.function('rows', ['i32', 'i32', 'i32', 'i32']);
  const [begin, end, thread] = [1, 2, 3];
  const zero = f.local('i32');
  const i = f.local('i32');
  const rows = f.local('i32');
  const left = f.local('i32');
  word(f, 'rows').set(rows);
  f.loop((again) => {
    f.get(begin).get(rows).op(i32.mul).set(i);
    word(f, 'm').get(i).op(i32.sub).set(left);
    operand(f, 0, zero).get(i);
    stride(f, 'rowA', size).op(i32.mul).op(i32.add);
    f.get(left).get(rows).get(left).get(rows).op(i32.ltS).op(opcodes.control.select);
    word(f, 'packed');
    operand(f, 2, zero).get(i);
    stride(f, 'rowC', size).op(i32.mul).op(i32.add);
    word(f, 'n');
    word(f, 'k');
    stride(f, 'rowA', size);
    stride(f, 'columnA', size);
    stride(f, 'rowC', size);
    word(f, 'accumulate');
    word(f, 'scratch').get(thread);
    word(f, 'scratchStride').op(i32.mul).op(i32.add).call(block);
    f.get(begin).i32(1).op(i32.add).tee(begin).get(end).op(i32.ltS).brIf(again);
  });
}

function emitItems(
  builder: ModuleBuilder,
  { size, double }: Target,
  width: number,
  pack: Callable,
  block: Callable,
): void {
  const f = builder.function('items', ['i32', 'i32', 'i32', 'i32']);
  const [begin, end, thread] = [1, 2, 3];
  const [m, n, k, i, j, a, b, c, scratch, packed] = Array.from({ length: 10 }, () =>
    f.local('i32'),
  ) as [number, number, number, number, number, number, number, number, number, number];
  word(f, 'm').set(m);
  word(f, 'n').set(n);
  word(f, 'k').set(k);
  word(f, 'scratch').get(thread);
  word(f, 'scratchStride').op(i32.mul).op(i32.add).set(scratch);
  // The packed B lies behind the edge tile and the packed A.
  f.get(k).i32(blockDepth).get(k).i32(blockDepth).op(i32.ltS).op(opcodes.control.select);
  f.i32(blockRows * (double ? 8 : 4))
    .op(i32.mul)
    .i32(512)
    .op(i32.add)
    .get(scratch)
    .op(i32.add)
    .set(packed);
  f.loop((again) => {
    const place = (which: number, name: 'threadA' | 'threadB' | 'threadC') => {
      operand(f, which, begin).get(thread);
      word(f, name).op(i32.mul).op(i32.add);
    };
    place(0, 'threadA');
    f.set(a);
    place(1, 'threadB');
    f.set(b);
    place(2, 'threadC');
    f.set(c);
    count(f, j, n, width, () => {
      f.get(b).get(j);
      stride(f, 'columnB', size).op(i32.mul).op(i32.add);
      f.get(packed).get(j).get(k).op(i32.mul).i32(size).op(i32.mul).op(i32.add);
      f.get(k);
      remaining(f, n, j, width);
      stride(f, 'rowB', size);
      stride(f, 'columnB', size).call(pack);
    });
    count(f, i, m, blockRows, () => {
      f.get(a).get(i);
      stride(f, 'rowA', size).op(i32.mul).op(i32.add);
      remaining(f, m, i, blockRows);
      f.get(packed).get(c).get(i);
      stride(f, 'rowC', size).op(i32.mul).op(i32.add);
      f.get(n).get(k);
      stride(f, 'rowA', size);
      stride(f, 'columnA', size);
      stride(f, 'rowC', size);
      word(f, 'accumulate').get(scratch).call(block);
    });
    f.get(begin).i32(1).op(i32.add).tee(begin).get(end).op(i32.ltS).brIf(again);
  });
}
