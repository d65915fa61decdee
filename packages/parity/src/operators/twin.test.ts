import { add, InterpreterBackend, init, mm, type Primitive, registerBackend } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import { Draw } from './draw.js';
import { type Call, Twin } from './twin.js';

/** A device that gets matrix products slightly wrong, and takes strides for granted elsewhere. */
class Careless extends InterpreterBackend {
  override execute(primitive: Primitive): void {
    if (primitive.kind === 'matmul')
      super.execute({ ...primitive, a: primitive.b, b: primitive.a });
    else if (primitive.kind === 'map') {
      const inputs = primitive.inputs.map((view) =>
        view.shape.length === 2 ? { ...view, strides: [view.shape[1] as number, 1] } : view,
      );
      super.execute({ ...primitive, inputs });
    } else super.execute(primitive);
  }
}
registerBackend('careless', { open: () => new Careless() });
const twin = new Twin(await init('careless'), await init('reference'));

describe('a device that is wrong', () => {
  const product: Call = { text: 'mm(t0, t1)', exact: false, run: (t) => mm(t(0), t(1)) };
  const sum: Call = { text: 'add(t0, t0)', exact: true, run: (t) => add(t(0), t(0)) };
  const views = (rows: number, columns: number, strides: number[]) => {
    const d = new Draw(1, 4, ['float32']);
    for (let i = 0; i < 2; i++) {
      const shape = [rows, columns];
      const values = [1, 2, 3, 4, 5, 6, 7, 8, 9];
      d.operands.push({ shape, strides, offset: 0, length: 9, dtype: 'float32', values });
    }
    return d;
  };

  test('is found out, with the call and its operands', async () => {
    const d = views(2, 2, [1, 3]);
    await expect(twin.check(sum, d)).rejects.toThrow(
      /^add\(t0, t0\)\n {2}t0: float32 \[2, 2\], strides \[1, 3\].*\n.*\n3 elements differ:\n {2}result 0, element 1: 4, the reference says 8/,
    );
  });

  test('passes where it happens to be right', async () => {
    await twin.check(sum, views(3, 3, [3, 1]));
    await twin.check(product, views(3, 3, [3, 1]));
    await expect(
      twin.check({ ...product, run: (t) => mm(t(0), t(1).T) }, views(3, 3, [3, 1])),
    ).rejects.toThrow(/differ/);
  });
});
