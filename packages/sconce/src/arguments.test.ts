import { describe, expect, test } from 'vitest';
import { parseForm } from '../../core/src/arguments.js';
import { signatures } from '../../core/src/signatures.js';
import * as sconce from './index.js';

const { ones, Tensor } = sconce;

/** Takes any number of arguments, or anything at all, by what they are for. */
const open: Readonly<Record<string, string>> = {
  at: 'indices, one for each dimension',
  blockDiag: 'tensors, one after the other',
  broadcastShapes: 'shapes, one after the other',
  broadcastTensors: 'tensors, one after the other',
  cartesianProd: 'tensors, one after the other',
  einsum: 'tensors behind the equation',
  blasName: 'takes nothing',
  getNumThreads: 'takes nothing',
  setNumThreads: 'looks at its one argument itself',
  setWorkerUrl: 'looks at its one argument itself',
  canCast: 'inside of every operation, where a look would cost',
  float: 'inside of every operation, where a look would cost',
  getDefaultDevice: 'inside of every operation, where a look would cost',
  getDefaultDtype: 'inside of every operation, where a look would cost',
  isFloatingPoint: 'inside of every operation, where a look would cost',
  numel: 'inside of every operation, where a look would cost',
  promoteTypes: 'inside of every operation, where a look would cost',
  to: 'tells of its own what stands together',
  toAsync: 'tells of its own what stands together',
  toJSON: 'JSON.stringify gives it a key',
  resultType: 'operands, one after the other',
};

/** An argument that no call asks for. */
class Odd {}
const odd = Array.from({ length: 16 }, () => new Odd());

const told = /takes |\(position \d+\) must be|options must be|one array/;

/** What a call throws, now or later. */
async function thrown(call: () => unknown): Promise<unknown> {
  try {
    const result = call();
    if (result instanceof Promise) await result;
    else if (result !== null && typeof result === 'object' && 'next' in result) {
      (result as Iterator<unknown>).next();
    }
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A value of a kind, for calls that are right up to their options. */
function sample(kind: string): unknown {
  const first = kind.split('|')[0] as string;
  if (kind.endsWith('[]')) return [];
  if (first.startsWith("'")) return first.slice(1, -1);
  const values: Readonly<Record<string, unknown>> = {
    T: ones([2, 2]),
    S: 1,
    n: 1,
    i: 1n,
    b: true,
    s: 'a',
    D: 'float32',
    f: () => 0,
    I: [],
    N: null,
  };
  return first in values ? values[first] : {};
}

const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type Call = (...args: unknown[]) => unknown;

/** Holds a call against its signature: an unknown option, one in snake case, an argument too many. */
async function walk(call: Call, signature: string | undefined): Promise<void> {
  const surplus = await thrown(() => call(...odd));
  expect(surplus).toBeInstanceOf(TypeError);
  expect((surplus as TypeError).message).toMatch(told);
  const form = signature
    ?.split(' | ')
    .map(parseForm)
    .find(({ options }) => options !== undefined);
  if (!form?.options) return;
  const args = form.parameters.map(({ kind }) => sample(kind.text));
  const unknown = await thrown(() => call(...args, { zzzzzz: 1 }));
  expect(unknown).toBeInstanceOf(TypeError);
  expect((unknown as TypeError).message).toMatch(
    /unknown option 'zzzzzz'|options stand behind|must be/,
  );
  for (const key of form.options.keys()) {
    if (snake(key) === key) continue;
    const error = await thrown(() => call(...args, { [snake(key)]: 1 }));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toContain(`did you mean ${key}?`);
  }
}

const texts: Readonly<Record<string, string | undefined>> = signatures;
const isClass = (x: Call) => /^class\b/.test(Function.prototype.toString.call(x));

describe('functions of the tensor library look at their arguments', () => {
  const namespaces = { linalg: sconce.linalg, special: sconce.special, masked: sconce.masked };
  const all = Object.entries({ '': sconce, ...namespaces }).flatMap(([space, module]) =>
    Object.entries(module as Record<string, unknown>).map(([name, value]) => {
      const whole = `${space}.${name}`;
      return [whole in texts ? whole : name, value] as const;
    }),
  );
  const functions = all.filter(
    (entry): entry is readonly [string, Call] =>
      typeof entry[1] === 'function' && !isClass(entry[1] as Call) && !(entry[0] in open),
  );
  test.each(functions)('%s', async (name, fn) => walk(fn, texts[name]));
});

describe('methods of tensors look at their arguments', () => {
  const names = Object.getOwnPropertyNames(Tensor.prototype).filter(
    (name) =>
      name !== 'constructor' &&
      !(name in open) &&
      typeof Object.getOwnPropertyDescriptor(Tensor.prototype, name)?.value === 'function',
  );
  test.each(names)('%s', async (name) => {
    const x = ones([2, 2]);
    const own = texts[`Tensor_${name}`];
    const behind = texts[name]
      ?.split(' | ')
      .map((form) => form.replace(/^\w+:\S+ ?/, ''))
      .join(' | ');
    const call: Call = (...args) => (x as unknown as Record<string, Call>)[name]?.(...args);
    await walk((...args) => call(...args), own ?? behind);
  });
});
