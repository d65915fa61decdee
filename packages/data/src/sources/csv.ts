import { RuntimeError, type Tensor, takes, tensor } from '@sconce/core';
import { Dataset } from '../dataset.js';
import { IterableDataset } from '../iterable-dataset.js';
import * as signatures from '../signatures.js';
import { chunksOf, readAllBytes, type SourceLike } from './byte-source.js';

/** How a column is read: as text, or as numbers, of which an empty cell is NaN. */
export type ColumnType = 'string' | 'number';

/** Options of `readCsv` and `csvRows`. */
export interface CsvOptions {
  /** What separates cells; default: found by looking (comma, tab, bar or semicolon). */
  delimiter?: string;
  /** Whether the first row holds names; default true. Without, columns are '0', '1' and so on. */
  header?: boolean;
  /** How columns are read, by name. Default: as numbers if all cells are numbers or empty. */
  types?: Readonly<Record<string, ColumnType>>;
}

/** A row: cells by the names of their columns. */
export type CsvRow = Record<string, string | number>;

/** A table read from CSV: a dataset of its rows, whose columns become tensors. */
export class CsvTable extends Dataset<CsvRow> {
  /** Names, in order. */
  readonly columns: readonly string[];
  readonly length: number;
  readonly #cells: ReadonlyMap<string, readonly (string | number)[]>;

  constructor(cells: ReadonlyMap<string, readonly (string | number)[]>, length: number) {
    super();
    this.#cells = cells;
    this.columns = [...cells.keys()];
    this.length = length;
  }

  override get(index: number): CsvRow {
    return Object.fromEntries(
      [...this.#cells].map(([name, list]) => [name, list[index] as string | number]),
    );
  }

  /** The cells of a column. @throws RuntimeError if there is none of that name. */
  column(name: string): readonly (string | number)[] {
    const found = this.#cells.get(name);
    if (!found)
      throw new RuntimeError(
        `CsvTable: there is no column '${name}'; there are ${this.columns.map((c) => `'${c}'`).join(', ')}`,
      );
    return found;
  }

  /**
   * Columns of numbers as a tensor [rows, columns] of the default float.
   *
   * @throws RuntimeError if one is not of numbers.
   * @example new TensorDataset(table.tensor('width', 'height'), table.classes('species').labels)
   */
  tensor(...names: string[]): Tensor {
    const lists = (names.length > 0 ? names : this.columns).map((name) => {
      const list = this.column(name);
      if (list.some((x) => typeof x !== 'number'))
        throw new RuntimeError(
          `CsvTable: column '${name}' holds text; name the columns of numbers, or use classes('${name}')`,
        );
      return list as readonly number[];
    });
    return tensor(Array.from({ length: this.length }, (_, i) => lists.map((l) => l[i] as number)));
  }

  /** A column of names of classes: the names in sorted order, and for each row the place of its own (int64). */
  classes(name: string): { names: string[]; labels: Tensor } {
    const list = this.column(name).map(String);
    const names = [...new Set(list)].sort();
    const places = new Map(names.map((n, i) => [n, i]));
    const labels = tensor(
      list.map((n) => places.get(n) as number),
      { dtype: 'int64' },
    );
    return { names, labels };
  }
}

type Papa = typeof import('papaparse');

/** The parser, when it is first needed. */
async function papa(): Promise<Papa> {
  const found = (await import('papaparse')) as unknown as { default?: Papa } & Papa;
  return found.default ?? found;
}

const isNumber = (cell: string): boolean => cell.trim() === '' || Number.isFinite(Number(cell));
const toNumber = (cell: string): number => (cell.trim() === '' ? Number.NaN : Number(cell));

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RuntimeError('readCsv: the text is not UTF-8');
  }
}

function parse(parser: Papa, text: string, delimiter: string | undefined): string[][] {
  const { data, errors } = parser.parse<string[]>(text, {
    skipEmptyLines: true,
    ...(delimiter !== undefined && { delimiter }),
  });
  // Not finding a delimiter is no error: there may be one column.
  const error = errors.find((e) => e.type !== 'Delimiter');
  if (error) throw new RuntimeError(`readCsv: row ${(error.row ?? 0) + 1}: ${error.message}`);
  return data;
}

function namesOf(first: readonly string[], header: boolean): string[] {
  if (!header) return first.map((_, i) => String(i));
  const twice = first.find((name, i) => first.indexOf(name) !== i);
  if (twice !== undefined) throw new RuntimeError(`readCsv: two columns are called '${twice}'`);
  return [...first];
}

function checkWidth(row: readonly string[], names: readonly string[], number: number): void {
  if (row.length !== names.length)
    throw new RuntimeError(
      `readCsv: row ${number} has ${row.length} cells, but there are ${names.length} columns`,
    );
}

/**
 * Reads a table of CSV (RFC 4180: quotes, line ends within them), packed by gzip or not.
 *
 * @throws RuntimeError if rows differ in length, quotes do not close, or the text is not UTF-8.
 * @example const iris = await readCsv('iris.csv');
 */
export async function readCsv(source: SourceLike, options: CsvOptions = {}): Promise<CsvTable> {
  takes('readCsv', signatures.readCsv, arguments);
  const { header = true, types = {}, delimiter } = options;
  const rows = parse(await papa(), decode(await readAllBytes(source)), delimiter);
  const [first] = rows;
  if (!first) throw new RuntimeError('readCsv: there are no rows');
  const names = namesOf(first, header);
  const body = header ? rows.slice(1) : rows;
  for (const [i, row] of body.entries()) checkWidth(row, names, i + (header ? 2 : 1));
  const cells = new Map<string, readonly (string | number)[]>();
  for (const [c, name] of names.entries()) {
    const list = body.map((row) => row[c] as string);
    const type = types[name] ?? (list.every(isNumber) ? 'number' : 'string');
    cells.set(name, type === 'number' ? list.map((cell) => number(cell, name)) : list);
  }
  return new CsvTable(cells, body.length);
}

function number(cell: string, column: string): number {
  if (!isNumber(cell))
    throw new RuntimeError(`readCsv: '${cell}' in column '${column}' is not a number`);
  return toNumber(cell);
}

/**
 * The rows of CSV one after another, for tables that do not fit memory. Cells are text unless `types` says `'number'`, since not all
 * of them are known at the start.
 */
export function csvRows(source: SourceLike, options: CsvOptions = {}): IterableDataset<CsvRow> {
  takes('csvRows', signatures.csvRows, arguments);
  const { header = true, types = {}, delimiter } = options;
  return IterableDataset.from(async function* () {
    const parser = await papa();
    let names: string[] | undefined;
    let separator = delimiter;
    let seen = 0;
    for await (const text of wholeRows(source)) {
      separator ??= delimiterOf(parser, text);
      for (const row of parse(parser, text, separator)) {
        seen++;
        if (!names) {
          names = namesOf(row, header);
          if (header) continue;
        }
        checkWidth(row, names, seen);
        yield Object.fromEntries(
          names.map((name, c) => {
            const cell = row[c] as string;
            return [name, types[name] === 'number' ? number(cell, name) : cell];
          }),
        );
      }
    }
  });
}

const delimiterOf = (parser: Papa, text: string): string =>
  parser.parse(text, { preview: 10 }).meta.delimiter;

/** Text in pieces that end with a row: at a line end that no quotes are open at. */
async function* wholeRows(source: SourceLike): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let scanned = 0;
  let quoted = false;
  for await (const chunk of chunksOf(source)) {
    rest += decoder.decode(chunk, { stream: true });
    let end = -1;
    for (; scanned < rest.length; scanned++) {
      const code = rest.charCodeAt(scanned);
      if (code === 34) quoted = !quoted;
      else if (code === 10 && !quoted) end = scanned + 1;
    }
    if (end < 0) continue;
    yield rest.slice(0, end);
    rest = rest.slice(end);
    scanned = rest.length;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}
