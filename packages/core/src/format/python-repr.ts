import { floatRepr, intRepr } from './python-number.js';

/** A value that {@link pythonRepr} can write: `null` is `None`, an array a list. */
export type PythonValue = null | boolean | number | bigint | string | readonly PythonValue[];

/** How {@link pythonRepr} and {@link formatTuple} write numbers. */
export interface PythonReprOptions {
  /**
   * Write every `number` as a float: `1` becomes `1.0`. Default `false`: whole numbers are written
   * as ints, since JavaScript does not tell the two apart.
   */
  readonly floats?: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const replacement = ESCAPES[char];
    if (replacement !== undefined) body += replacement;
    else if (char === quote) body += `\\${quote}`;
    else if (code < 0x20 || code === 0x7f) body += `\\x${code.toString(16).padStart(2, '0')}`;
    else body += char;
  }
  return quote + body + quote;
}

/**
 * Text of a value as Python's `repr` gives it: `True`, `None`, `1e-05`, `'zeros'`, `[1, 2]`.
 *
 * @param value - a scalar, a string, `null`, or nested arrays of them (written as lists)
 * @param options - `floats`: write every number as a float, default `false`
 *
 * @example
 * pythonRepr([[1, 2], [3, 4]]); // '[[1, 2], [3, 4]]'
 * pythonRepr([1, 0.5], { floats: true }); // '[1.0, 0.5]'
 */
export function pythonRepr(value: PythonValue, options: PythonReprOptions = {}): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return intRepr(value);
    case 'number':
      return Number.isInteger(value) && !options.floats ? intRepr(value) : floatRepr(value);
    case 'string':
      return stringRepr(value);
    default:
      return `[${value.map((item) => pythonRepr(item, options)).join(', ')}]`;
  }
}

/**
 * Text of a sequence as Python's `repr` of a tuple gives it: `(2, 3)`, `(2,)`, `()`.
 *
 * @param items - the items, each written by {@link pythonRepr}
 * @param options - `floats`: write every number as a float, default `false`
 *
 * @example
 * formatTuple([5]); // '(5,)'
 */
export function formatTuple(
  items: readonly PythonValue[],
  options: PythonReprOptions = {},
): string {
  const texts = items.map((item) => pythonRepr(item, options));
  return texts.length === 1 ? `(${texts[0]},)` : `(${texts.join(', ')})`;
}

/**
 * Text of a shape as PyTorch's `repr(tensor.shape)` gives it.
 *
 * @param shape - sizes, possibly none
 *
 * @example
 * formatSize([2, 3]); // 'torch.Size([2, 3])'
 */
export function formatSize(shape: readonly number[]): string {
  return `torch.Size(${pythonRepr(shape)})`;
}

/**
 * Text of a device as PyTorch's `repr(tensor.device)` gives it.
 *
 * @param type - the device type, `'cpu'`, `'cuda'`, `'webgpu'`, ...
 * @param index - the device index; left out of the text where there is none
 *
 * @example
 * formatDevice('cuda', 0); // "device(type='cuda', index=0)"
 */
export function formatDevice(type: string, index?: number): string {
  const suffix = index === undefined ? '' : `, index=${intRepr(index)}`;
  return `device(type=${stringRepr(type)}${suffix})`;
}

/**
 * Text of a dtype as PyTorch's `repr(tensor.dtype)` gives it.
 *
 * @param name - the dtype's name
 *
 * @example
 * formatDtype('float32'); // 'torch.float32'
 */
export function formatDtype(name: string): string {
  return `torch.${name}`;
}
