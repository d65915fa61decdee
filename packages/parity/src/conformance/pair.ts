import type { ComputeType, DType, View } from '@sconce/core';
import { computeType } from '@sconce/core';
import fc from 'fast-check';
import { encode, type Fixture } from './fixture.js';
import type { Limits } from './limits.js';
import type { Placement } from './random.js';
import { randomValues } from './random.js';

/** How many random cases each property tries; fewer where every case is a new shader to compile. */
const runsOn = ({ device }: Pair): number =>
  Number(process.env.SCONCE_RUNS ?? (device.device.type === 'webgpu' ? 40 : 100));

/** A slow machine may need more than the usual time for all cases, and for finding the smallest that fails. */
export const patience = 180_000;

/** Runs a property; on failure fast-check prints the seed and the smallest case it found. */
export async function hold<T>(
  pair: Pair,
  arbitrary: fc.Arbitrary<T>,
  property: (value: T) => Promise<void>,
): Promise<void> {
  const seed = process.env.SCONCE_SEED;
  await fc.assert(fc.asyncProperty(arbitrary, property), {
    numRuns: runsOn(pair),
    ...(seed ? { seed: Number(seed) } : {}),
    interruptAfterTimeLimit: patience / 2,
  });
}

/** Zero for a number below the least normal one. */
const flushed = <T extends number | bigint | boolean>(x: T): T | 0 =>
  typeof x === 'number' && Math.abs(x) < 2 ** -126 ? 0 : x;

/** The same operands on the device under test and on the reference. */
export class Pair {
  readonly device: Fixture;
  readonly reference: Fixture;
  readonly limits: Limits;

  constructor(device: Fixture, reference: Fixture, limits: Limits) {
    this.limits = limits;
    this.device = device;
    this.reference = reference;
  }

  view(
    dtype: DType,
    placed: Placement,
    seed: number,
    tame = false,
  ): { device: View; reference: View } {
    const { flushesDenormals, int64Bits } = this.limits;
    const narrow = dtype === 'int64' && int64Bits === 32;
    const values = randomValues(dtype, placed.length, seed, tame || narrow);
    const data = encode(dtype, flushesDenormals ? values.map(flushed) : values);
    const { shape, strides, offset } = placed;
    const on = (fixture: Fixture): View => ({
      storage: fixture.storage(dtype, data),
      dtype,
      shape,
      strides,
      offset,
    });
    return { device: on(this.device), reference: on(this.reference) };
  }
}

/** A dtype that stores values of a compute type. */
export const storedAs = (type: ComputeType, held: readonly DType[], k: number): DType => {
  const fitting = held.filter((dtype) => computeType(dtype) === type);
  return fitting[k % fitting.length] as DType;
};

/** Seeds of the numbers in a case. */
export const seeds = fc.nat(2 ** 30);
