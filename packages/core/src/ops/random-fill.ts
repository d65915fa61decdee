import {
  type ComputeType,
  computeType,
  type DType,
  type TypedArray,
  typedArray,
} from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { execute, keepContents } from '../execute.js';
import { cast, type Expr, linearIndex } from '../expr.js';
import { defineOp, inplace, type Op } from '../op.js';
import type { ScalarValue } from '../primitive.js';
import { defaultGenerator, type Generator, type Mt19937 } from '../random/index.js';
import { isDense, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { copyInto } from './copy.js';
import { philoxScalars } from './philox-expr.js';

/** Options of everything that draws random numbers. */
export interface RandomOptions {
  /** The stream to draw from; default: the device's own, which `manualSeed` seeds. */
  generator?: Generator | null;
}

/** How a distribution is sampled: number for number as PyTorch on the host, by a Philox kernel elsewhere. */
export interface Sampler {
  readonly name: string;
  /** @param contiguous whether the elements of `out`, in the order of memory, are so in the tensor too. */
  host(out: TypedArray, dtype: DType, engine: Mt19937, contiguous: boolean): void;
  /** The value of element `index`; scalars 0 to 3 are the stream's, `scalars` follow from 4 on. */
  readonly device?: {
    readonly value: (index: Expr) => Expr;
    readonly scalars: readonly ScalarValue[];
    /** Words an element takes from the stream. */
    readonly words: number;
  };
}

/** Whether random numbers for this tensor come from the host's mt19937. */
export const drawsOnHost = (self: Tensor): boolean => self.storage.backend.synchronous;

/** The generator for tensors of this device. */
export function generatorFor(self: Tensor, options: RandomOptions): Generator {
  const host = drawsOnHost(self);
  return options.generator ?? defaultGenerator(host ? 'cpu' : self.device);
}

/** The tensor with its dimensions in the order of their strides, in which PyTorch walks through it. */
function ordered(self: Tensor): Tensor {
  const { shape, strides } = self;
  const dims = shape.map((_, d) => d);
  dims.sort((a, b) => (strides[b] as number) - (strides[a] as number));
  const of = (list: readonly number[]) => dims.map((d) => list[d] as number);
  return new Tensor(self.storage, self.dtype, of(shape), of(strides), self.offset);
}

/** Fills `self` without recording or checks. */
export function sampleInto(self: Tensor, sampler: Sampler, options: RandomOptions): void {
  const count = numel(self.shape);
  if (count === 0) return;
  const generator = generatorFor(self, options);
  if (drawsOnHost(self)) {
    const { backend, buffer } = self.storage;
    keepContents([self]);
    if (isDense(self.shape, self.strides)) {
      // PyTorch fills in the order of memory, not of indices.
      const mapped = backend.map?.(buffer, self.dtype);
      if (mapped) {
        sampler.host(
          mapped.subarray(self.offset, self.offset + count) as TypedArray,
          self.dtype,
          generator.engine,
          self.isContiguous(),
        );
        return;
      }
      const values = typedArray(self.dtype, count);
      sampler.host(values, self.dtype, generator.engine, self.isContiguous());
      backend.write(buffer, self.dtype, self.offset, values);
      return;
    }
    const values = typedArray(self.dtype, count);
    sampler.host(values, self.dtype, generator.engine, false);
    const inMemory = ordered(self);
    const dense = allocate(inMemory.shape, self.dtype, self.device);
    backend.write(dense.storage.buffer, self.dtype, 0, values);
    copyInto(inMemory, dense);
    return;
  }
  if (!sampler.device) {
    throw new RuntimeError(
      `${sampler.name}: has no kernel for device '${self.device}'; draw on the cpu and move the result with .to('${self.device}')`,
    );
  }
  const { value, scalars, words } = sampler.device;
  const compute: ComputeType = computeType(self.dtype);
  execute({
    kind: 'map',
    shape: self.shape,
    inputs: [],
    scalars: [...philoxScalars(generator, count * words), ...scalars],
    values: [cast(value(linearIndex()), compute)],
    outputs: [self],
  });
}

const schemas = new Map<string, Op>();

/** The in-place form: refuses what may not be written and bumps the version. */
export function sample_(self: Tensor, sampler: Sampler, options: RandomOptions): Tensor {
  let schema = schemas.get(sampler.name);
  if (!schema) {
    schema = defineOp(sampler.name, 'self', ((x: Tensor) => {
      const out = allocate(x.shape, x.dtype, x.device);
      sampleInto(out, sampler, options);
      return out;
    }) as Op['forward']);
    schemas.set(sampler.name, schema);
  }
  return inplace(schema, [self], () => sampleInto(self, sampler, options));
}
