import 'sconce';
import { enableGrad, noGrad } from '@sconce/autograd';
import { fromTypedArray, type Tensor, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import { Corpus } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';

/** A method of a variable; arguments may be variables, `SELF`, a mask of it, or an index. */
interface Step {
  readonly on: string;
  readonly op: string;
  readonly args: readonly unknown[];
  readonly out?: readonly string[];
  readonly noGrad?: boolean;
  readonly raises?: string;
}

/** What PyTorch says of a variable in the end; `leaf` is the message where asking raises. */
interface Variable {
  readonly requiresGrad: boolean;
  readonly leaf: boolean | string;
  readonly version: number;
  readonly values: readonly number[];
  readonly grad: readonly number[] | null;
}

/**
 * A random program of views, in-place operations and others, and what PyTorch 1.13 made of it. `x` [shape] and `y` [last size]
 * are leaves; in the end all variables that require gradients are weighted, summed and differentiated.
 */
interface Program {
  readonly shape: readonly number[];
  readonly init: readonly number[];
  readonly requiresGrad: readonly [boolean, boolean];
  readonly steps: readonly Step[];
  /** What backward raises. */
  readonly raises: string | null;
  readonly variables: Readonly<Record<string, Variable>>;
}

const programs = JSON.parse(
  new Corpus().read('view-programs.json').toString('utf8'),
) as readonly Program[];

const int64 = { dtype: 'int64' } as const;

/** PyTorch's message, as ours has it: behind the operation's name, and with the view it is where reshape makes one. */
const expectMessage = (error: unknown, wanted: string): void => {
  const own = (error as Error).message.replaceAll('UnsafeView', 'View');
  expect(own).toContain(
    wanted.replaceAll('ReshapeAlias', 'View').split(/ Hint:| If you are using/)[0],
  );
};

function raised(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

function perform({ on, op, args, out = [], noGrad: off }: Step, names: Map<string, Tensor>): void {
  const self = names.get(on) as Tensor;
  const given = args.map((arg): Value => {
    if (arg === 'SELF') return self;
    if (arg === 'MASK') return self.detach().gt(0.6);
    if (arg === 'IDX') return tensor([1, 0, 1], int64);
    if (arg === 'IDX1') return tensor([1], int64);
    const name = (arg as { var?: string } | null)?.var;
    return name === undefined ? (arg as Value) : (names.get(name) as Tensor);
  });
  const run = (): Value =>
    op === 'data' ? self.data : callTorch(`torch.Tensor.${op}`, [self, ...given], new Map());
  const result = off ? noGrad(run) : enableGrad(run);
  const results = (Array.isArray(result) ? result : [result]) as Tensor[];
  out.forEach((name, i) => {
    names.set(name, results[i] as Tensor);
  });
}

/** The sum of everything that requires gradients, each element with a weight of its own. */
function loss(names: ReadonlyMap<string, Tensor>, order: readonly string[]): Tensor | undefined {
  let total: Tensor | undefined;
  let first = 0.3;
  for (const name of order) {
    const t = names.get(name) as Tensor;
    if (!t.requiresGrad) continue;
    const n = t.numel();
    const from = first;
    const values = Float64Array.from({ length: n }, (_, i) =>
      n === 1 ? from : from + ((1 - from) * i) / (n - 1),
    );
    const part = t.mul(fromTypedArray(values, t.shape)).sum();
    first += 0.15;
    total = total ? total.add(part) : part;
  }
  return total;
}

const expectClose = (t: Tensor | null, wanted: readonly number[] | null): void => {
  if (wanted === null || t === null) expect(t).toBe(wanted);
  else {
    const own = t.detach().contiguous().toTypedArraySync() as Float64Array;
    expect(own.length).toBe(wanted.length);
    wanted.forEach((x, i) => {
      expect(Math.abs((own[i] as number) - x)).toBeLessThanOrEqual(1e-8 * (1 + Math.abs(x)));
    });
  }
};

const text = ({ steps }: Program): string =>
  steps.map(({ on, op, out }) => `${out ? `${out} = ` : ''}${on}.${op}`).join('; ');

test.each(programs.map((p) => [text(p), p] as const))('%s', (_, program) => {
  const { shape, init, requiresGrad, steps, variables } = program;
  const last = shape.at(-1) as number;
  const x = fromTypedArray(Float64Array.from(init), shape).requiresGrad_(requiresGrad[0]);
  const y = fromTypedArray(
    Float64Array.from({ length: last }, (__, i) => 0.5 + 0.1 * i),
    [last],
  ).requiresGrad_(requiresGrad[1]);
  const names = new Map([
    ['x', x],
    ['y', y],
  ]);
  for (const step of steps) {
    const error = raised(() => perform(step, names));
    if (step.raises === undefined) expect(error).toBeUndefined();
    else expectMessage(error, step.raises);
  }
  for (const [name, wanted] of Object.entries(variables)) {
    const t = names.get(name) as Tensor;
    expect([name, t.requiresGrad, t.version]).toEqual([name, wanted.requiresGrad, wanted.version]);
    if (typeof wanted.leaf === 'boolean') expect(t.isLeaf).toBe(wanted.leaf);
    else
      expectMessage(
        raised(() => t.isLeaf),
        wanted.leaf.replace(/^ERR /, ''),
      );
    expectClose(t, wanted.values);
  }
  const error = raised(() => loss(names, Object.keys(variables))?.backward());
  if (program.raises !== null) expectMessage(error, program.raises);
  else {
    expect(error).toBeUndefined();
    for (const [name, { grad }] of Object.entries(variables)) {
      expectClose((names.get(name) as Tensor).grad, grad);
    }
  }
});
