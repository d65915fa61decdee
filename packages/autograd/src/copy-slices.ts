import { asStrided, emptyStrided, type Tensor } from '@sconce/core';
import { type Geometry, geometryOf } from './geometry.js';
import { backwardTwice, type Edge, type Gradient, letGo, Node } from './node.js';

/**
 * The history of a tensor part of which was overwritten through a view: the gradient of that part goes through the
 * node of the operation that wrote it, the rest passes.
 */
export class CopySlices extends Node {
  readonly #base: Geometry;
  readonly #view: Geometry;
  #write: Node | undefined;

  /** @param edge where the gradient of the base's value before the write goes. */
  constructor(base: Tensor, view: Geometry, write: Node, edge: Edge | undefined) {
    super([edge, ...write.edges.slice(1)]);
    this.#base = geometryOf(base);
    this.#view = view;
    this.#write = write;
    write.references++;
    this.addOutput(base);
  }

  get name(): string {
    return 'CopySlices';
  }

  override get fullName(): string {
    return `torch::autograd::${this.name}`;
  }

  override get builtIn(): boolean {
    return this.#write?.builtIn ?? true;
  }

  apply(grads: readonly Gradient[], needed: (edge: number) => boolean): readonly Gradient[] {
    const [grad] = grads;
    const write = this.#write;
    if (!write) throw backwardTwice();
    if (!grad) return [];
    const { shape, strides, dtype, device, offset } = this.#base;
    const result = emptyStrided(shape, strides, { dtype, device });
    result.copy_(grad);
    const part = asStrided(
      result,
      this.#view.shape,
      this.#view.strides,
      this.#view.offset - offset,
    );
    const inner = [...write.apply([part.clone({ memoryFormat: 'contiguous' })], needed)];
    if (!needed(0)) return inner;
    const [own] = inner;
    if (own) part.copy_(own);
    else part.fill_(0);
    inner[0] = result;
    return inner;
  }

  override holds(): readonly Node[] {
    return this.#write ? [...super.holds(), this.#write] : super.holds();
  }

  override release(): void {
    if (!this.#write) return;
    this.#write.release();
    letGo(this.#write);
    this.#write = undefined;
  }
}
