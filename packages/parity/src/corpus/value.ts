import { type DType, type Float, float, itemSize, typedArrayOver } from '@sconce/core';

/** A Python value as this package holds it: ints are numbers (or bigints), floats are `Float`. */
export type Value = unknown;

/** A Python tuple: an array that indexing can tell from a list. */
export class Tuple extends Array<Value> {}

/** A Python slice object, `start:stop:step`. */
export class Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
  constructor(start: number | null, stop: number | null, step: number | null) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** Python's `...`. */
export const ellipsis: unique symbol = Symbol('...');

/** A callable of PyTorch by its dotted path, as in `torch.nn.functional.relu`. */
export class TorchPath {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** A module of PyTorch that a case wants built. */
export class ModuleValue {
  readonly name: string;
  readonly args: Value[];
  readonly kwargs: Map<string, Value>;
  constructor(name: string, args: Value[], kwargs: Map<string, Value>) {
    this.name = name;
    this.args = args;
    this.kwargs = kwargs;
  }
}

/** A Python function of one number given as its expression. */
export class LambdaValue {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** PyTorch's PackedSequence by its fields. */
export class PackedValue {
  readonly fields: readonly Value[];
  constructor(fields: readonly Value[]) {
    this.fields = fields;
  }
}

/** A tensor of the corpus: raw elements in row-major order, and how they lay in memory. */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Little-endian bytes of the elements; bool as 0 and 1. */
  readonly bytes: Uint8Array;
  /** Element strides, where the tensor was not contiguous. */
  readonly strides: readonly number[] | undefined;
  readonly offset: number;
  readonly requiresGrad: boolean;
}

/** A named tuple's field names, by the tuple. */
export const fieldNames: WeakMap<Tuple, readonly string[]> = new WeakMap();

/**
 * Turns the JSON of the corpus into values; one decoder follows one encoder, so that aliases count alike.
 *
 * @see the corpus' README for the format.
 */
export class Decoder<T> {
  readonly #make: (data: TensorData, onHost: boolean) => T;
  readonly #device: string;
  readonly #dtype: (name: DType) => DType;
  /** The distinct tensors met so far, which aliases refer to. */
  readonly tensors: { readonly data: TensorData; readonly value: T }[] = [];

  /**
   * @param make what a tensor becomes; `onHost` where PyTorch keeps it on the CPU whatever the device.
   * @param device what PyTorch's `cpu` becomes.
   * @param dtype what a dtype that stands by itself becomes; default itself.
   */
  constructor(
    make: (data: TensorData, onHost: boolean) => T,
    device: string,
    dtype: (name: DType) => DType = (name) => name,
  ) {
    this.#make = make;
    this.#device = device;
    this.#dtype = dtype;
  }

  decode(json: unknown, onHost = false): Value {
    if (json === null || typeof json !== 'object') return json;
    if (Array.isArray(json)) return json.map((item) => this.decode(item));
    const tagged = json as Record<string, unknown>;
    if ('t' in tagged) return this.#tensor(tagged, onHost);
    if ('dtype' in tagged) return this.#dtype(tagged.dtype as DType);
    for (const key of Object.keys(tagged)) {
      const decode = tags[key];
      if (decode) return decode(tagged[key], tagged, this as Decoder<unknown>, this.#device);
    }
    throw new TypeError(`corpus: unknown value ${JSON.stringify(json).slice(0, 80)}`);
  }

  decodeAll(list: readonly unknown[]): Value[] {
    return list.map((item) => this.decode(item));
  }

  /** Keyword arguments, in order. */
  decodeKwargs(kwargs: Record<string, unknown>): Map<string, Value> {
    return new Map(Object.entries(kwargs).map(([name, v]) => [name, this.decode(v)]));
  }

  /** @internal */
  alias(index: number): T {
    const found = this.tensors[index];
    if (!found) throw new RangeError(`corpus: alias ${index} of ${this.tensors.length} tensors`);
    return found.value;
  }

  #tensor(json: Record<string, unknown>, onHost: boolean): T {
    const shape = json.shape as number[];
    const data: TensorData = {
      dtype: json.t as DType,
      shape,
      bytes: Uint8Array.from(Buffer.from(json.data as string, 'base64')),
      strides: json.strides as number[] | undefined,
      offset: (json.offset as number | undefined) ?? 0,
      requiresGrad: json.rg === true,
    };
    const value = this.#make(data, onHost);
    this.tensors.push({ data, value });
    return value;
  }
}

type Tag = (
  content: unknown,
  json: Record<string, unknown>,
  decoder: Decoder<unknown>,
  device: string,
) => Value;

const tags: Record<string, Tag> = {
  f: (x) => toFloat(x as number | string),
  i: (x) => safeInteger(BigInt(x as string)),
  tuple: (items, json, decoder) => {
    const tuple = Tuple.of(...decoder.decodeAll(items as unknown[]));
    if (json.fields) fieldNames.set(tuple, json.fields as string[]);
    return tuple;
  },
  dict: (pairs, _, decoder) =>
    new Map(
      (pairs as [unknown, unknown][]).map(([k, v]) => [decoder.decode(k), decoder.decode(v)]),
    ),
  alias: (index, _, decoder) => decoder.alias(index as number),
  size: (sizes) => Tuple.of(...(sizes as number[])),
  device: (name, _, __, device) => (name === 'cpu' ? device : name),
  layout: (name) => name,
  // The order of dimensions in memory shows in no value.
  memory_format: (name) => (name === 'contiguous_format' ? 'contiguous' : 'preserve'),
  slice: (parts) => {
    const [start, stop, step] = parts as (number | null)[];
    return new Slice(start ?? null, stop ?? null, step ?? null);
  },
  ellipsis: () => ellipsis,
  // The second field says how many sequences reach each step.
  packed: (parts, _, decoder) =>
    new PackedValue((parts as unknown[]).map((part, i) => decoder.decode(part, i === 1))),
  fn: (path) => new TorchPath(path as string),
  module: (name, json, decoder) =>
    new ModuleValue(
      name as string,
      decoder.decodeAll(json.args as unknown[]),
      decoder.decodeKwargs(json.kwargs as Record<string, unknown>),
    ),
  lambda: (source) => new LambdaValue(source as string),
};

/** A tagged float. */
export function toFloat(x: number | string): Float {
  if (typeof x === 'number') return float(x);
  const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  return float(special[x] ?? Number(x));
}

const safeInteger = (x: bigint): number | bigint =>
  x >= BigInt(Number.MIN_SAFE_INTEGER) && x <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(x) : x;

/** The elements of a corpus tensor in row-major order, as the typed array of its dtype. */
export function elements(data: TensorData) {
  const { bytes, dtype } = data;
  return typedArrayOver(dtype, bytes.buffer, bytes.byteOffset, bytes.byteLength / itemSize(dtype));
}
