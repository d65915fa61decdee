import type { Op } from './op.js';
import type { Tensor } from './tensor.js';

/** A node of the backward graph, as users see it on `tensor.gradFn`. */
export interface GradFn {
  /** As PyTorch names it: `AddBackward0`. */
  readonly name: string;
  /** The nodes that the gradients go on to, one for each differentiable input; null where none flows. */
  readonly nextFunctions: readonly (GradFn | null)[];
  /**
   * Calls `hook` after the node has run, with the gradients of its inputs and of its outputs (null where there is none);
   * what it returns replaces the former.
   */
  registerHook(hook: GradFnHook): HookHandle;
  /** Calls `hook` before the node runs, with the gradients of its outputs; what it returns replaces them. */
  registerPrehook(hook: GradFnPrehook): HookHandle;
}

/** Gradients as node hooks see them. */
export type HookGrads = readonly (Tensor | null)[];

/** A hook on a node, called after it has run. */
export type GradFnHook = (inputs: HookGrads, outputs: HookGrads) => HookGrads | undefined;

/** A hook on a node, called before it runs. */
export type GradFnPrehook = (outputs: HookGrads) => HookGrads | undefined;

/** What the autograd engine keeps on a tensor; core only asks these questions of it. */
export interface TensorMeta {
  readonly requiresGrad: boolean;
  readonly gradFn: GradFn | null;
  grad: Tensor | null;
  /** What the tensor is a view of, if it is one. */
  readonly view?: unknown;
}

/** What a hook may be taken off with. */
export interface HookHandle {
  remove(): void;
}

/** Options of `backward`. */
export interface BackwardOptions {
  /** Keep what the graph saved, so that backward can run again; default: `createGraph`. */
  retainGraph?: boolean;
  /** Record the backward pass itself, for higher derivatives; default false. */
  createGraph?: boolean;
  /** Accumulate into the `grad` of these leaves only. */
  inputs?: readonly Tensor[];
}

/**
 * The engine that `@sconce/autograd` installs. Core knows that an operation may be recorded, not how.
 */
export interface AutogradEngine {
  /** Runs `op.forward(...args)` and records it; called only when gradients are on and an argument requires grad. */
  record(op: Op, args: readonly unknown[]): unknown;
  /** Runs an in-place operation (`run`) on `args[0]` and rebases its history; returns `args[0]`. */
  recordInplace(op: Op, args: readonly unknown[], run: () => void): Tensor;
  /** The same of an operation that gives `args[0]` another shape over the same memory, of which a base sees nothing. */
  recordReshape(op: Op, args: readonly unknown[], run: () => void): Tensor;
  /** A view of `base` was made, recorded or not (also under noGrad). */
  view(view: Tensor, base: Tensor): void;
  /** These views were made by one operation, which forbids to write through them while recording. */
  severalViews(views: readonly Tensor[]): void;
  setRequiresGrad(tensor: Tensor, value: boolean): void;
  backward(tensor: Tensor, gradient: Tensor | undefined, options: BackwardOptions): void;
  /** As `backward`, waiting for gradients on their way between devices. */
  backwardAsync(
    tensor: Tensor,
    gradient: Tensor | undefined,
    options: BackwardOptions,
  ): Promise<void>;
  registerHook(tensor: Tensor, hook: (grad: Tensor) => Tensor | undefined): HookHandle;
  retainGrad(tensor: Tensor): void;
  /** Makes the tensor a leaf that does not require grad. */
  detach_(tensor: Tensor): void;
  /** What graphs hold, as a clause for errors about full memory; undefined if there are none. */
  held?(): string | undefined;
}

let installed: AutogradEngine | undefined;

/** Installs the engine; `@sconce/autograd` does so when imported. */
export function installAutograd(engine: AutogradEngine): void {
  installed = engine;
}

/** The installed engine, or undefined where gradients are not in use. */
export const autogradEngine = (): AutogradEngine | undefined => installed;
