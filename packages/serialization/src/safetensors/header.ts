import { type DType, itemSize, numel } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { type Budget, cost } from '../io/budget.js';
import type { Source } from '../io/source.js';
import { viewOf } from '../zip/records.js';
import { JsonFault, JsonReader } from './json.js';

const codes: Readonly<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const dtypes = new Map(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]));

/** Bits of an element of the types we have no dtype for, so that ranges can be checked all the same. */
const foreignBits: ReadonlyMap<string, number> = new Map([
  ['U16', 16],
  ['U32', 32],
  ['U64', 64],
  ['C64', 64],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E8M0', 8],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F4', 4],
]);

/** The format's own limit. */
const headerLimit = 100_000_000;

/** One tensor of a safetensors file, before it is read. */
export interface TensorInfo {
  readonly name: string;
  /** Undefined for element types that have no dtype here; `type` names them. */
  readonly dtype: DType | undefined;
  /** The file's name of the element type: `F32`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Where its bytes begin in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks the header of a safetensors file: tensors must cover the file without overlap or gap.
 *
 * @throws FileError if it is malformed.
 * @see https://huggingface.co/docs/safetensors
 */
export async function readHeader(source: Source, budget: Budget): Promise<SafetensorsHeader> {
  const fault = (why: string): FileError => new FileError(`${source.name}: ${why}`);
  if (source.size < 8) throw fault('truncated: not a whole safetensors file');
  const length = viewOf(await source.read(0, 8)).getBigUint64(0, true);
  if (length > headerLimit) throw fault(`a safetensors header of ${length} bytes is too long`);
  const start = 8 + Number(length);
  if (start > source.size)
    throw fault(`truncated: a safetensors header of ${length} bytes is not whole`);
  const { tensors, metadata } = parse(await source.read(8, Number(length)), start, fault, budget);
  let end = start;
  for (const info of [...tensors.values()].sort(
    (a, b) => a.offset - b.offset || a.bytes - b.bytes,
  )) {
    if (info.offset !== end) {
      throw fault(
        `tensor ${quote(info.name)} ${info.offset < end ? 'overlaps another one' : 'leaves a gap before it'}`,
      );
    }
    end = info.offset + info.bytes;
  }
  if (end > source.size)
    throw fault(`truncated: its tensors take ${end} bytes, the file has ${source.size}`);
  if (end < source.size) throw fault(`${source.size - end} bytes at its end belong to no tensor`);
  return { tensors, metadata };
}

const isRecord = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** The entries of a header, read one by one: the first that is wrong ends it. */
function parse(
  bytes: Uint8Array,
  start: number,
  fault: (why: string) => FileError,
  budget: Budget,
): SafetensorsHeader {
  const tensors = new Map<string, TensorInfo>();
  const metadata = Object.create(null) as Record<string, string>;
  let noted = false;
  try {
    const json = new JsonReader(bytes);
    json.members((name) => {
      if (tensors.has(name) || (noted && name === '__metadata__'))
        throw fault(`the safetensors header has ${quote(name)} twice`);
      if (name === '__metadata__') {
        noted = true;
        for (const [key, text] of textMembers(json, fault, budget)) metadata[key] = text;
        return;
      }
      budget.spend(cost.tensor + 2 * name.length);
      tensors.set(name, parseEntry(name, json.value(), start, fault));
    });
    json.end();
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw fault(`the safetensors header is no valid JSON object (${error.message})`);
  }
  return { tensors, metadata };
}

function textMembers(
  json: JsonReader,
  fault: (why: string) => FileError,
  budget: Budget,
): Map<string, string> {
  const texts = new Map<string, string>();
  const refused = (): FileError => fault('the metadata of a safetensors file must be texts');
  let members = false;
  try {
    json.members((key) => {
      members = true;
      const text = json.value();
      if (typeof text !== 'string' || texts.has(key)) throw refused();
      budget.spend(2 * cost.entry + 2 * (key.length + text.length));
      texts.set(key, text);
    });
  } catch (error) {
    if (error instanceof JsonFault && !members) throw refused();
    throw error;
  }
  return texts;
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function parseEntry(
  name: string,
  entry: unknown,
  start: number,
  fault: (why: string) => FileError,
): TensorInfo {
  const { dtype: type, shape, data_offsets: range } = isRecord(entry) ? entry : {};
  if (typeof type !== 'string' || !Array.isArray(shape) || !Array.isArray(range)) {
    throw fault(`tensor ${quote(name)} lacks its dtype, shape or data_offsets`);
  }
  const [from, to] = range as unknown[];
  if (range.length !== 2 || !isCount(from) || !isCount(to) || from > to) {
    throw fault(`tensor ${quote(name)} has the data_offsets [${range.slice(0, 4).join(', ')}]`);
  }
  if (!shape.every(isCount) || shape.length > 64) {
    throw fault(`tensor ${quote(name)} has the shape [${shape.slice(0, 64).join(', ')}]`);
  }
  const dtype = dtypes.get(type);
  const bits = dtype ? 8 * itemSize(dtype) : foreignBits.get(type);
  if (bits === undefined) throw fault(`tensor ${quote(name)} has the unknown dtype ${quote(type)}`);
  const bytes = Math.ceil((numel(shape as number[]) * bits) / 8);
  if (bytes !== to - from) {
    throw fault(
      `tensor ${quote(name)} of shape [${shape.join(', ')}] and dtype ${type} takes ${bytes} bytes, its data_offsets give ${to - from}`,
    );
  }
  return { name, dtype, type, shape: shape as number[], offset: start + from, bytes };
}

/** What is to be written of one tensor. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The header of a file, and the order in which the tensors' bytes follow: largest elements first, so that all are aligned. */
export function makeHeader<E extends HeaderEntry>(
  entries: readonly E[],
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; order: E[]; bytes: number } {
  const order = [...entries].sort((a, b) => itemSize(b.dtype) - itemSize(a.dtype));
  const places = new Map<E, [number, number]>();
  let at = 0;
  for (const entry of order) {
    const end = at + numel(entry.shape) * itemSize(entry.dtype);
    places.set(entry, [at, end]);
    at = end;
  }
  const json: [string, unknown][] = entries.map((entry) => [
    entry.name,
    { dtype: codes[entry.dtype], shape: entry.shape, data_offsets: places.get(entry) },
  ]);
  if (Object.keys(metadata).length > 0) json.unshift(['__metadata__', metadata]);
  // Written entry by entry: an object would put names that are numbers first.
  const text = `{${json.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const encoded = new TextEncoder().encode(text);
  const header = new Uint8Array(8 + Math.ceil(encoded.length / 8) * 8).fill(0x20);
  viewOf(header).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(encoded, 8);
  return { header, order, bytes: at };
}
