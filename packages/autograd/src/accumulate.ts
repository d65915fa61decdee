import { keepStorage, type Tensor } from '@sconce/core';
import { setAccumulator } from './meta.js';
import { type Gradient, Node } from './node.js';

/** The end of the graph: adds the gradient of a leaf to its `grad`. */
export class AccumulateGrad extends Node {
  readonly leaf: Tensor;

  constructor(leaf: Tensor) {
    super([]);
    this.leaf = leaf;
    this.addOutput(leaf);
  }

  override get counted(): boolean {
    return false;
  }

  get name(): string {
    return 'AccumulateGrad';
  }

  apply(): readonly Gradient[] {
    return [];
  }
}

/**
 * Adds `gradient` to the `grad` of a tensor: into the same memory, unless the sum itself is recorded.
 *
 * @param owned whether nobody else holds the memory of `gradient`, so that it may become `grad` as it is.
 * @returns whether `gradient` was taken as it is.
 */
export function accumulateInto(
  tensor: Tensor,
  gradient: Tensor,
  recorded: boolean,
  owned: boolean,
): boolean {
  const { grad } = tensor;
  if (grad === null) {
    const whole = gradient.isContiguous() && gradient.numel() === gradient.storage.length;
    const taken = owned && whole && !recorded;
    const own = taken ? gradient : gradient.clone({ memoryFormat: 'contiguous' });
    // A gradient lives as long as its tensor does, whatever scope backward runs in.
    keepStorage(own.storage);
    tensor.grad = recorded ? own : own.detach();
    return taken;
  }
  if (recorded) tensor.grad = grad.add(gradient);
  else grad.add_(gradient);
  return false;
}

setAccumulator((leaf) => new AccumulateGrad(leaf));
