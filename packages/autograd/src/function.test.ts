import { type Tensor, tensor } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import {
  Function as AutogradFunction,
  type FunctionContext,
  grad,
  gradcheck,
  gradgradcheck,
} from './index.js';

const real = (...data: number[]) => tensor(data, { dtype: 'float64', requiresGrad: true });
const values = (t: Tensor | null | undefined) => t?.toArraySync();

type ScaleContext = FunctionContext<[Tensor], { factor: number }>;
class Scale extends AutogradFunction {
  static forward(ctx: ScaleContext, x: Tensor, factor: number): Tensor {
    ctx.saveForBackward(x);
    ctx.attributes.factor = factor;
    return x.mul(x).mul(factor);
  }
  static backward(ctx: ScaleContext, g: Tensor): (Tensor | null)[] {
    const [x] = ctx.savedTensors;
    return [g.mul(x).mul(2 * ctx.attributes.factor), null];
  }
}

describe('Function', () => {
  test('has the derivative it says, also of second order', () => {
    const x = real(1, 2);
    const y = Scale.apply(x, 3);
    expect(y.gradFn?.name).toBe('ScaleBackward');
    y.sum().backward();
    expect(values(x.grad)).toEqual([6, 12]);
    gradcheck((t) => Scale.apply(t, 3), [real(1, 2)]);
    gradgradcheck((t) => Scale.apply(t, 3), [real(1, 2)]);
  });

  test('is not recorded where nothing requires grad', () => {
    expect(Scale.apply(tensor([2], { dtype: 'float64' }), 3).requiresGrad).toBe(false);
  });

  test('several results: zeros for those without a gradient, constants left out', () => {
    const seen: unknown[] = [];
    class Pair extends AutogradFunction {
      static forward(ctx: FunctionContext, a: Tensor, b: Tensor): [Tensor, Tensor, Tensor] {
        const order = a.gt(b).to('float64');
        ctx.markNonDifferentiable(order);
        expect(ctx.needsInputGrad).toEqual([true, false]);
        return [a.mul(2), a.add(b), order];
      }
      static backward(_: FunctionContext, ...grads: Tensor[]): (Tensor | null)[] {
        seen.push(grads.map(values));
        return [(grads[0] as Tensor).mul(2).add(grads[1] as Tensor), null];
      }
    }
    const a = real(1, 5);
    const [twice, , order] = Pair.apply(a, tensor([3, 4], { dtype: 'float64' }));
    expect(order.requiresGrad).toBe(false);
    twice.sum().backward();
    expect(seen).toEqual([[[1, 1], [0, 0], undefined]]);
    expect(values(a.grad)).toEqual([2, 2]);
  });

  test('setMaterializeGrads(false) gives null', () => {
    let seen: unknown;
    class Both extends AutogradFunction {
      static forward(ctx: FunctionContext, a: Tensor): Tensor[] {
        ctx.setMaterializeGrads(false);
        return [a.mul(1), a.mul(2)];
      }
      static backward(_: FunctionContext, ...grads: Tensor[]): Tensor {
        seen = grads[0];
        return (grads[1] as Tensor).mul(2);
      }
    }
    const a = real(1);
    Both.apply(a)[1]?.sum().backward();
    expect(seen).toBeNull();
    expect(values(a.grad)).toEqual([2]);
  });

  test('markDirty: writes its input in place', () => {
    class Double extends AutogradFunction {
      static forward(ctx: FunctionContext, x: Tensor): Tensor {
        ctx.markDirty(x);
        return x.mul_(2);
      }
      static backward(_: FunctionContext, g: Tensor): Tensor {
        return g.mul(2);
      }
    }
    const a = real(1, 2);
    const b = a.mul(3);
    expect(Double.apply(b)).toBe(b);
    expect(b.gradFn?.name).toBe('DoubleBackward');
    b.sum().backward();
    expect(values(a.grad)).toEqual([6, 6]);
    const c = a.mul(3);
    Double.apply(c.narrow(0, 0, 1));
    expect(values(grad(c.sum(), a)[0])).toEqual([6, 3]);
    expect(() => Double.apply(a)).toThrow('a leaf Variable that requires grad');
  });

  test('an input returned as it is has the derivative of the function', () => {
    class Same extends AutogradFunction {
      static forward(_: FunctionContext, x: Tensor): Tensor {
        return x;
      }
      static backward(_: FunctionContext, g: Tensor): Tensor {
        return g.neg();
      }
    }
    const a = real(1, 2);
    const y = Same.apply(a);
    expect(y).not.toBe(a);
    y.sum().backward();
    expect(values(a.grad)).toEqual([-1, -1]);
    expect(() => Same.apply(a.mul(1)).mul_(2)).toThrow(
      'This view was created inside a custom Function',
    );
  });

  test('notices saved tensors that were changed, and graphs that were freed', () => {
    const x = real(1, 2).mul(1);
    const y = Scale.apply(x, 3);
    x.add_(1);
    expect(() => y.sum().backward()).toThrow('modified by an inplace operation');
    const z = Scale.apply(real(1), 3);
    z.backward();
    expect(() => z.backward()).toThrow('a second time');
  });

  test('the number of gradients is checked', () => {
    class Short extends AutogradFunction {
      static forward(_: FunctionContext, a: Tensor, b: Tensor): Tensor {
        return a.add(b);
      }
      static backward(_: FunctionContext, g: Tensor): Tensor {
        return g;
      }
    }
    expect(() => Short.apply(real(1), real(2)).backward()).toThrow(
      'function ShortBackward returned an incorrect number of gradients (expected 2, got 1)',
    );
  });
});

describe('gradcheck', () => {
  class Wrong extends AutogradFunction {
    static forward(_: FunctionContext, x: Tensor): Tensor {
      return x.mul(2);
    }
    static backward(_: FunctionContext, g: Tensor): Tensor {
      return g.mul(3);
    }
  }

  test('shows both matrices where they differ', () => {
    expect(() => gradcheck((x) => Wrong.apply(x), [real(1, 2)])).toThrow(
      'Jacobian mismatch for output 0 with respect to input 0,\nnumerical:\n[2.00000, 0.00000]\n[0.00000, 2.00000]\nanalytical:\n[3.00000, 0.00000]\n[0.00000, 3.00000]',
    );
    expect(gradcheck((x) => Wrong.apply(x), [real(1)], { raiseException: false })).toBe(false);
  });

  test('needs something that requires grad', () => {
    expect(() => gradcheck((x) => x, [tensor([1], { dtype: 'float64' })])).toThrow(
      'requires_grad=True',
    );
  });
});
