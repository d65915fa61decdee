import { type BackwardOptions, RuntimeError, type Tensor, takes } from '@sconce/core';
import { accumulateInto } from './accumulate.js';
import { runBackward, runBackwardAsync, type Task } from './engine.js';
import { gradientEdge } from './meta.js';
import type { Edge, Gradient } from './node.js';
import * as signatures from './signatures.js';

type OneOrMore<T> = T | readonly T[];
const listOf = <T>(x: OneOrMore<T>): readonly T[] =>
  Array.isArray(x) ? (x as readonly T[]) : [x as T];

/** Where to start, and with which gradients: ones for single elements if none are given. */
function start(
  outputs: readonly Tensor[],
  given: readonly (Tensor | null | undefined)[] | undefined,
  recorded: boolean,
): { roots: Edge[]; gradients: Gradient[] } {
  if (given && given.length !== outputs.length) {
    throw new RuntimeError(`got ${outputs.length} tensors and ${given.length} gradients`);
  }
  const gradients = outputs.map((output, i) => {
    const gradient = given?.[i];
    if (gradient) {
      if (gradient.shape.join() !== output.shape.join()) {
        throw new RuntimeError(
          `Mismatch in shape: grad_output[${i}] has a shape of torch.Size([${gradient.shape.join(', ')}]) and output[${i}] has a shape of torch.Size([${output.shape.join(', ')}]).`,
        );
      }
      return recorded ? gradient : gradient.detach();
    }
    if (output.requiresGrad && output.numel() !== 1) {
      throw new RuntimeError('grad can be implicitly created only for scalar outputs');
    }
    return undefined;
  });
  const roots = outputs.map((output, i) => {
    const edge = gradientEdge(output);
    if (!edge) {
      throw new RuntimeError(
        `element ${i} of tensors does not require grad and does not have a grad_fn`,
      );
    }
    return edge;
  });
  return { roots, gradients };
}

/**
 * Computes the gradients of several tensors with respect to the leaves of their graphs and adds them to their `grad`.
 *
 * @param gradients the gradients of the tensors; may be left out for single elements (1).
 * @throws RuntimeError if a tensor does not require grad, a saved value was changed, or the graph was freed.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.backward.html
 * @example backward([loss1, loss2]);
 */
export function backward(
  tensors: OneOrMore<Tensor>,
  gradients?: OneOrMore<Tensor | null | undefined>,
  options: BackwardOptions = {},
): void {
  takes('backward', signatures.backward, arguments);
  const { task, finish } = backwardTask(tensors, gradients, options);
  finish(runBackward(task, 'backwardAsync'));
}

/**
 * As `backward`, for graphs that span devices of which one can only be read asynchronously: gradients that go from it to
 * another are waited for.
 *
 * @example await backwardAsync([loss1, loss2]);
 */
export async function backwardAsync(
  tensors: OneOrMore<Tensor>,
  gradients?: OneOrMore<Tensor | null | undefined>,
  options: BackwardOptions = {},
): Promise<void> {
  takes('backwardAsync', signatures.backwardAsync, arguments);
  const { task, finish } = backwardTask(tensors, gradients, options);
  finish(await runBackwardAsync(task));
}

/** A backward pass, and what is done with the gradients it gives. */
interface Plan<T> {
  readonly task: Task;
  readonly finish: (found: readonly Gradient[]) => T;
}

function backwardTask(
  tensors: OneOrMore<Tensor>,
  gradients: OneOrMore<Tensor | null | undefined> | undefined,
  options: BackwardOptions,
): Plan<void> {
  const createGraph = options.createGraph ?? false;
  const retainGraph = options.retainGraph ?? createGraph;
  const given = gradients === undefined || gradients === null ? undefined : listOf(gradients);
  const { inputs } = options;
  if (inputs && inputs.length === 0) {
    throw new RuntimeError("'inputs' argument to backward() cannot be empty.");
  }
  const task = { ...start(listOf(tensors), given, createGraph), retainGraph, createGraph };
  if (!inputs) return { task, finish: () => {} };
  return {
    task: { ...task, captures: inputs.map(targetEdge) },
    finish: (found) => {
      inputs.forEach((input, i) => {
        const g = found[i];
        if (g) accumulateInto(input, g, createGraph, false);
      });
    },
  };
}

function targetEdge(input: Tensor): Edge | undefined {
  if (!input.requiresGrad) {
    throw new RuntimeError('One of the differentiated Tensors does not require grad');
  }
  return gradientEdge(input);
}

/** Options of `grad`. */
export interface GradOptions {
  /** The gradients of the outputs; may be left out for single elements (1). */
  gradOutputs?: OneOrMore<Tensor | null | undefined>;
  /** Keep what the graph saved, so that backward can run again; default: `createGraph`. */
  retainGraph?: boolean;
  /** Record the computation of the gradients, for higher derivatives; default false. */
  createGraph?: boolean;
  /** Give null for inputs that the outputs do not depend on, rather than raise; default false. */
  allowUnused?: boolean;
}

/**
 * The gradients of outputs with respect to inputs, one for each input; nothing is accumulated in `grad`.
 *
 * @throws RuntimeError if an input was not used in computing the outputs, unless `allowUnused`.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
 * @example const [dx] = grad(loss, [x], { createGraph: true });
 */
export function grad(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options: GradOptions & { allowUnused: true },
): (Tensor | null)[];
export function grad(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options?: GradOptions,
): Tensor[];
export function grad(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options: GradOptions = {},
): (Tensor | null)[] {
  takes('grad', signatures.grad, arguments);
  const { task, finish } = gradTask(outputs, inputs, options);
  return finish(runBackward(task, 'gradAsync'));
}

/**
 * As `grad`, for graphs that span devices of which one can only be read asynchronously: gradients that go from it to
 * another are waited for.
 *
 * @example const [dx] = await gradAsync(loss, [x]);
 */
export async function gradAsync(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options: GradOptions & { allowUnused: true },
): Promise<(Tensor | null)[]>;
export async function gradAsync(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options?: GradOptions,
): Promise<Tensor[]>;
export async function gradAsync(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options: GradOptions = {},
): Promise<(Tensor | null)[]> {
  takes('gradAsync', signatures.gradAsync, arguments);
  const { task, finish } = gradTask(outputs, inputs, options);
  return finish(await runBackwardAsync(task));
}

function gradTask(
  outputs: OneOrMore<Tensor>,
  inputs: OneOrMore<Tensor>,
  options: GradOptions,
): Plan<(Tensor | null)[]> {
  const { gradOutputs, createGraph = false, retainGraph = createGraph } = options;
  const given = gradOutputs === undefined || gradOutputs === null ? undefined : listOf(gradOutputs);
  const task: Task = {
    ...start(listOf(outputs), given, createGraph),
    retainGraph,
    createGraph,
    captures: listOf(inputs).map(targetEdge),
  };
  const asked = (g: Gradient): Tensor | null => {
    if (!g && !options.allowUnused) {
      throw new RuntimeError(
        'One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior. (Here: { allowUnused: true }.)',
      );
    }
    return g ?? null;
  };
  return { task, finish: (found) => found.map(asked) };
}
