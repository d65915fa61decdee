import { itemSize } from '@sconce/core';
import { BROADCAST, CONTIGUOUS, STRIDED } from '../layout.js';
import { Evaluator, type Pointers } from './evaluator.js';
import { control, i32, i32x4 } from './opcodes.js';
import type { Value } from './values.js';

export type { Pointers } from './evaluator.js';

/** Writes one exported function of a kernel: its loops, around the evaluation of expressions. */
export class Emitter extends Evaluator {
  /** A loop that runs `body` while the condition that `test` pushes holds. */
  while(test: () => void, body: () => void): void {
    const { code } = this;
    code.block((done) => {
      code.loop((again) => {
        test();
        code.op(i32.eqz).brIf(done);
        body();
        code.br(again);
      });
    });
  }

  /** The address of an operand's first element, or 0 for an index. */
  base(o: number): number | undefined {
    return o < this.indexBase ? this.argument(this.layout.pointer(o)) : undefined;
  }

  /**
   * Walks positions [begin, end) of the dimensions in row-major order, one run along the last of them at a time.
   * Without `begin` it starts at 0.
   */
  walk(
    dimensions: readonly number[],
    begin: number | undefined,
    end: number,
    operands: readonly number[],
    bases: (o: number) => number | undefined,
    run: (count: number, pointers: Pointers) => void,
  ): void {
    const { code } = this;
    const inner = dimensions.at(-1) as number;
    const outer = dimensions.slice(0, -1);
    const pointers: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
    const count = code.local('i32');
    const pushBase = (o: number): void => {
      const base = bases(o);
      if (base === undefined) code.i32(0);
      else code.get(base);
    };
    if (outer.length === 0) {
      for (const [o, pointer] of pointers) {
        pushBase(o);
        if (begin !== undefined) code.get(begin).get(this.stride(o, inner)).op(i32.mul).op(i32.add);
        code.set(pointer);
      }
      code.get(end);
      if (begin !== undefined) code.get(begin).op(i32.sub);
      code.set(count);
      run(count, pointers);
      return;
    }
    const at = code.local('i32');
    const coordinates = new Map(dimensions.map((d) => [d, code.local('i32')]));
    const coordinate = (d: number): number => coordinates.get(d) as number;
    if (begin === undefined) {
      code.i32(0).set(at);
      for (const d of dimensions) code.i32(0).set(coordinate(d));
    } else {
      this.unravel(dimensions, begin, coordinate);
      code.get(begin).set(at);
    }
    this.while(
      () => code.get(at).get(end).op(i32.ltU),
      () => {
        code.get(this.size(inner)).get(coordinate(inner)).op(i32.sub).set(count);
        code.get(end).get(at).op(i32.sub).get(count).op(i32.ltU);
        code.if(() => code.get(end).get(at).op(i32.sub).set(count));
        for (const [o, pointer] of pointers) {
          pushBase(o);
          for (const d of begin === undefined ? outer : dimensions) {
            code.get(coordinate(d)).get(this.stride(o, d)).op(i32.mul).op(i32.add);
          }
          code.set(pointer);
        }
        run(count, pointers);
        code.get(at).get(count).op(i32.add).set(at);
        code.i32(0).set(coordinate(inner));
        this.advance(outer, coordinate);
      },
    );
  }

  /** Splits a flat position into coordinates. */
  unravel(dimensions: readonly number[], flat: number, coordinate: (d: number) => number): void {
    const { code } = this;
    const rest = code.local('i32');
    code.get(flat).set(rest);
    for (let i = dimensions.length - 1; i > 0; i--) {
      const d = dimensions[i] as number;
      code.get(rest).get(this.size(d)).op(i32.remU).set(coordinate(d));
      code.get(rest).get(this.size(d)).op(i32.divU).set(rest);
    }
    code.get(rest).set(coordinate(dimensions[0] as number));
  }

  /** Steps coordinates to the next position, the last dimension first. */
  advance(dimensions: readonly number[], coordinate: (d: number) => number): void {
    const { code } = this;
    const step = (i: number): void => {
      const d = dimensions[i] as number;
      code.get(coordinate(d)).i32(1).op(i32.add).tee(coordinate(d));
      if (i === 0) {
        code.op(control.drop);
        return;
      }
      code.get(this.size(d)).op(i32.eq);
      code.if(() => {
        code.i32(0).set(coordinate(d));
        step(i - 1);
      });
    };
    if (dimensions.length > 0) step(dimensions.length - 1);
  }

  /** Nested loops over whole dimensions; `body` runs at each position. */
  nest(
    dimensions: readonly number[],
    operands: readonly number[],
    from: Pointers,
    body: (pointers: Pointers) => void,
  ): void {
    const { code } = this;
    const level = (i: number, outer: Pointers): void => {
      const d = dimensions[i];
      if (d === undefined) {
        body(outer);
        return;
      }
      const pointers: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
      for (const [o, pointer] of pointers) code.get(outer.get(o) as number).set(pointer);
      const left = code.local('i32');
      code.get(this.size(d)).set(left);
      this.while(
        () => code.get(left),
        () => {
          level(i + 1, pointers);
          for (const [o, pointer] of pointers) {
            code.get(pointer).get(this.stride(o, d)).op(i32.add).set(pointer);
          }
          code.get(left).i32(1).op(i32.sub).set(left);
        },
      );
    };
    level(0, from);
  }

  /**
   * Runs `body` on vectors of four along a run of `count` elements; with `unroll`, on so many
   * vectors at a time, then on so many, while there are enough (operands must then be contiguous or repeated); `body` is
   * called for each of them, or once for all if `together`, with how many there are.
   * The last vector may be partial: `position.remaining` says so. `light` bodies are written
   * twice, so that the main loop tests nothing.
   */
  vectors(
    count: number,
    pointers: Pointers,
    options: { light: boolean; unroll?: readonly number[]; together?: boolean },
    body: (u: number) => void,
  ): void {
    const { code, v } = this;
    const before = this.position;
    const remaining = code.local('i32');
    const operands = [...pointers.keys()];
    const strided = operands.filter((o) => o < this.indexBase && this.access(o) === STRIDED);
    const indexed = operands.some((o) => o >= this.indexBase && this.access(o) !== BROADCAST);
    code.get(count).set(remaining);
    const step = (vectors: number): void => {
      for (const [o, pointer] of pointers) {
        const access = this.access(o);
        if (access === BROADCAST) continue;
        code.get(pointer);
        if (access === CONTIGUOUS) {
          code.i32(vectors * 4 * (o < this.indexBase ? itemSize(this.operand(o).dtype) : 1));
        } else {
          code
            .get(this.stride(o, this.vectorDimension))
            .i32(2 + Math.log2(vectors))
            .op(i32.shl);
        }
        code.op(i32.add).set(pointer);
      }
      code
        .get(remaining)
        .i32(4 * vectors)
        .op(i32.sub)
        .set(remaining);
    };
    const once = (u: number, partial: boolean, argument: number): void => {
      this.position = {
        pointers,
        level: 3,
        ahead: u * 4,
        remaining: partial ? remaining : undefined,
      };
      this.forget(3);
      v.scope(() => {
        body(argument);
        return [];
      });
      this.forget(3);
    };
    const { together = false, unroll = [1] } = options;
    for (const vectors of options.light ? unroll : []) {
      this.while(
        () =>
          code
            .get(remaining)
            .i32(4 * vectors)
            .op(i32.geS),
        () => {
          if (together) once(0, false, vectors);
          else for (let u = 0; u < vectors; u++) once(u, false, u);
          step(vectors);
        },
      );
    }
    for (const o of strided) {
      const { whole, clamped } = this.distances(o);
      whole.forEach((local, k) => {
        code.get(local).set(clamped[k] as number);
      });
    }
    this.position = { ...before, remaining };
    if (indexed) code.get(v.i32(0, 1, 2, 3)).set(this.lanes());
    this.while(
      () => code.get(remaining).i32(0).op(i32.gtS),
      () => {
        if (strided.length > 0 || indexed) {
          code.get(remaining).i32(4).op(i32.ltS);
          code.if(() => {
            for (const o of strided) {
              const { clamped } = this.distances(o);
              const [first, second, third] = clamped as [number, number, number];
              code
                .get(first)
                .i32(0)
                .get(remaining)
                .i32(1)
                .op(i32.gtS)
                .op(control.select)
                .set(first);
              code
                .get(second)
                .get(first)
                .get(remaining)
                .i32(2)
                .op(i32.gtS)
                .op(control.select)
                .set(second);
              code.get(second).set(third);
            }
            if (indexed) {
              this.position = { ...before, remaining };
              code.get(v.i32(0, 1, 2, 3));
              code.get(remaining).i32(1).op(i32.sub).op(i32x4.splat).op(i32x4.minS);
              code.set(this.lanes());
            }
          });
        }
        once(0, true, together ? 1 : 0);
        step(1);
      },
    );
    this.position = before;
  }

  /** A mask of the lanes that hold elements in a vector that may be partial. */
  activeLanes(): number | undefined {
    const { remaining } = this.position;
    if (remaining === undefined) return undefined;
    this.code
      .get(this.v.i32(0, 1, 2, 3))
      .get(remaining)
      .op(i32x4.splat)
      .op(i32x4.ltS);
    return this.v.take();
  }

  /** A value copied to locals of its own, which no scope frees. */
  variable(type: Value['type']): Value {
    const parts = [this.code.local('v128')];
    if (type === 'float64' || type === 'int64') parts.push(this.code.local('v128'));
    return { type, parts };
  }

  assign(target: Value, value: Value): void {
    value.parts.forEach((p, i) => {
      this.code.get(p).set(target.parts[i] as number);
    });
  }
}
