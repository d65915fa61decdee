import { type Callable, type Code, ModuleBuilder, opcodes } from '@sconce/kernels';
import { count } from './emit.js';

const { i32, f32, f64, v128, control } = opcodes;

/** The words of an argument block of `im2col`, `col2im` and `bias`, as int32. */
export const convWords = {
  image: 0,
  column: 1,
  /** Bytes by which each further thread's columns lie higher. */
  threadColumn: 2,
  channels: 3,
  depth: 4,
  height: 5,
  width: 6,
  kernelDepth: 7,
  kernelHeight: 8,
  kernelWidth: 9,
  outHeight: 10,
  outWidth: 11,
  /** Output rows of one block, and blocks of one image. */
  rows: 12,
  blocks: 13,
  strideDepth: 14,
  strideHeight: 15,
  strideWidth: 16,
  padDepth: 17,
  padHeight: 18,
  padWidth: 19,
  dilationDepth: 20,
  dilationHeight: 21,
  dilationWidth: 22,
  imageBytes: 23,
  output: 24,
  biases: 25,
  /** Output channels of a group, and groups. */
  outChannels: 26,
  groups: 27,
} as const;

export const convArgumentBytes = 128;

type Word = keyof typeof convWords;

/**
 * A module with the tasks that turn convolution into matrix products. An item is a block of output rows of one group
 * of one image.
 * - `im2col`: the inputs under each kernel place, one row each, as the columns of a matrix;
 * - `col2im`: adds such a matrix back into the image, after clearing it at its first block;
 * - `bias`: fills the block of the output with the bias of each channel.
 */
export function buildConv(dtype: 'float32' | 'float64', shared: boolean): Uint8Array<ArrayBuffer> {
  const builder = new ModuleBuilder();
  builder.importMemory('env', 'memory', { shared });
  const size = dtype === 'float32' ? 4 : 8;
  emitTransfer(builder, 'im2col', size);
  emitTransfer(builder, 'col2im', size);
  emitBias(builder, size);
  return builder.build();
}

const word = (f: Code, name: Word): Code => f.get(0).memory(i32.load, convWords[name] * 4, 2);

function local(f: Code, name: Word): number {
  const at = f.local('i32');
  word(f, name).set(at);
  return at;
}

/** Runs `step` while the local `at` is below `end`, adding `by` bytes to `at` each time. */
function sweep(f: Code, at: number, end: number, by: number, step: () => void): void {
  f.block((exit) => {
    f.loop((again) => {
      f.get(at).get(end).op(i32.geU).brIf(exit);
      step();
      f.get(at).i32(by).op(i32.add).set(at).br(again);
    });
  });
}

/** Leaves max(x, 0) of a local in it. */
function clampLow(f: Code, x: number): void {
  f.get(x).i32(0).get(x).i32(0).op(i32.gtS).op(control.select).set(x);
}

/** Leaves min(x, y) of two locals in the first. */
function clampHigh(f: Code, x: number, y: number): void {
  f.get(x).get(y).get(x).get(y).op(i32.ltS).op(control.select).set(x);
}

function emitTransfer(builder: ModuleBuilder, name: 'im2col' | 'col2im', size: number): Callable {
  const gather = name === 'im2col';
  const f = builder.function(name, ['i32', 'i32', 'i32', 'i32']);
  const [item, end, thread] = [1, 2, 3];
  const w = (n: Word) => local(f, n);
  const [channels, depth, height, width] = [w('channels'), w('depth'), w('height'), w('width')];
  const [kd, kh, kw] = [w('kernelDepth'), w('kernelHeight'), w('kernelWidth')];
  const [oh, ow] = [w('outHeight'), w('outWidth')];
  const rows = w('rows');
  const [sd, sh, sw] = [w('strideDepth'), w('strideHeight'), w('strideWidth')];
  const [pd, ph, pw] = [w('padDepth'), w('padHeight'), w('padWidth')];
  const [dd, dh, dw] = [w('dilationDepth'), w('dilationHeight'), w('dilationWidth')];
  const names = () => f.local('i32');
  const [image, col, plane, first, block] = [names(), names(), names(), names(), names()];
  const [c, a, b, k, row, y, z, iy, iz] = [0, 0, 0, 0, 0, 0, 0, 0, 0].map(names) as [
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
  const [low, high, from, to, rowBytes, lowEnd, highEnd, stop] = [0, 0, 0, 0, 0, 0, 0, 0].map(
    names,
  ) as [number, number, number, number, number, number, number, number];
  const load = size === 4 ? f32.load : f64.load;
  const store = size === 4 ? f32.store : f64.store;
  const plus = size === 4 ? f32.add : f64.add;
  const lanes = size === 4 ? opcodes.f32x4 : opcodes.f64x2;
  const zero = f.local('v128');
  const step = f.local('i32');
  f.get(sw).i32(size).op(i32.mul).set(step);
  f.get(ow).i32(size).op(i32.mul).set(rowBytes);

  f.loop((nextItem) => {
    f.get(item);
    word(f, 'blocks').op(i32.remS).set(block);
    word(f, 'image').get(item);
    word(f, 'blocks').op(i32.divS);
    word(f, 'imageBytes').op(i32.mul).op(i32.add).set(image);
    if (!gather) {
      f.get(block).op(i32.eqz);
      f.if(() => {
        f.get(image).i32(0);
        word(f, 'imageBytes').memoryFill();
      });
    }
    word(f, 'column').get(thread);
    word(f, 'threadColumn').op(i32.mul).op(i32.add).set(col);
    f.get(block).get(rows).op(i32.mul).set(first);
    f.get(image).set(plane);
    count(f, c, channels, 1, () => {
      count(f, a, kd, 1, () => {
        count(f, b, kh, 1, () => {
          count(f, k, kw, 1, () => {
            // The places of a row at which this kernel column lies inside the image: [low, high).
            f.get(pw).get(k).get(dw).op(i32.mul).op(i32.sub).set(low);
            f.get(width).i32(1).op(i32.sub).get(low).op(i32.add).set(high);
            f.get(high).i32(0).op(i32.ltS);
            f.if(
              () => f.i32(0).set(high),
              () => f.get(high).get(sw).op(i32.divS).i32(1).op(i32.add).set(high),
            );
            clampHigh(f, high, ow);
            clampLow(f, low);
            f.get(low).get(sw).op(i32.add).i32(1).op(i32.sub).get(sw).op(i32.divS).set(low);
            clampHigh(f, low, high);

            f.get(first).get(oh).op(i32.divS).set(z);
            f.get(first).get(oh).op(i32.remS).set(y);
            count(f, row, rows, 1, () => {
              f.get(z)
                .get(sd)
                .op(i32.mul)
                .get(pd)
                .op(i32.sub)
                .get(a)
                .get(dd)
                .op(i32.mul)
                .op(i32.add)
                .set(iz);
              f.get(y)
                .get(sh)
                .op(i32.mul)
                .get(ph)
                .op(i32.sub)
                .get(b)
                .get(dh)
                .op(i32.mul)
                .op(i32.add)
                .set(iy);
              f.get(col).get(rowBytes).op(i32.add).set(stop);
              f.get(iz).get(depth).op(i32.ltU).get(iy).get(height).op(i32.ltU).op(i32.and);
              f.if(
                () => {
                  f.get(col).get(low).i32(size).op(i32.mul).op(i32.add).set(lowEnd);
                  f.get(col).get(high).i32(size).op(i32.mul).op(i32.add).set(highEnd);
                  f.get(iz).get(height).op(i32.mul).get(iy).op(i32.add).get(width).op(i32.mul);
                  f.get(low)
                    .get(sw)
                    .op(i32.mul)
                    .op(i32.add)
                    .get(pw)
                    .op(i32.sub)
                    .get(k)
                    .get(dw)
                    .op(i32.mul)
                    .op(i32.add);
                  f.i32(size).op(i32.mul).get(plane).op(i32.add).set(from);
                  f.get(col).set(to);
                  if (gather) transferIn();
                  else transferBack();
                },
                () => {
                  if (!gather) return;
                  f.get(col).set(to);
                  // May run past the row: what follows is written after it, and the matrix has room at its end.
                  sweep(f, to, stop, 16, () => f.get(to).get(zero).memory(v128.store));
                },
              );
              f.get(stop).set(col);
              f.get(y).i32(1).op(i32.add).tee(y).get(oh).op(i32.eq);
              f.if(() => {
                f.i32(0).set(y);
                f.get(z).i32(1).op(i32.add).set(z);
              });
            });
          });
        });
      });
      f.get(depth).get(height).op(i32.mul).get(width).op(i32.mul).i32(size).op(i32.mul);
      f.get(plane).op(i32.add).set(plane);
    });
    f.get(item).i32(1).op(i32.add).tee(item).get(end).op(i32.ltS).brIf(nextItem);
  });

  function transferIn(): void {
    sweep(f, to, lowEnd, 16, () => f.get(to).get(zero).memory(v128.store));
    f.get(lowEnd).set(to);
    f.get(sw).i32(1).op(i32.eq);
    f.if(
      () =>
        sweep(f, to, highEnd, 16, () => {
          f.get(to).get(from).memory(v128.load).memory(v128.store);
          f.get(from).i32(16).op(i32.add).set(from);
        }),
      () =>
        sweep(f, to, highEnd, size, () => {
          f.get(to).get(from).memory(load).memory(store);
          f.get(from).get(step).op(i32.add).set(from);
        }),
    );
    f.get(highEnd).set(to);
    sweep(f, to, stop, 16, () => f.get(to).get(zero).memory(v128.store));
  }

  function transferBack(): void {
    f.get(lowEnd).set(to);
    f.get(sw).i32(1).op(i32.eq);
    f.if(() => {
      const whole = lowEnd; // not needed any more
      f.get(highEnd).get(to).op(i32.sub).i32(-16).op(i32.and).get(to).op(i32.add).set(whole);
      sweep(f, to, whole, 16, () => {
        f.get(from)
          .get(from)
          .memory(v128.load)
          .get(to)
          .memory(v128.load)
          .op(lanes.add)
          .memory(v128.store);
        f.get(from).i32(16).op(i32.add).set(from);
      });
    });
    sweep(f, to, highEnd, size, () => {
      f.get(from).get(from).memory(load).get(to).memory(load).op(plus).memory(store);
      f.get(from).get(step).op(i32.add).set(from);
    });
  }
  return f;
}

function emitBias(builder: ModuleBuilder, size: number): void {
  const f = builder.function('bias', ['i32', 'i32', 'i32', 'i32']);
  const [item, end] = [1, 2];
  const names = () => f.local('i32');
  const [channel, to, stop, from, bytes, places, outChannels] = [0, 0, 0, 0, 0, 0, 0].map(
    names,
  ) as [number, number, number, number, number, number, number];
  const load = size === 4 ? f32.load : f64.load;
  const store = size === 4 ? f32.store : f64.store;
  word(f, 'rows');
  word(f, 'outWidth').op(i32.mul).i32(size).op(i32.mul).set(bytes);
  word(f, 'blocks').get(bytes).op(i32.mul).set(places);
  word(f, 'outChannels').set(outChannels);
  f.loop((nextItem) => {
    word(f, 'output').get(item);
    word(f, 'blocks').op(i32.divS).get(outChannels).op(i32.mul).get(places).op(i32.mul).op(i32.add);
    f.get(item);
    word(f, 'blocks').op(i32.remS).get(bytes).op(i32.mul).op(i32.add).set(to);
    word(f, 'biases').get(item);
    word(f, 'blocks').op(i32.divS);
    word(f, 'groups')
      .op(i32.remS)
      .get(outChannels)
      .op(i32.mul)
      .i32(size)
      .op(i32.mul)
      .op(i32.add)
      .set(from);
    count(f, channel, outChannels, 1, () => {
      f.get(to).get(bytes).op(i32.add).set(stop);
      sweep(f, to, stop, size, () => f.get(to).get(from).memory(load).memory(store));
      f.get(to).get(bytes).op(i32.sub).get(places).op(i32.add).set(to);
      f.get(from).i32(size).op(i32.add).set(from);
    });
    f.get(item).i32(1).op(i32.add).tee(item).get(end).op(i32.ltS).brIf(nextItem);
  });
}
