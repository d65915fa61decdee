import { type Code, opcodes } from '@sconce/kernels';

const { i32, control } = opcodes;

/** `for (i = 0; i < limit; i += step)`, where `limit` is a local. */
export function count(f: Code, i: number, limit: number, step: number, body: () => void): void {
  f.i32(0).set(i);
  f.block((exit) => {
    f.loop((again) => {
      f.get(i).get(limit).op(i32.geS).brIf(exit);
      body();
      f.get(i).i32(step).op(i32.add).set(i).br(again);
    });
  });
}

/** Pushes min(a - b, limit) for locals a, b. */
export function remaining(f: Code, a: number, b: number, limit: number): void {
  f.get(a).get(b).op(i32.sub).i32(limit);
  f.get(a).get(b).op(i32.sub).i32(limit).op(i32.ltS);
  f.op(control.select);
}
