import { RuntimeError, type Tensor, type TensorMeta, undoable } from '@sconce/core';
import type { AccumulateGrad } from './accumulate.js';
import { type Edge, letGo, type Node } from './node.js';

/**
 * How a view was made, where that forbids to write through it while recording:
 * one of several outputs of one operation, without gradients, under inference mode, in a custom function.
 */
export type Creation = 'default' | 'multi' | 'noGrad' | 'inference' | 'custom';

/** What makes a tensor a differentiable view. */
interface ViewInfo {
  readonly tensor: Tensor;
  /** The tensor that is not itself a view. */
  readonly base: Tensor;
  creation: Creation;
  /** Version for which the view's node is the right one. */
  version: number;
}

/** Makes the node of a view from its base, after a write through another view. */
type Regenerate = (view: Tensor, base: Tensor) => Node;
let regenerate: Regenerate;

/** Gives this module the way to make the node of a view; the modules would import each other otherwise. */
export function setRegenerate(make: Regenerate): void {
  regenerate = make;
}

/** What autograd keeps on a tensor. */
export class AutogradMeta implements TensorMeta {
  /** Set by the user: a leaf that gathers gradients. */
  leafRequiresGrad = false;
  grad: Tensor | null = null;
  outputNr = 0;
  view: ViewInfo | undefined = undefined;
  accumulator: AccumulateGrad | undefined = undefined;
  #node: Node | null = null;

  get requiresGrad(): boolean {
    return this.leafRequiresGrad || this.#node !== null || (this.view?.base.requiresGrad ?? false);
  }

  /** The node as it is, which for a view may be out of date. */
  get currentNode(): Node | null {
    return this.#node;
  }

  /**
   * The node that this tensor is an output of; a view whose memory was written through another tensor gets a new one.
   *
   * @throws RuntimeError if the view is of a kind through which writes cannot be followed.
   */
  get gradFn(): Node | null {
    const { view } = this;
    if (view === undefined || (this.#node === null && !view.base.requiresGrad)) return this.#node;
    const { version } = view.tensor.counter;
    if (view.version !== version) {
      checkCreation(this, true);
      this.setHistory(regenerate(view.tensor, view.base), 0);
    }
    return this.#node;
  }

  setHistory(node: Node | null, output: number): void {
    undoable(undefined, () => {
      const [earlier, outputNr, version] = [this.#node, this.outputNr, this.view?.version];
      return () => {
        if (earlier) earlier.references++;
        this.#node = earlier;
        this.outputNr = outputNr;
        if (this.view && version !== undefined) this.view.version = version;
      };
    });
    const before = this.#node;
    if (node) node.references++;
    this.#node = node;
    if (before) letGo(before);
    this.outputNr = output;
    if (this.view) this.view.version = this.view.tensor.counter.version;
  }
}

/** What autograd keeps on a tensor, if anything. */
export const metaOf = (t: Tensor): AutogradMeta | undefined => t.meta as AutogradMeta | undefined;

/** The same, made if there is none. */
export function ensureMeta(t: Tensor): AutogradMeta {
  t.meta ??= new AutogradMeta();
  return t.meta as AutogradMeta;
}

/**
 * Raises if writes through a view of this kind cannot be followed.
 *
 * @param indirect whether the write was made through another tensor.
 */
export function checkCreation(meta: AutogradMeta, indirect: boolean): void {
  const creation = meta.view?.creation ?? 'default';
  if (creation === 'default') return;
  const node = meta.currentNode;
  const done = indirect ? 'its base or another view of its base has been' : 'is being';
  const output = node && `Output ${meta.outputNr} of ${node.name}`;
  let text: string;
  if (creation === 'inference' || creation === 'noGrad' || !output) {
    const made = output
      ? `${output} is a view of a view which was created in`
      : 'A view was created in';
    text =
      creation === 'inference'
        ? `${made} inference mode and ${done} modified inplace in normal mode.`
        : `${made} no_grad mode and ${done} modified inplace with grad mode enabled.`;
  } else text = `${output} is a view and ${done} modified inplace.`;
  throw new RuntimeError(`${text} ${reasons[creation]}`);
}

const ambiguous = (block: string) =>
  `Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the ${block} block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).`;

const reasons: Record<Exclude<Creation, 'default'>, string> = {
  multi:
    'This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.',
  noGrad: ambiguous('no_grad'),
  inference: ambiguous('inference_mode'),
  custom:
    'This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.',
};

/** Where the gradient of a tensor goes: its node, or the accumulator of a leaf that requires grad. */
export function gradientEdge(t: Tensor): Edge | undefined {
  const meta = metaOf(t);
  if (meta === undefined) return undefined;
  const node = meta.gradFn;
  if (node) return { node, index: meta.outputNr };
  return meta.leafRequiresGrad ? { node: accumulatorOf(t), index: 0 } : undefined;
}

let makeAccumulator: (leaf: Tensor) => AccumulateGrad;

/** Gives this module the way to make accumulators; the modules would import each other otherwise. */
export function setAccumulator(make: (leaf: Tensor) => AccumulateGrad): void {
  makeAccumulator = make;
}

/** The node that gathers the gradients of a leaf. */
export function accumulatorOf(leaf: Tensor): AccumulateGrad {
  const meta = ensureMeta(leaf);
  meta.accumulator ??= makeAccumulator(leaf);
  return meta.accumulator;
}
