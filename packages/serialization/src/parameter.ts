import { autogradEngine, type Tensor, takes } from '@sconce/core';
import * as signatures from './signatures.js';

/** How parameters of modules are told from other tensors, and made. */
export interface ParameterClass {
  is(tensor: Tensor): boolean;
  make(data: Tensor, requiresGrad: boolean): Tensor;
}

let registered: ParameterClass | undefined;

/**
 * Says what parameters are: `sconce` does it with those of `nn`. Without it they load as tensors that require gradients.
 *
 * @example setParameterClass({ is: (t) => t instanceof Parameter, make: (t, grad) => new Parameter(t, grad) });
 */
export function setParameterClass(parameters: ParameterClass | undefined): void {
  takes('setParameterClass', signatures.setParameterClass, arguments);
  registered = parameters;
}

/** Whether a tensor is a parameter. */
export const isParameter = (tensor: Tensor): boolean => registered?.is(tensor) ?? false;

/** A parameter over the memory of `data`. */
export function makeParameter(data: Tensor, requiresGrad: boolean): Tensor {
  if (registered) return registered.make(data, requiresGrad && autogradEngine() !== undefined);
  return requiresGrad && autogradEngine() ? data.requiresGrad_() : data;
}
