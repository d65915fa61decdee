import { describe, expect, it } from 'vitest';
import { formatDevice, formatDtype, formatSize, formatTuple, pythonRepr } from './index.js';

describe('pythonRepr', () => {
  it('writes scalars as Python does', () => {
    expect([null, true, false, 3, 3n, 0.5, 1e-5].map((value) => pythonRepr(value))).toEqual([
      'None',
      'True',
      'False',
      '3',
      '3',
      '0.5',
      '1e-05',
    ]);
    expect(pythonRepr(Number.NaN)).toBe('nan');
    expect(pythonRepr(1, { floats: true })).toBe('1.0');
  });

  it('writes nested arrays as lists', () => {
    const rows = [
      [1, 2],
      [3, 4],
    ];
    expect(pythonRepr(rows)).toBe('[[1, 2], [3, 4]]');
    expect(pythonRepr(rows, { floats: true })).toBe('[[1.0, 2.0], [3.0, 4.0]]');
    expect(pythonRepr([])).toBe('[]');
  });

  it('quotes and escapes strings', () => {
    expect(pythonRepr('zeros')).toBe("'zeros'");
    expect(pythonRepr("it's")).toBe('"it\'s"');
    expect(pythonRepr('it\'s "so"')).toBe("'it\\'s \"so\"'");
    expect(pythonRepr('a\\b\n\u0001')).toBe("'a\\\\b\\n\\x01'");
  });
});

describe('reprs of what a tensor carries', () => {
  it('writes tuples, with the comma of a single item', () => {
    expect(formatTuple([])).toBe('()');
    expect(formatTuple([5])).toBe('(5,)');
    expect(formatTuple([0, 3])).toBe('(0, 3)');
    expect(formatTuple([1, 0.999], { floats: true })).toBe('(1.0, 0.999)');
  });

  it('writes shapes, dtypes and devices as PyTorch does', () => {
    expect(formatSize([2, 3])).toBe('torch.Size([2, 3])');
    expect(formatSize([])).toBe('torch.Size([])');
    expect(formatDtype('float32')).toBe('torch.float32');
    expect(formatDevice('cpu')).toBe("device(type='cpu')");
    expect(formatDevice('cuda', 0)).toBe("device(type='cuda', index=0)");
  });
});
