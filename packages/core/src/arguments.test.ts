import { expect, test } from 'vitest';
import * as core from './index.js';
import { scalarTensor, tensor } from './index.js';
import { elementwise } from './ops/define.js';

const takesNumber = (params: string, position: number) =>
  params.split(' ')[position]?.endsWith('~');

// Every row says which of its operands may be numbers; the others are refused by name.
test.each([...elementwise.values()].map((row) => [row.row.name, row] as const))(
  '%s refuses what is neither a tensor nor, where it may stand, a number',
  (name, { row, op }) => {
    const dtype = row.refuse?.('float32') ? 'int64' : 'float32';
    op.params.forEach((param, position) => {
      const call = (wrong: unknown) => {
        const args = op.params.map((_, i) =>
          i === position
            ? wrong
            : row.condition === i
              ? tensor([true])
              : takesNumber(row.params, i) && i > 0
                ? 2
                : tensor([1, 2], { dtype }),
        );
        return () => (op.forward as (...a: unknown[]) => unknown)(...args);
      };
      const place = `${name}: argument '${param}' (position ${position + 1}) must be a Tensor`;
      expect(call('2')).toThrow(TypeError);
      expect(call('2')).toThrow(place);
      expect(call(undefined)).toThrow(`${place}`);
      if (takesNumber(row.params, position)) return;
      expect(call(2)).toThrow(`${place}, got the number 2; scalarTensor(2) makes one`);
      expect(call(true)).toThrow(TypeError);
    });
  },
);

test('the tensor an operation works on is asked for by name', () => {
  const wrong = 5 as unknown as core.Tensor;
  expect(() => core.permute(wrong, [0])).toThrow(
    "permute: argument 'self' (position 1) must be a Tensor",
  );
  expect(() => core.rsub(wrong, tensor([1]))).toThrow("rsub: argument 'self' (position 1)");
  expect(() => core.isclose(scalarTensor(1), wrong)).toThrow("isclose: argument 'other'");
  expect(() => core.maximum(tensor([1]), wrong)).toThrow(TypeError);
  expect(() => core.heaviside(wrong, tensor([1]))).toThrow("heaviside: argument 'self'");
  expect(() => core.ldexp(wrong, tensor([1]))).toThrow("ldexp: argument 'self'");
});

test('a count of steps is an integer', () => {
  expect(() => core.linspace(0, 1, 2.5)).toThrow(
    "linspace: argument 'steps' (position 3) must be an integer, got the number 2.5",
  );
  expect(() => core.logspace(0, 1, core.float(3) as never)).toThrow(TypeError);
});

test('functions composed of others ask for it by name too', () => {
  const wrong = 5 as unknown as core.Tensor;
  expect(() => core.sum(wrong)).toThrow("sum: argument 'self' (position 1) must be a Tensor");
  expect(() => core.sort(wrong)).toThrow(TypeError);
  expect(() => core.gather(tensor([1]), 0, wrong)).toThrow(
    "gather: argument 'index' (position 3) must be a Tensor, got the number 5",
  );
});

test('plain functions and methods tell of arguments of the wrong kind under their own names', () => {
  const [wrong, x] = [5 as never, tensor([[1, 2]])];
  const { flip, roll, split, chunk, hsplit, unbind, diagEmbed, flatten, movedim, vander } = core;
  const composed = {
    flip,
    roll,
    split,
    chunk,
    hsplit,
    unbind,
    diagEmbed,
    flatten,
    movedim,
    vander,
  };
  for (const [name, fn] of Object.entries(composed)) {
    expect(() => (fn as (self: core.Tensor, ...rest: number[]) => unknown)(wrong, 1, 0)).toThrow(
      `${name}: argument 'self' (position 1) must be a Tensor, got the number 5`,
    );
  }
  expect(() => core.split(x, {} as never)).toThrow(
    "split: argument 'sizeOrSizes' (position 2) must be a number or an array of numbers, got a plain object",
  );
  // Positions of methods do not count the tensor.
  expect(() => x.split(null as never)).toThrow(
    "split: argument 'sizeOrSizes' (position 1) must be a number or an array of numbers, got null",
  );
  expect(() => x.viewAs(null as never)).toThrow(
    "viewAs: argument 'other' (position 1) must be a Tensor, got null",
  );
  expect(() => core.conv2d(x, null as never)).toThrow(
    "conv2d: argument 'weight' (position 2) must be a Tensor, got null",
  );
  expect(() => core.linalg.vander(wrong)).toThrow("linalg.vander: argument 'self' (position 1)");
});

test('operands on several devices are the fault of the operation that was called', () => {
  const [x, w] = [tensor([[1, 2]]), tensor([[1, 2]], { device: 'reference' })];
  expect(() => core.linear(x, w)).toThrow(/^(mm|linear): expected all tensors to be on the same/);
  expect(() => core.softmax(core.cat([x, w]), 0)).toThrow(/^cat: expected all tensors/);
  expect(() => core.gather(x, 0, w.zero_().to('int64'))).toThrow(/^gather: expected all tensors/);
});
