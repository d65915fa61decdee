import {
  hardsigmoid,
  hardswish,
  logsigmoid,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softsign,
  type Tensor,
  takes,
  tanh,
  tanhshrink,
} from '@sconce/core';
import { Module } from '../module.js';
import * as signatures from '../signatures.js';

/** Options of activations that can replace their input. */
export interface InplaceOptions {
  /** Write the result over the input; default false. */
  inplace?: boolean;
}

/** An activation without parameters: a function of one tensor. */
abstract class Activation extends Module {
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    takes(new.target.name, signatures.Activation, arguments);
    super();
    this.inplace = options.inplace ?? false;
  }

  protected abstract compute(input: Tensor, options?: InplaceOptions): Tensor;

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.Activation_forward, arguments);
    return this.compute(input, this.inplace ? { inplace: true } : undefined);
  }

  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** Max(0, x), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html */
export class ReLU extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return relu(input, options);
  }
}

/** Min(max(0, x), 6), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.ReLU6.html */
export class ReLU6 extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return relu6(input, options);
  }
}

/** 1 / (1 + e^-x), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    takes('Sigmoid', signatures.Sigmoid_forward, arguments);
    return sigmoid(input);
  }
}

/** The hyperbolic tangent, element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    takes('Tanh', signatures.Tanh_forward, arguments);
    return tanh(input);
  }
}

/** X * sigmoid(x), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html */
export class SiLU extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return silu(input, options);
  }
}

/** X * tanh(softplus(x)), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Mish.html */
export class Mish extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return mish(input, options);
  }
}

/** Scaled exponential linear units, element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.SELU.html */
export class SELU extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return selu(input, options);
  }
}

/** X * relu6(x + 3) / 6, element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Hardswish.html */
export class Hardswish extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return hardswish(input, options);
  }

  // PyTorch's does not say whether it works in place.
  override extraRepr(): string {
    return '';
  }
}

/** Relu6(x + 3) / 6, element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html */
export class Hardsigmoid extends Activation {
  protected override compute(input: Tensor, options?: InplaceOptions): Tensor {
    return hardsigmoid(input, options);
  }

  // PyTorch's does not say whether it works in place.
  override extraRepr(): string {
    return '';
  }
}

/** Log(sigmoid(x)), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    takes('LogSigmoid', signatures.LogSigmoid_forward, arguments);
    return logsigmoid(input);
  }
}

/** X / (1 + |x|), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    takes('Softsign', signatures.Softsign_forward, arguments);
    return softsign(input);
  }
}

/** X - tanh(x), element by element. @see https://pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    takes('Tanhshrink', signatures.Tanhshrink_forward, arguments);
    return tanhshrink(input);
  }
}
