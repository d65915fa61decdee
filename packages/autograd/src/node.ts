import {
  type Device,
  type GradFn,
  type GradFnHook,
  type GradFnPrehook,
  type HookHandle,
  RuntimeError,
  type Tensor,
} from '@sconce/core';
import { enroll } from './census.js';
import { type Geometry, geometryOf } from './geometry.js';

/** A gradient, or undefined where it is zero and was never made. */
export type Gradient = Tensor | undefined;

/** Where a gradient goes: the `index`-th output of the operation that `node` differentiates. */
export interface Edge {
  readonly node: Node;
  readonly index: number;
}

/** A hook on a tensor: sees its gradient and may replace it. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook without a return statement is a hook
export type TensorHook = (grad: Tensor) => Tensor | undefined | void;

let created = 0;

/**
 * A node of the backward graph: turns the gradients of an operation's outputs into those of its inputs.
 *
 * Edges always lead to nodes made earlier, so `sequence` is a topological order.
 */
export abstract class Node implements GradFn {
  /** Order of creation. */
  readonly sequence: number = created++;
  /** One for each differentiable input; undefined where no gradient is wanted. */
  edges: readonly (Edge | undefined)[];
  /** What the gradients of the outputs look like; undefined for an output that has none. */
  readonly outputs: (Geometry | undefined)[] = [];
  /** Counts it among the living, with its neighbours. */
  readonly block = this.counted ? enroll() : undefined;
  /** How many other nodes and tensors hold this one; says whether PyTorch would still have it. */
  references = 0;

  /** Hooks on the tensors that are outputs of the operation, by output; made when the first is registered. */
  tensorHooks: Map<number, Set<Registered<TensorHook>>> | undefined = undefined;
  /** The tensors that keep the gradient of an output, by output. */
  retained: Map<number, Tensor> | undefined = undefined;
  prehooks: Set<Registered<GradFnPrehook>> | undefined = undefined;
  posthooks: Set<Registered<GradFnHook>> | undefined = undefined;

  constructor(edges: readonly (Edge | undefined)[]) {
    this.edges = edges;
    for (const edge of edges) if (edge) edge.node.references++;
  }

  /** Whether it is part of a graph, as against the place of a leaf's gradient, which lives as long as the leaf. */
  get counted(): boolean {
    return true;
  }

  abstract get name(): string;

  /** The name as messages give it. */
  get fullName(): string {
    return this.name;
  }

  /** Where the gradient has to be before `apply`, if it can only get there asynchronously. */
  get landing(): Device | undefined {
    return undefined;
  }

  /** Whether only code of this package runs in `apply`, which keeps none of the tensors it sees or makes. */
  get builtIn(): boolean {
    return true;
  }

  /**
   * The gradients of the inputs.
   *
   * @param needed whether the gradient of an input is wanted, by edge.
   */
  abstract apply(
    grads: readonly Gradient[],
    needed: (edge: number) => boolean,
  ): readonly Gradient[];

  /** Forgets the saved tensors; `apply` raises afterwards if there were any. */
  release(): void {}

  /** The nodes that this one holds. */
  holds(): readonly Node[] {
    return this.edges.flatMap((edge) => (edge ? [edge.node] : []));
  }

  /** Declares the next output; its number is what edges call it by. */
  addOutput(tensor: Tensor | undefined): number {
    return this.outputs.push(tensor && geometryOf(tensor)) - 1;
  }

  get nextFunctions(): readonly (GradFn | null)[] {
    return this.edges.map((edge) => edge?.node ?? null);
  }

  registerHook(hook: GradFnHook): HookHandle {
    this.posthooks ??= new Set();
    return register(this.posthooks, hook);
  }

  registerPrehook(hook: GradFnPrehook): HookHandle {
    this.prehooks ??= new Set();
    return register(this.prehooks, hook);
  }

  registerTensorHook(output: number, hook: TensorHook): HookHandle {
    this.tensorHooks ??= new Map();
    let hooks = this.tensorHooks.get(output);
    if (!hooks) {
      hooks = new Set();
      this.tensorHooks.set(output, hooks);
    }
    return register(hooks, hook);
  }
}

/** Notes that a tensor or a node no longer holds `node`, which may let others go in turn. */
export function letGo(node: Node): void {
  const stack = [node];
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (--next.references === 0) stack.push(...next.holds());
  }
}

/** One registration: the same function may be registered twice. */
export interface Registered<F> {
  readonly hook: F;
}

function register<F>(hooks: Set<Registered<F>>, hook: F): HookHandle {
  const entry = { hook };
  hooks.add(entry);
  return {
    remove: () => {
      hooks.delete(entry);
    },
  };
}

/** What a second backward through the same graph raises. */
export const backwardTwice = (): RuntimeError =>
  new RuntimeError(
    'Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward. (Here: backward(gradient, { retainGraph: true }).)',
  );
