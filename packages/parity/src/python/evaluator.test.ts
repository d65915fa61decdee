import { Float, float } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { Slice, Tuple } from '../corpus/value.js';
import { evaluate, runProgram } from '../mapping/world.js';
import { parseExpression } from './parser.js';
import { parseProgram } from './program.js';

describe('evaluate', () => {
  it('keeps ints and floats apart', () => {
    expect(evaluate('7 // 2 + 2 ** 3')).toBe(11);
    expect(evaluate('1 / 2')).toEqual(new Float(0.5));
    expect(evaluate('-2.0 * 3')).toEqual(new Float(-6));
    expect(evaluate('2 ** 40 * 2 ** 40')).toBe(2n ** 80n);
  });

  it('binds operators as Python does', () => {
    expect(evaluate('-2 ** 2')).toBe(-4);
    expect(evaluate('2 + 3 * 4 % 5')).toBe(4);
    expect(evaluate('1 if 2 > 3 else 4')).toBe(4);
    expect(evaluate('not 1 == 2 and 3 >= 3')).toBe(true);
  });

  it('builds lists, tuples and slices', () => {
    expect(evaluate('[i * i for i in range(1, 4)]')).toEqual([1, 4, 9]);
    expect(evaluate('(1,)')).toBeInstanceOf(Tuple);
    const index = parseExpression('x[1:, ::2]');
    expect(index).toMatchObject({ kind: 'subscript', index: { kind: 'tuple' } });
    expect(evaluate('slice(1, None, 2)')).toEqual(new Slice(1, null, 2));
  });

  it('calls lambdas and spreads arguments', () => {
    expect(evaluate('(lambda a, b: [b, a])(*[1, 2])')).toEqual([2, 1]);
    expect(evaluate('[a + b for a, b in zip([1, 2], [3, 4])]')).toEqual([4, 6]);
  });

  it('reaches Sconce under the names of PyTorch', () => {
    const sum = evaluate('(torch.arange(4).reshape(2, 2) @ torch.ones(2, 2).long()).sum().item()');
    expect(sum).toBe(12);
    expect(evaluate('torch.zeros(2, 3).dtype')).toBe('float32');
    expect(evaluate('torch.ones(4)[1:3].shape')).toEqual(Tuple.of(2));
  });

  it('has dictionaries, whose keys may be tuples', () => {
    expect(evaluate("dict(a=1, b=2)['b']")).toBe(2);
    expect(evaluate("dict([('a', 1)], b=2)")).toEqual(new Map(Object.entries({ a: 1, b: 2 })));
    expect(evaluate('{(1, 2): 3, (1, 3): 4}[(1, 3)]')).toBe(4);
    expect(evaluate('{(1, 2): 3}[1, 2]')).toBe(3);
    expect(evaluate('{1: 2}[1.0] + {True: 2}[1]')).toBe(4);
    expect(evaluate("{'a': 1, **{'b': 2}}")).toEqual(new Map(Object.entries({ a: 1, b: 2 })));
    expect(evaluate('[k + v for k, v in {1: 2, 3: 4}.items()]')).toEqual([3, 7]);
    expect(evaluate("dict(a=1).get('b', 5)")).toBe(5);
    expect(() => evaluate("{}['a']")).toThrow("'a'");
    expect(() => evaluate('{[1]: 2}')).toThrow('not hashable');
    expect(evaluate('torch.zeros(**dict(size=(2, 3))).shape')).toEqual(Tuple.of(2, 3));
  });

  it('asks for attributes', () => {
    expect(evaluate("hasattr(torch.ones(2), 'shape')")).toBe(true);
    expect(evaluate("hasattr(torch.ones(2), 'frobnicate')")).toBe(false);
    expect(evaluate("[hasattr(torch, n) for n in ('add', 'float32', 'inf', 'frob')]")).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(evaluate("hasattr(torch.nn, 'Linear') and not hasattr(torch.nn, 'Frob')")).toBe(true);
    expect(evaluate("getattr(torch.ones(2), 'ndim')")).toBe(1);
    expect(evaluate("getattr(torch.ones(2), 'frobnicate', 7)")).toBe(7);
    expect(evaluate("hasattr(nn.Linear(1, 2), 'weight')")).toBe(true);
    expect(evaluate("hasattr([], 'append') and not hasattr((), 'append')")).toBe(true);
  });

  it('tells types', () => {
    expect(evaluate('isinstance(1, int) and not isinstance(1.0, int)')).toBe(true);
    expect(evaluate('isinstance(True, int) and isinstance((1,), (list, tuple))')).toBe(true);
    expect(evaluate('isinstance(torch.ones(1), torch.Tensor)')).toBe(true);
    expect(evaluate('isinstance(nn.Linear(1, 2), nn.Linear)')).toBe(true);
    expect(evaluate('type(1.0) is float')).toBe(true);
  });

  it('compares in chains, and looks into containers', () => {
    expect(evaluate('1 < 2 < 3')).toBe(true);
    expect(evaluate('1 < 3 < 2')).toBe(false);
    expect(evaluate("1 in [1.0, 2] and 'a' not in {'b': 1}")).toBe(true);
    expect(evaluate('(1, [2]) == (1, [2]) != [1, [2]]')).toBe(true);
    expect(evaluate('None is not 1')).toBe(true);
    expect(evaluate("'abc' < 'abd' and (1, 2) < (1, 3)")).toBe(true);
  });

  it('comprehends', () => {
    expect(evaluate('[i * j for i in range(3) if i for j in (1, 10)]')).toEqual([1, 10, 2, 20]);
    expect(evaluate('{i: i ** 2 for i in range(2)}')).toEqual(
      new Map([
        [0, 0],
        [1, 1],
      ]),
    );
    expect(evaluate('len({i % 2 for i in range(5)})')).toBe(2);
    expect(evaluate('sum(x for x in (1, 2, 3))')).toBe(6);
    expect(evaluate('[a + b for a, (b, c) in [(1, (2, 3))]]')).toEqual([3]);
  });

  it('slices lists, tuples and strings', () => {
    expect(evaluate('[1, 2, 3, 4][::-2]')).toEqual([4, 2]);
    expect(evaluate('(1, 2, 3)[-2:]')).toEqual(Tuple.of(2, 3));
    expect(evaluate("'hello'[1:3] + 'x' * 2")).toBe('elxx');
    expect(() => evaluate('[1][3]')).toThrow('out of range');
  });

  it('formats text', () => {
    expect(evaluate('f\'{1 + 1} of {2.5:.2f} {"a"!r} {{}}\'')).toBe("2 of 2.50 'a' {}");
    expect(evaluate("f'{3:>4d}|{0.5:5.1%}|{7:03}'")).toBe('   3|50.0%|007');
    expect(evaluate("str([1, 2.0, (None,), {'a': True}])")).toBe("[1, 2.0, (None,), {'a': True}]");
    expect(evaluate("', '.join(str(i) for i in range(3))")).toBe('0, 1, 2');
    expect(evaluate("'a' 'b' r'\\n'")).toBe('ab\\n');
  });

  it('has the functions that lists are used with', () => {
    expect(evaluate('[(i, x) for i, x in enumerate([5, 6], 1)]')).toEqual([
      Tuple.of(1, 5),
      Tuple.of(2, 6),
    ]);
    expect(evaluate('sorted([3, 1, 2], key=lambda x: -x)')).toEqual([3, 2, 1]);
    expect(evaluate('list(map(lambda x, y=2: x * y, [1, 2]))')).toEqual([2, 4]);
    expect(evaluate('max(1, 3, 2) + min([4, 2]) + max([], default=1)')).toBe(6);
    expect(evaluate('any([0, 1]) and all([]) and not any(())')).toBe(true);
    expect(evaluate('round(2.5) + abs(-3) + divmod(7, 2)[1]')).toBe(6);
    expect(evaluate('round(2.567, 1)')).toEqual(float(2.6));
    expect(evaluate('math.prod([2, 3]) + math.floor(math.sqrt(17))')).toBe(10);
    expect(evaluate('abs(torch.tensor(-2.0)).item()')).toEqual(float(2));
    expect(evaluate('sum(torch.ones(3)).item()')).toEqual(float(3));
  });

  it('says what it cannot read', () => {
    expect(() => evaluate('1 +')).toThrow('python: unexpected the end in `1 +`');
    expect(() => evaluate('x')).toThrow("python: name 'x' is not defined");
    for (const wrong of ['class A: pass', 'if x', '  x = 1\n y = 2', 'x = (1', 'yield 1']) {
      expect(() => parseProgram(wrong), wrong).toThrow(SyntaxError);
    }
  });
});

describe('programs', () => {
  const result = (source: string) => runProgram(parseProgram(source)).get('result');

  it('branch and loop', () => {
    expect(
      result(`
total = 0
for i in range(10):
    if i % 2: continue
    elif i > 6:
        break
    else:
        total += i
while total < 20: total = total + 7
result = total
`),
    ).toBe(26);
  });

  it('define functions', () => {
    expect(
      result(`
def fact(n, *rest, scale: int = 1, **named) -> int:
    # the factorial
    return scale if n <= 1 else n * fact(n - 1, scale=scale)
result = [fact(4), fact(3, scale=2), (lambda *a: len(a))(1, 2)]
`),
    ).toEqual([24, 12, 2]);
    expect(() => result('def f(a): return a\nf()')).toThrow("missing argument 'a'");
    expect(() => result('def f(a): return a\nf(1, b=2)')).toThrow("unexpected argument 'b'");
  });

  it('catch what is raised', () => {
    expect(
      result(`
try:
    torch.ones(2) + torch.ones(3)
    result = 'nothing'
except (TypeError, RuntimeError) as e:
    result = 'size' in str(e)
finally:
    result = (result, 1)
`),
    ).toEqual(Tuple.of<unknown>(true, 1));
    expect(() => result("raise ValueError('no')")).toThrow('no');
    expect(() => result("assert 1 == 2, 'unequal'")).toThrow('unequal');
  });

  it('assign in every way', () => {
    expect(
      result('a = b = [1]; b.append(2); (c, *d), e = ((1, 2, 3), 4)\nresult = [a, c, d, e]'),
    ).toEqual([[1, 2], 1, [2, 3], 4]);
    expect(result('d = {}\nd[1, 2] = 3\nd[(1, 2)] += 1\ndel d[1, 2]\nresult = len(d)')).toBe(0);
    expect(
      result(
        'import torch.nn as n, math\nfrom torch import ones\nresult = ones(\n  2,\n)[0].item()',
      ),
    ).toEqual(float(1));
  });
});
