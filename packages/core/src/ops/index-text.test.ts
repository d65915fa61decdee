import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { arange, at, type IndexItem, ones, setAt, type Tensor, tensor, zeros } from '../index.js';
import { parseIndex } from './index-text.js';

const x = arange(60).reshape(3, 4, 5);

describe('an index as text', () => {
  it('reads positions, ranges, new dimensions, lists and ellipsis', () => {
    expect(parseIndex('1:5, ..., ::2')).toEqual([[1, 5, null], '...', [null, null, 2]]);
    expect(parseIndex(' -3 ,None,:, 2 : -1 : +3 ')).toEqual([
      -3,
      null,
      [null, null, null],
      [2, -1, 3],
    ]);
    expect(parseIndex('[0, -2], [True, False], [], true,')).toEqual([
      { list: [0, -2] },
      { list: [true, false] },
      { list: [] },
      true,
    ]);
  });

  it.each([
    ['1:5, .., ::2', "'..' stands at position 5"],
    ['1:2:3:4', "'1:2:3:4' stands at position 0"],
    ['0, , 1', 'nothing stands at position 3'],
    ['', 'nothing stands at position 0'],
    ['1.5', "'1.5' stands at position 0"],
    ['0, [1, a]', "'a' stands at position 7"],
    ['[0, 1', "'[0, 1' stands at position 0"],
    ['[0, True]', "'[0, True]' stands at position 0"],
    ['1 2', "'1 2' stands at position 0"],
  ])('%j says what is wrong and where', (text, fault) => {
    expect(() => x.at(text)).toThrow(
      `at: '${text}' is no index: ${fault}; between commas stand positions (3, -1), ranges (1:5, ::2), lists ([0, 2]), '...', None, True or False`,
    );
  });

  it('gets and sets', () => {
    expect(x.at('1, ..., ::3').toArraySync()).toEqual([
      [20, 23],
      [25, 28],
      [30, 33],
      [35, 38],
    ]);
    expect(x.at('[2, 0], :, 1').toArraySync()).toEqual([
      [41, 46, 51, 56],
      [1, 6, 11, 16],
    ]);
    expect(x.at('1, [True, False, False, True], -1').toArraySync()).toEqual([24, 39]);
    expect(x.at('...').storage).toBe(x.storage);
    const y = zeros([2, 3]).setAt(':, ::2', tensor([1, 2]));
    expect(y.toArraySync()).toEqual([
      [1, 0, 2],
      [1, 0, 2],
    ]);
    expect(y.setAt('[1], [1]', 7).toArraySync()).toEqual([
      [1, 0, 2],
      [1, 7, 2],
    ]);
  });
});

describe('setAt', () => {
  it('takes one part alone', () => {
    expect(zeros([3]).setAt(1, 5).toArraySync()).toEqual([0, 5, 0]);
    expect(
      tensor([1, -2])
        .setAt(tensor([false, true]), 0)
        .toArraySync(),
    ).toEqual([1, 0]);
    expect(
      ones([2])
        .setAt(null, tensor([[3, 4]]))
        .toArraySync(),
    ).toEqual([3, 4]);
    expect(ones([2]).setAt(true, 3).toArraySync()).toEqual([3, 3]);
    expect(ones([2]).setAt(false, 3).toArraySync()).toEqual([1, 1]);
  });
});

describe('what is no index', () => {
  it.each<[unknown, string]>([
    [1.5, 'got 1.5 in place 0'],
    [[0, 1, 2, 3], 'got [0,1,2,3] in place 0'],
    [undefined, "at: argument 'items' (position 1) must be"],
  ])('%j is refused', (item, message) => {
    expect(() => x.at(item as IndexItem)).toThrow(message);
  });

  it('has PyTorch’s errors', () => {
    expect(() => x.at([null, null, -1])).toThrow('step must be greater than zero, got -1');
    expect(() => x.at('::0')).toThrow('step must be greater than zero, got 0');
    expect(() => x.at(tensor([0.5]))).toThrow('must be long, byte or bool tensors, got float32');
    expect(() => tensor(1).at(0)).toThrow('invalid index of a 0-dim tensor');
    expect(() => tensor(1).at([])).toThrow('slice() cannot be applied to a 0-dim tensor');
    expect(() => x.at(0, 0, 0, 0)).toThrow('too many indices for tensor of dimension 3 (got 4)');
  });
});

/** A part of an index, and how it is written. */
const part = fc.oneof(
  fc.integer({ min: -3, max: 2 }).map((i): [IndexItem, string] => [i, String(i)]),
  fc
    .tuple(
      fc.option(fc.integer({ min: -6, max: 6 })),
      fc.option(fc.integer({ min: -6, max: 6 })),
      fc.option(fc.integer({ min: 1, max: 3 })),
    )
    .map(([a, b, c]): [IndexItem, string] => [
      [a, b, c],
      `${a ?? ''}:${b ?? ''}${c === null ? '' : `:${c}`}`,
    ]),
  fc.constant<[IndexItem, string]>([null, 'None']),
  fc.constant<[IndexItem, string]>([true, 'True']),
  fc
    .array(fc.integer({ min: -3, max: 2 }), { minLength: 1, maxLength: 1 })
    .map((list): [IndexItem, string] => [tensor(list.map(BigInt)), `[${list}]`]),
);

test('text and parts mean the same', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.nat(4), (parts, where) => {
      const all = [...parts];
      if (where < 4) all.splice(where, 0, ['...', '...']);
      const items = all.map(([item]) => item);
      const text = all.map(([, written]) => written).join(', ');
      let wanted: Tensor | string;
      try {
        wanted = at(x, ...items);
      } catch (error) {
        wanted = (error as Error).message;
      }
      if (typeof wanted === 'string') {
        expect(() => at(x, text)).toThrow(wanted);
        return;
      }
      const got = at(x, text);
      expect([got.shape, got.toArraySync()]).toEqual([wanted.shape, wanted.toArraySync()]);
      expect(got.storage === x.storage).toBe(wanted.storage === x.storage);
      const written = [text, items].map((index) => setAt(x.clone(), index, -1).toArraySync());
      expect(written[0]).toEqual(written[1]);
    }),
  );
});
