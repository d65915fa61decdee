import { type Device, isFloatingPoint, SconceError, Tensor, withReads } from '@sconce/core';
import { decode, encode, Fixture } from '../conformance/fixture.js';
import { numbers } from '../conformance/random.js';
import {
  type Allowance,
  differenceOf,
  epsilonOf,
  type Outcome,
  type ReadTensor,
} from './compare.js';
import type { Draw, Operand, Reader } from './draw.js';

/** What a call of an operator gives. */
export type Result = Tensor | readonly Tensor[] | number | boolean;

/** A drawn call: the same on every device. */
export interface Call {
  /** The call as a reader would write it. */
  readonly text: string;
  /** Whether the result is made of the operands' own values, so that nothing may round. */
  readonly exact: boolean;
  /** Whether large values come between, of which the result keeps the rounding: a program, and not one operator. */
  readonly chained?: boolean;
  readonly run: (tensor: Reader<Tensor>) => Result;
}

/** One device and the reference, given the same calls. */
export class Twin {
  readonly #device: Fixture;
  readonly #reference: Fixture;
  readonly #int64Bits: number;

  constructor(device: Device, reference: Device) {
    this.#device = new Fixture(device);
    this.#reference = new Fixture(reference);
    this.#int64Bits = device.type === 'webgpu' ? 32 : 64;
  }

  /** Runs a drawn call on both. @throws Error that says how the results differ, and of what. */
  async check(call: Call, { operands }: Draw): Promise<void> {
    const actual = await outcomeOf(this.#device, call, operands);
    const expected = await outcomeOf(this.#reference, call, operands);
    const nearby: Outcome[] = [];
    if (!call.exact && differenceOf(actual, expected, exactly(this.#int64Bits)) !== undefined) {
      for (const seed of [1, 2, 3]) {
        nearby.push(
          await outcomeOf(
            this.#reference,
            call,
            operands.map((o) => nudged(o, seed)),
          ),
        );
      }
    }
    const allowance: Allowance = {
      nearby,
      exact: call.exact,
      chained: call.chained ?? false,
      epsilon: Math.max(0, ...operands.map(({ dtype }) => epsilonOf(dtype))),
      scale: operands.reduce(
        (most, { values }) => values.reduce((m, x) => Math.max(m, Math.abs(x)), most),
        1,
      ),
      refusesValues: this.#device.device.backend.synchronous,
      int64Bits: this.#int64Bits,
    };
    const difference = differenceOf(actual, expected, allowance);
    if (difference !== undefined) {
      throw new Error(`${call.text}\n${operands.map(described).join('\n')}\n${difference}`);
    }
  }
}

const exactly = (int64Bits: number): Allowance => ({
  nearby: [],
  exact: true,
  chained: false,
  epsilon: 0,
  scale: 0,
  refusesValues: true,
  int64Bits,
});

const described = ({ dtype, shape, strides, offset }: Operand, i: number): string =>
  `  t${i}: ${dtype} [${shape.join(', ')}], strides [${strides.join(', ')}], offset ${offset}`;

/** The same operand, its elements a few units in the last place away; whole numbers become floats. */
function nudged(operand: Operand, seed: number): Operand {
  if (operand.dtype === 'bool') return operand;
  const dtype = isFloatingPoint(operand.dtype) ? operand.dtype : 'float32';
  const next = numbers(seed * 7919 + operand.length);
  const step = (dtype === 'float32' ? 4 : 1) * epsilonOf(dtype);
  const values = operand.values.map((x) => x * (1 + (next() < 0.5 ? -step : step)));
  return { ...operand, dtype, values };
}

/** The operand as a tensor of a device. */
function placed(fixture: Fixture, { dtype, shape, strides, offset, values }: Operand): Tensor {
  return new Tensor(fixture.storage(dtype, encode(dtype, values)), dtype, shape, strides, offset);
}

async function outcomeOf(
  fixture: Fixture,
  call: Call,
  operands: readonly Operand[],
): Promise<Outcome> {
  try {
    const result = await withReads(() => {
      // Made anew for each try, since some calls write into them.
      const tensors = operands.map((o) => placed(fixture, o));
      return call.run((i) => tensors[i] as Tensor);
    });
    const list = Array.isArray(result) ? (result as readonly Tensor[]) : [result];
    return { tensors: await Promise.all(list.map(readTensor)) };
  } catch (error) {
    // An error of the language is a bug, whatever the other device does.
    if (!(error instanceof SconceError || (error instanceof TypeError && /: /.test(error.message))))
      throw error;
    // The device may be named; which one it is makes no difference.
    const message = error.message.replaceAll(`torch.${fixture.device.type}.`, 'torch.');
    return {
      error: `${error.name}: ${message.replaceAll(`'${fixture.device}'`, 'this device')}`,
    };
  }
}

async function readTensor(value: unknown): Promise<ReadTensor> {
  if (!(value instanceof Tensor)) {
    return { dtype: 'float64', shape: [], values: [Number(value)] };
  }
  return {
    dtype: value.dtype,
    shape: value.shape,
    values: decode(value.dtype, await value.toTypedArray()),
  };
}
