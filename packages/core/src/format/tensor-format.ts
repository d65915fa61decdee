import { type DType, getDefaultDtype, isFloatingPoint } from '../dtype.js';
import {
  getPrintOptions,
  type PrintOptions,
  type ResolvedPrintOptions,
  resolvePrintOptions,
} from './print-options.js';
import { formatExponent, formatFixed, intRepr } from './python-number.js';
import { formatDtype, formatTuple } from './python-repr.js';

/** One element of a tensor as it is read for printing. */
export type PrintableElement = number | bigint | boolean;

/** What {@link formatTensor} needs to know of a tensor. */
export interface PrintableTensor {
  readonly dtype: DType;
  /** Sizes; none for a 0-dimensional tensor. */
  readonly shape: readonly number[];
  /**
   * The elements in logical (row-major) order, or a function that reads the element at such an
   * index. Only elements that are shown are read, each once. Elements of float16 and bfloat16 are
   * given as their values, not as bit patterns.
   */
  readonly data: ArrayLike<PrintableElement> | ((index: number) => PrintableElement);
  /** The device, written out unless it is `'cpu'`. Default `'cpu'`. */
  readonly device?: string;
  /** Default `false`. */
  readonly requiresGrad?: boolean;
  /** Name of the function that made the tensor, such as `'AddBackward0'`. Default none. */
  readonly gradFn?: string;
  /** The dtype that is not written out. Default: that of `getDefaultDtype`. */
  readonly defaultDtype?: DType;
}

const PREFIX = 'tensor(';

/** How all shown elements are written, and the width they are padded to. */
interface CellStyle {
  readonly width: number;
  text(value: PrintableElement): string;
}

function widest<T>(values: readonly T[], text: (value: T) => string): number {
  return values.reduce<number>((width, value) => Math.max(width, text(value).length), 1);
}

function wholeStyle(dtype: DType, values: readonly PrintableElement[]): CellStyle {
  const text = (value: PrintableElement): string => {
    if (dtype === 'bool') return value ? 'True' : 'False';
    return intRepr(typeof value === 'boolean' ? Number(value) : value);
  };
  return { width: widest(values, text), text };
}

/**
 * The style of floating-point elements. The magnitudes of the non-zero finite elements decide it,
 * and only those elements decide the width: a wider `-0.` or `nan` sticks out, as in PyTorch.
 */
function floatStyle(values: readonly number[], options: ResolvedPrintOptions): CellStyle {
  const { precision } = options;
  const fixed = (value: number): string => formatFixed(value, precision);
  const scientific = (value: number): string => formatExponent(value, precision);
  const whole = (value: number): string =>
    Number.isFinite(value) ? `${formatFixed(value, 0)}.` : formatFixed(value, 0);

  const deciding = values.filter((value) => value !== 0 && Number.isFinite(value));
  if (deciding.length === 0) return { width: 1, text: (value) => whole(Number(value)) };

  let smallest = Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const value of deciding) {
    smallest = Math.min(smallest, Math.abs(value));
    largest = Math.max(largest, Math.abs(value));
  }
  const allWhole = deciding.every(Number.isInteger);
  const calls = largest / smallest > 1000 || largest > 1e8 || (!allWhole && smallest < 1e-4);
  const plain = allWhole ? whole : fixed;
  // PyTorch measures in the notation that the values call for, even where `sciMode` overrules it.
  const width = widest(deciding, calls ? scientific : plain);
  const write = (options.sciMode ?? calls) ? scientific : plain;
  return { width, text: (value) => write(Number(value)) };
}

/** Positions shown along a dimension; `null` stands for the ones left out. */
function shownPositions(size: number, summarise: boolean, edgeItems: number): (number | null)[] {
  if (!summarise || size <= 2 * edgeItems) return Array.from({ length: size }, (_, i) => i);
  const head = Array.from({ length: edgeItems }, (_, i) => i);
  return [...head, null, ...head.map((i) => size - edgeItems + i)];
}

function elementReader(
  tensor: PrintableTensor,
  count: number,
): (index: number) => PrintableElement {
  const { data } = tensor;
  if (typeof data === 'function') return data;
  if (data.length !== count) {
    throw new RangeError(
      `formatTensor: ${data.length} elements do not fill shape ${formatTuple(tensor.shape)}, which has ${count}`,
    );
  }
  return (index) => data[index] as PrintableElement;
}

function formatElements(
  tensor: PrintableTensor,
  count: number,
  options: ResolvedPrintOptions,
): string {
  const { shape, dtype } = tensor;
  const read = elementReader(tensor, count);
  const summarise = count > options.threshold;
  const positions = shape.map((size) => shownPositions(size, summarise, options.edgeItems));

  let indices = [0];
  shape.forEach((size, dim) => {
    const shown = positions[dim]?.filter((position) => position !== null) ?? [];
    indices = indices.flatMap((index) => shown.map((position) => index * size + position));
  });
  const values = indices.map(read);
  const style = isFloatingPoint(dtype)
    ? floatStyle(values.map(Number), options)
    : wholeStyle(dtype, values);

  // Rows are laid out in the order in which the elements were read.
  let cursor = 0;
  const nextCell = (): string => {
    const value = values[cursor++] as PrintableElement;
    return style.text(value).padStart(style.width);
  };

  const layRow = (row: readonly (number | null)[], indent: number): string => {
    const cells = row.map((position) => (position === null ? ' ...' : nextCell()));
    const perLine = Math.max(1, Math.floor((options.lineWidth - indent) / (style.width + 2)));
    const lines: string[] = [];
    for (let start = 0; start < cells.length; start += perLine) {
      lines.push(cells.slice(start, start + perLine).join(', '));
    }
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
  };

  const layOut = (dim: number, indent: number): string => {
    const shown = positions[dim];
    if (shown === undefined) return nextCell();
    const below = shape.length - 1 - dim;
    if (below === 0) return layRow(shown, indent);
    const parts = shown.map((position) =>
      position === null ? '...' : layOut(dim + 1, indent + 1),
    );
    return `[${parts.join(`,${'\n'.repeat(below)}${' '.repeat(indent + 1)}`)}]`;
  };

  return layOut(0, PREFIX.length);
}

/** What PyTorch writes behind the elements, in its order. */
function suffixesOf(tensor: PrintableTensor, count: number): string[] {
  const { shape, dtype, device = 'cpu', defaultDtype = getDefaultDtype() } = tensor;
  const suffixes: string[] = [];
  if (device !== 'cpu') suffixes.push(`device='${device}'`);
  if (count === 0 && shape.length !== 1) suffixes.push(`size=${formatTuple(shape)}`);
  // Elements show that they are integers or booleans; without elements only the dtype does.
  const evident = dtype === defaultDtype || (count > 0 && (dtype === 'int64' || dtype === 'bool'));
  if (!evident) suffixes.push(`dtype=${formatDtype(dtype)}`);
  if (tensor.gradFn !== undefined) suffixes.push(`grad_fn=<${tensor.gradFn}>`);
  else if (tensor.requiresGrad) suffixes.push('requires_grad=True');
  return suffixes;
}

/**
 * Text of a tensor, character for character as PyTorch prints it.
 *
 * Tensors of more than `threshold` elements are summarised with `...`: then only the elements at
 * the edges are read, and only they decide notation and column width. The elements may come as an
 * array or as a function of the row-major index, so that a strided view need not be copied.
 *
 * Differs from PyTorch 1.13 in one corner: `edgeItems: 0` shows no element of a summarised tensor,
 * where PyTorch shows all of them or fails.
 *
 * Source: PyTorch 1.13, `torch.Tensor.__repr__` and
 * https://pytorch.org/docs/1.13/generated/torch.set_printoptions.html
 *
 * @param tensor - dtype, shape, elements and what else is written out
 * @param options - laid over the options of `setPrintOptions` for this call
 * @returns the text, over several lines where the tensor asks for it
 * @throws RangeError if `data` is an array whose length does not fit `shape`, or for options that
 * `setPrintOptions` would refuse.
 *
 * @example
 * formatTensor({ dtype: 'float32', shape: [1, 2], data: [1, 2], requiresGrad: true });
 * // 'tensor([[1., 2.]], requires_grad=True)'
 */
export function formatTensor(tensor: PrintableTensor, options?: PrintOptions): string {
  const resolved = options === undefined ? getPrintOptions() : resolvePrintOptions(options);
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  let text = PREFIX + (count === 0 ? '[]' : formatElements(tensor, count, resolved));
  // PyTorch counts two columns more than the line has before the first suffix.
  let column = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixesOf(tensor, count)) {
    if (column + suffix.length + 2 > resolved.lineWidth) {
      text += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      column = PREFIX.length + suffix.length;
    } else {
      text += `, ${suffix}`;
      column += suffix.length + 2;
    }
  }
  return `${text})`;
}
