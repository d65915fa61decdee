import { type DType, RuntimeError, Tensor } from '@sconce/core';
import { ensureMeta, metaOf } from './meta.js';
import { backwardTwice, letGo, type Node } from './node.js';

/** How `[torch.FloatTensor [2, 2]]` names a dtype. */
const typeNames: Record<DType, string> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
  int8: 'CharTensor',
  uint8: 'ByteTensor',
  int16: 'ShortTensor',
  int32: 'IntTensor',
  int64: 'LongTensor',
  bool: 'BoolTensor',
};

/** A tensor that a node needs for its gradients, and the version it had when it was saved. */
export class Saved {
  #tensor: Tensor | undefined;
  readonly #version: number;
  readonly #leaf: boolean;
  readonly #shape: readonly number[];
  /** An output of the node's own operation, as against an input. */
  readonly #output: boolean;
  /** Its number among the outputs of its node. */
  readonly #index: number;
  /** Whether nothing else has this tensor. */
  readonly #own: boolean;
  /** For the result of an in-place operation on a view: the view's node at that time. */
  readonly #viewNode: Node | undefined;

  /** @throws RuntimeError if the tensor was made under `inferenceMode`. */
  constructor(tensor: Tensor, output: boolean, inplaceOnView = false, own = false) {
    if (tensor.storage.inference) {
      throw new RuntimeError(
        'Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd.',
      );
    }
    this.#own = own;
    this.#tensor = tensor;
    this.#version = tensor.counter.version;
    this.#leaf = tensor.isLeaf;
    this.#shape = tensor.shape;
    this.#output = output && !this.#leaf;
    this.#index = metaOf(tensor)?.outputNr ?? 0;
    this.#viewNode = inplaceOnView ? (metaOf(tensor)?.gradFn ?? undefined) : undefined;
  }

  get released(): boolean {
    return this.#tensor === undefined;
  }

  release(): void {
    const node = this.#own && this.#tensor && metaOf(this.#tensor)?.currentNode;
    this.#tensor = undefined;
    if (node) letGo(node);
  }

  /**
   * The tensor as it was when saved, with its history.
   *
   * @param owner the node that saved it, which is the history of an output.
   * @throws RuntimeError if it was released, or written in place since.
   */
  unpack(owner: Node): Tensor {
    const tensor = this.#tensor;
    if (!tensor) throw backwardTwice();
    if (tensor.counter.version !== this.#version) throw this.#modified(tensor, owner);
    if (!this.#output || metaOf(tensor)?.gradFn === owner) return tensor;
    return historyOf(tensor, this.#viewNode ?? owner, this.#index);
  }

  /** The node to name for a saved output: a view's own one while anything still leads to it, as in PyTorch. */
  #named(owner: Node): Node {
    const node = this.#viewNode;
    return node && node.references > 0 ? node : owner;
  }

  #modified(tensor: Tensor, owner: Node): RuntimeError {
    const meta = metaOf(tensor);
    let node: Node | null = null;
    let index = this.#index;
    if (this.#output) node = this.#named(owner);
    else if (meta) {
      node = meta.gradFn;
      index = meta.outputNr;
    }
    if (!node && !this.#leaf) node = owner;
    const place = tensor.device.type === 'cpu' ? 'torch.' : `torch.${tensor.device.type}.`;
    return new RuntimeError(
      `one of the variables needed for gradient computation has been modified by an inplace operation: [${place}${typeNames[tensor.dtype]} [${(this.#leaf ? tensor.shape : this.#shape).join(', ')}]]${node ? `, which is output ${index} of ${node.fullName},` : ''} is at version ${tensor.counter.version}; expected version ${this.#version} instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True).`,
    );
  }
}

/** The same values as output `index` of `node`. */
function historyOf(tensor: Tensor, node: Node, index: number): Tensor {
  const { storage, dtype, shape, strides, offset, counter } = tensor;
  const alias = new Tensor(storage, dtype, shape, strides, offset, counter);
  ensureMeta(alias).setHistory(node, index);
  return alias;
}
