import { Tensor } from '@sconce/core';

/**
 * A tensor that a module registers as its own when it is assigned to a property: what optimizers train.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
 * @example this.scale = new Parameter(ones([1]));
 */
export class Parameter extends Tensor {
  /** @param data the initial values, whose memory is shared. */
  constructor(data: Tensor, requiresGrad = true) {
    super(data.storage, data.dtype, data.shape, data.strides, data.offset);
    if (requiresGrad) this.requiresGrad_();
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
