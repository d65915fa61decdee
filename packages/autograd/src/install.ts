import { type AutogradEngine, installAutograd, RuntimeError, type Tensor } from '@sconce/core';
import { backward, backwardAsync } from './backward.js';
import { describeGraphs } from './census.js';
import { accumulatorOf, ensureMeta, metaOf } from './meta.js';
import type { Node } from './node.js';
import { noteSeveralViews, noteView, record, recordInplace, recordReshape } from './record.js';

/** The node, and the number there, that hooks on a tensor belong to. */
function place(tensor: Tensor): { node: Node; output: number } {
  const meta = ensureMeta(tensor);
  const node = meta.gradFn;
  return node ? { node, output: meta.outputNr } : { node: accumulatorOf(tensor), output: 0 };
}

const engine: AutogradEngine = {
  record,
  recordInplace,
  recordReshape,
  view: noteView,
  severalViews: noteSeveralViews,
  backward: (tensor, gradient, options) => backward(tensor, gradient, options),
  backwardAsync: (tensor, gradient, options) => backwardAsync(tensor, gradient, options),
  setRequiresGrad(tensor, value) {
    const meta = ensureMeta(tensor);
    // That it has a node is enough; whether the node is up to date is not asked.
    if (meta.currentNode) {
      if (value) return;
      throw new RuntimeError(
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
      );
    }
    if (value && tensor.storage.inference) {
      throw new RuntimeError(
        'Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.',
      );
    }
    meta.leafRequiresGrad = value;
  },
  registerHook(tensor, hook) {
    if (!tensor.requiresGrad) {
      throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    }
    const { node, output } = place(tensor);
    return node.registerTensorHook(output, hook);
  },
  retainGrad(tensor) {
    if (!tensor.requiresGrad) {
      throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
    }
    if (tensor.isLeaf) return;
    const { node, output } = place(tensor);
    node.retained ??= new Map();
    node.retained.set(output, tensor);
  },
  detach_(tensor) {
    const meta = metaOf(tensor);
    if (!meta) return;
    if (meta.view) {
      throw new RuntimeError("Can't detach views in-place. Use detach() instead.");
    }
    meta.leafRequiresGrad = false;
    meta.setHistory(null, 0);
  },
  held: describeGraphs,
};

installAutograd(engine);
