import { type Callable, type ModuleBuilder, opcodes } from '@sconce/kernels';
import { count } from './emit.js';

const { i32, f32, f64, v128 } = opcodes;

/** What the functions of a matrix-product module are made for. */
export interface Target {
  readonly size: number;
  readonly double: boolean;
  readonly relaxed: boolean;
}

/**
 * `pack(source, to, depth, used, step, across)`: a strip of `width` elements across and `depth` long, of which
 * `used` exist and the others are zero; `step` and `across` are the source's strides in bytes.
 */
export function emitPack(
  builder: ModuleBuilder,
  { size, double }: Target,
  width: number,
): Callable {
  const f = builder.function(undefined, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [source, to, depth, used, step, across] = [0, 1, 2, 3, 4, 5];
  const p = f.local('i32');
  const j = f.local('i32');
  const from = f.local('i32');
  const end = f.local('i32');
  const vectors = (width * size) / 16;
  const load = double ? f64.load : f32.load;
  const store = double ? f64.store : f32.store;

  f.i32(0).set(p);
  f.get(used).i32(width).op(i32.eq);
  f.if(() => {
    f.get(across).i32(size).op(i32.eq);
    f.if(
      () => {
        count(f, p, depth, 1, () => {
          for (let v = 0; v < vectors; v++) {
            f.get(to)
              .get(source)
              .memory(v128.load, v * 16)
              .memory(v128.store, v * 16);
          }
          f.get(source).get(step).op(i32.add).set(source);
          f.get(to)
            .i32(width * size)
            .op(i32.add)
            .set(to);
        });
      },
      () => {
        if (double) return;
        // Contiguous along the depth: four by four elements are transposed in registers.
        f.get(step).i32(size).op(i32.eq);
        f.if(() => {
          const rows = [0, 1, 2, 3].map(() => f.local('v128')) as [number, number, number, number];
          const halves = [0, 1, 2, 3].map(() => f.local('v128')) as [
            number,
            number,
            number,
            number,
          ];
          f.get(depth).i32(-4).op(i32.and).set(end);
          count(f, p, end, 4, () => {
            f.get(source).set(from);
            for (let group = 0; group < width / 4; group++) {
              for (const row of rows) {
                f.get(from).memory(v128.load).set(row);
                f.get(from).get(across).op(i32.add).set(from);
              }
              const [a, b, c, d] = rows;
              f.get(a).get(b).shuffle32(0, 4, 1, 5).set(halves[0]);
              f.get(a).get(b).shuffle32(2, 6, 3, 7).set(halves[1]);
              f.get(c).get(d).shuffle32(0, 4, 1, 5).set(halves[2]);
              f.get(c).get(d).shuffle32(2, 6, 3, 7).set(halves[3]);
              const put = (q: number, x: number, y: number, high: boolean) => {
                f.get(to)
                  .get(halves[x] as number)
                  .get(halves[y] as number);
                if (high) f.shuffle32(2, 3, 6, 7);
                else f.shuffle32(0, 1, 4, 5);
                f.memory(v128.store, (q * width + group * 4) * size);
              };
              put(0, 0, 2, false);
              put(1, 0, 2, true);
              put(2, 1, 3, false);
              put(3, 1, 3, true);
            }
            f.get(source).i32(16).op(i32.add).set(source);
            f.get(to)
              .i32(4 * width * size)
              .op(i32.add)
              .set(to);
          });
        });
      },
    );
  });
  // Whatever is left, element by element; `p` is how far the above came.
  f.block((exit) => {
    f.loop((again) => {
      f.get(p).get(depth).op(i32.geS).brIf(exit);
      f.get(source).set(from);
      f.i32(0).set(j);
      f.loop((next) => {
        f.get(to);
        f.get(j).get(used).op(i32.ltS);
        f.if(
          () => f.get(from).memory(load),
          () => (double ? f.f64(0) : f.f32(0)),
          double ? 'f64' : 'f32',
        );
        f.memory(store);
        f.get(to).i32(size).op(i32.add).set(to);
        f.get(from).get(across).op(i32.add).set(from);
        f.get(j).i32(1).op(i32.add).tee(j).i32(width).op(i32.ltS).brIf(next);
      });
      f.get(source).get(step).op(i32.add).set(source);
      f.get(p).i32(1).op(i32.add).set(p).br(again);
    });
  });
  return f;
}
