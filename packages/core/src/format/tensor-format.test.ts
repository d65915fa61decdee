import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { DType } from '../dtype.js';
import {
  formatTensor,
  getPrintOptions,
  type PrintableElement,
  type PrintOptions,
  setPrintOptions,
} from './index.js';

/** Texts printed by PyTorch 1.13; numbers that JSON lacks are strings. */
interface PrintCase {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data:
    | readonly (number | boolean | string)[]
    | { readonly arange: number }
    | { readonly constant: number };
  readonly options?: PrintOptions;
  readonly requiresGrad?: boolean;
  readonly gradFn?: string;
  readonly defaultDtype?: DType;
  readonly text: string;
}

const cases: readonly PrintCase[] = JSON.parse(
  readFileSync(new URL('./tensor-format.fixture.json', import.meta.url), 'utf8'),
);

const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

function elementsOf({ data, dtype, shape }: PrintCase): PrintableElement[] {
  const count = shape.reduce((product, size) => product * size, 1);
  const raw =
    'arange' in data
      ? Array.from({ length: data.arange }, (_, i) => i)
      : 'constant' in data
        ? Array.from({ length: count }, () => data.constant)
        : data;
  return raw.map((value) => {
    if (dtype === 'int64') return BigInt(value);
    return typeof value === 'string' ? (SPECIAL[value] ?? Number(value)) : value;
  });
}

afterEach(() => setPrintOptions({ profile: 'default' }));

describe('formatTensor against PyTorch', () => {
  it.each(cases.map((c) => [c.name, c] as const))('%s', (_, printCase) => {
    const data = elementsOf(printCase);
    const tensor = { ...printCase, data };
    setPrintOptions(printCase.options ?? {});
    expect(formatTensor(tensor)).toBe(printCase.text);
    setPrintOptions({ profile: 'default' });
    expect(formatTensor(tensor, printCase.options)).toBe(printCase.text);
    const read = (index: number): PrintableElement => data[index] as PrintableElement;
    expect(formatTensor({ ...printCase, data: read }, printCase.options)).toBe(printCase.text);
  });
});

describe('formatTensor', () => {
  it('reads only the elements it shows, each once', () => {
    const read: number[] = [];
    const data = (index: number): number => {
      read.push(index);
      return index;
    };
    const text = formatTensor(
      { dtype: 'int64', shape: [100_000, 100_000], data },
      { edgeItems: 1 },
    );
    expect(read).toEqual([0, 99_999, 9_999_900_000, 9_999_999_999]);
    expect(text).toBe(
      'tensor([[         0,  ...,      99999],\n' +
        '        ...,\n' +
        '        [9999900000,  ..., 9999999999]])',
    );
  });

  it('writes a device other than the CPU, in front of the dtype', () => {
    const tensor = { dtype: 'float64', shape: [1], data: [2], requiresGrad: true } as const;
    expect(formatTensor({ ...tensor, device: 'cuda:0' })).toBe(
      "tensor([2.], device='cuda:0', dtype=torch.float64, requires_grad=True)",
    );
    expect(formatTensor({ ...tensor, device: 'cpu' })).toBe(
      'tensor([2.], dtype=torch.float64, requires_grad=True)',
    );
  });

  it('takes bools as 0 and 1, and integers as numbers', () => {
    expect(formatTensor({ dtype: 'bool', shape: [2], data: new Uint8Array([0, 1]) })).toBe(
      'tensor([False,  True])',
    );
    expect(formatTensor({ dtype: 'int64', shape: [2], data: [-1, 2 ** 60] })).toBe(
      'tensor([                 -1, 1152921504606846976])',
    );
  });

  it('shows no element of a summarised tensor with edgeItems 0', () => {
    const tensor = { dtype: 'int64', data: [1, 2, 3, 4] } as const;
    const options = { edgeItems: 0, threshold: 1 };
    expect(formatTensor({ ...tensor, shape: [4] }, options)).toBe('tensor([ ...])');
    expect(formatTensor({ ...tensor, shape: [2, 2] }, options)).toBe('tensor([...])');
  });

  it('never breaks a line of infinite width', () => {
    const data = Array.from({ length: 50 }, (_, i) => i);
    const text = formatTensor({ dtype: 'int64', shape: [50], data }, { lineWidth: Infinity });
    expect(text).not.toContain('\n');
  });

  it('refuses data that does not fill the shape', () => {
    expect(() => formatTensor({ dtype: 'float32', shape: [2, 3], data: [1] })).toThrow(
      'formatTensor: 1 elements do not fill shape (2, 3), which has 6',
    );
  });
});

describe('print options', () => {
  it('start as PyTorch has them and follow the profile', () => {
    const defaults = { precision: 4, threshold: 1000, edgeItems: 3, lineWidth: 80, sciMode: null };
    expect(getPrintOptions()).toEqual(defaults);
    setPrintOptions({ profile: 'short' });
    expect(getPrintOptions()).toEqual({ ...defaults, precision: 2, edgeItems: 2 });
    setPrintOptions({ profile: 'full', precision: 6 });
    expect(getPrintOptions()).toEqual({ ...defaults, precision: 6, threshold: Infinity });
    setPrintOptions({ profile: 'default' });
    expect(getPrintOptions()).toEqual(defaults);
  });

  it('keep what is not given, except sciMode', () => {
    setPrintOptions({ lineWidth: 40, sciMode: true });
    expect(getPrintOptions().sciMode).toBe(true);
    setPrintOptions({ precision: 3 });
    expect(getPrintOptions()).toMatchObject({ lineWidth: 40, precision: 3, sciMode: null });
  });

  it('of one call leave the others alone', () => {
    setPrintOptions({ sciMode: true });
    const tensor = { dtype: 'float32', shape: [1], data: [1.5] } as const;
    expect(formatTensor(tensor, { precision: 1 })).toBe('tensor([1.5e+00])');
    expect(formatTensor(tensor, { sciMode: null })).toBe('tensor([1.5000])');
    expect(formatTensor(tensor)).toBe('tensor([1.5000e+00])');
  });

  it('refuse values that cannot be laid out, and stay as they were', () => {
    expect(() => setPrintOptions({ precision: -1 })).toThrow(
      'print options: precision must be a whole number of 0 or more, got -1',
    );
    expect(() => setPrintOptions({ edgeItems: 1.5 })).toThrow('edgeItems must be a whole number');
    expect(() => setPrintOptions({ lineWidth: 0 })).toThrow('lineWidth must be greater than 0');
    expect(() => setPrintOptions({ threshold: Number.NaN })).toThrow('threshold is NaN');
    expect(() => setPrintOptions({ profile: 'tiny' as 'short' })).toThrow(
      "setPrintOptions: option 'profile' must be 'default', 'full' or 'short', got the string 'tiny'",
    );
    expect(getPrintOptions().precision).toBe(4);
  });
});
