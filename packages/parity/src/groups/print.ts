import * as core from '@sconce/core';
import { type Tensor, toAsync, withReads } from '@sconce/core';
import type { Case } from '../corpus/corpus.js';
import { type ModuleValue, Tuple, type Value } from '../corpus/value.js';
import { buildModule, parameter } from '../mapping/modules.js';
import { dtypeNamed } from '../mapping/names.js';
import { evaluate } from '../mapping/world.js';
import { failed, type Outcome, passed } from '../report/counts.js';
import { outcomeOf } from '../runtime/outcome.js';
import { inputDecoder } from '../runtime/tensors.js';
import type { Group, Run } from './group.js';

/** The group `print`: texts, to the character. */
export const print: Group = {
  subject: (test) => test.id.split('/')[1] as string,
  hasGradient: () => false,

  async run(test, run) {
    const op = print.subject(test);
    try {
      return { op, forward: await printed(test, run) };
    } catch (error) {
      return { op, forward: outcomeOf(error) };
    }
  },
};

async function printed(test: Case, run: Run): Promise<Outcome> {
  const decoder = inputDecoder(run, true);
  if ('tensor' in test) {
    const tensor = decoder.decode(test.tensor) as Tensor;
    const options = decoder.decode(test.options ?? { dict: [] }) as Map<string, Value>;
    return same(await printTensor(tensor, options), test.str as string);
  }
  if ('module' in test) {
    const module = buildModule(decoder.decode(test.module) as ModuleValue);
    return same(String(module), test.repr as string);
  }
  const names = new Map<string, Value>([
    ['p', parameter(core.zeros([2]))],
    ['q', parameter(core.zeros([2]))],
  ]);
  return same(
    repr(await withReads(() => evaluate(test.expr as string, names))),
    test.repr as string,
  );
}

/** Our names of `set_printoptions`' arguments that are not PyTorch's in camelCase. */
const optionNames: Record<string, string> = {
  edgeitems: 'edgeItems',
  linewidth: 'lineWidth',
  sci_mode: 'sciMode',
};

async function printTensor(tensor: Tensor, options: ReadonlyMap<string, Value>): Promise<string> {
  core.setPrintOptions({ profile: 'default', sciMode: null });
  const given = [...options].map(([name, value]) => [optionNames[name] ?? name, value]);
  core.setPrintOptions(Object.fromEntries(given));
  try {
    return await (await onHost(tensor)).text();
  } finally {
    core.setPrintOptions({ profile: 'default', sciMode: null });
  }
}

/** The tensor on the cpu, where PyTorch printed the corpus and so does not name the device. */
async function onHost(tensor: Tensor): Promise<Tensor> {
  if (tensor.device.type === 'cpu') return tensor;
  const copy = await toAsync(tensor.detach(), 'cpu');
  return tensor.requiresGrad ? copy.requiresGrad_() : copy;
}

const same = (actual: string, expected: string): Outcome =>
  actual === expected
    ? passed
    : failed(
        `${JSON.stringify(actual.slice(0, 300))}, expected ${JSON.stringify(expected.slice(0, 300))}`,
      );

/** Python's `repr` of a value of ours. */
function repr(value: Value): string {
  if (typeof value === 'string') {
    if (dtypeNamed(value)) return core.formatDtype(value);
    if (core.registeredDevices().includes(value)) return core.formatDevice(value);
    return value;
  }
  if (value instanceof Tuple) return core.formatSize(value as number[]);
  return String(value);
}
