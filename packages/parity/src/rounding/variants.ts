import { type DType, decode, fromTypedArray, isFloatingPoint } from '@sconce/core';
import { elements, type TensorData } from '../corpus/value.js';

/** How the inputs of a second run differ from those of the corpus. */
export interface Variant {
  /** A tensor among the inputs. */
  input(data: TensorData): TensorData;
  /** A dtype among the arguments. */
  dtype(name: DType): DType;
  /** The path of a callable, or an expression. */
  source(text: string): string;
  /** A result of the run in the corpus' dtype: whether this one's weights in the loss are rounded as that one's. */
  readonly weights: DType | undefined;
  /** Elements that were moved or held more exactly so far; without any, a run tells nothing. */
  readonly touched: number;
}

/** Whether a dtype holds less than float64 does, so that results in it are rounded. */
export const isNarrow = (dtype: DType): boolean => isFloatingPoint(dtype) && dtype !== 'float64';

const bytesOf = (dtype: DType, values: Float64Array): Uint8Array => {
  const held = fromTypedArray(values, [values.length], { dtype, device: 'cpu' }).toTypedArraySync();
  return new Uint8Array(held.buffer, held.byteOffset, held.byteLength);
};

const numbersOf = (data: TensorData): Float64Array =>
  Float64Array.from(elements(data) as ArrayLike<number>, (x) => decode(data.dtype, x));

/** Inputs of a narrow floating dtype, and dtypes that are asked for, as float64. */
export class Float64Variant implements Variant {
  readonly weights: DType | undefined;
  readonly #nudged: NudgedVariant | undefined;
  touched = 0;

  /**
   * @param weights the dtype that PyTorch rounded the weights of the loss to.
   * @param nudged moves the inputs by an ulp of their dtype before.
   */
  constructor(weights: DType | undefined, nudged?: NudgedVariant) {
    this.weights = weights;
    this.#nudged = nudged;
  }

  input(data: TensorData): TensorData {
    if (!isNarrow(data.dtype)) return data;
    const values = numbersOf(this.#nudged?.input(data) ?? data);
    this.touched += values.length;
    return { ...data, dtype: 'float64', bytes: bytesOf('float64', values) };
  }

  dtype(name: DType): DType {
    return isNarrow(name) ? 'float64' : name;
  }

  source(text: string): string {
    return text
      .replace(/\btorch\.(float32|float16|bfloat16|float|half)\b(?!\()/g, 'torch.float64')
      .replace(/\.(float|half|bfloat16)\(\)/g, '.double()')
      .replace(/^torch\.Tensor\.(float|half|bfloat16)$/, 'torch.Tensor.double');
  }
}

/** The distance from one to the next number. */
const ulps: Partial<Record<DType, number>> = {
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/** Inputs of a narrow floating dtype, each element an ulp up or down, by a stream of its own for each seed. */
export class NudgedVariant implements Variant {
  readonly weights = undefined;
  touched = 0;
  #state: number;

  constructor(seed: number) {
    this.#state = (seed + 1) * 0x9e3779b1;
  }

  input(data: TensorData): TensorData {
    if (!isNarrow(data.dtype)) return data;
    return { ...data, bytes: bytesOf(data.dtype, this.nudge(data.dtype, numbersOf(data))) };
  }

  /** Values of a dtype, an ulp up or down each; zeros and what is not finite stay. */
  nudge(dtype: DType, values: Float64Array): Float64Array {
    const ulp = ulps[dtype] ?? 0;
    return values.map((x) => {
      if (x === 0 || !Number.isFinite(x)) return x;
      this.touched++;
      return x + this.#sign() * ulp * 2 ** Math.floor(Math.log2(Math.abs(x)));
    });
  }

  dtype(name: DType): DType {
    return name;
  }

  source(text: string): string {
    return text;
  }

  /** One or minus one (xorshift32). */
  #sign(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x & 0x10000 ? 1 : -1;
  }
}
