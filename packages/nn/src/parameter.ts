import { Tensor } from '@sconce/core';

declare const brand: unique symbol;

/**
 * A tensor that a module registers as its own when it is assigned to a property: what optimizers train.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
 * @example this.scale = new Parameter(ones([1]));
 */
export class Parameter extends Tensor {
  /** What a plain tensor has not, so that one in the place of a parameter is an error of types. */
  declare readonly [brand]: true;

  /** @param data the initial values, whose memory is shared. */
  constructor(data: Tensor, requiresGrad = true) {
    if (!(data instanceof Tensor)) {
      throw new TypeError(
        `Parameter: expected a Tensor, got ${data === null ? 'null' : typeof data}; tensor(...) makes one`,
      );
    }
    super(data.storage, data.dtype, data.shape, data.strides, data.offset);
    if (requiresGrad) this.requiresGrad_();
  }

  override toString(): string {
    return containing(super.toString());
  }

  override async text(): Promise<string> {
    return containing(await super.text());
  }
}

const containing = (text: string): string => `Parameter containing:\n${text}`;
