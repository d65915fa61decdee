import { noGrad } from '@sconce/autograd';
import { type Tensor, takes, vectorNorm } from '@sconce/core';
import type { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import * as signatures from '../signatures.js';
import { checkOnce, parameterNamed, properties, recompute, restore } from './reparametrize.js';

/** Options of `weightNorm`. */
export interface WeightNormOptions {
  /** The dimension whose slices have a length each; default 0; null for one length of the whole tensor. */
  dim?: number | null;
}

/** The norm of each slice along a dimension, in a shape that broadcasts; of everything where that is null. */
function norms(v: Tensor, dim: number | null): Tensor {
  if (dim === null) return vectorNorm(v);
  const own = dim < 0 ? dim + v.ndim : dim;
  const others = v.shape.map((_, d) => d).filter((d) => d !== own);
  return vectorNorm(v, 2, others, { keepdim: true });
}

/**
 * Splits a parameter into its length and its direction, which are trained apart: `weight` becomes
 * `weight_g * weight_v / |weight_v|`, computed anew before every forward. Returns the module.
 *
 * @param name the parameter; default `weight`.
 * @throws ValueError if the module has no such parameter.
 * @throws RuntimeError if it is split already.
 * @see Salimans and Kingma, Weight Normalization (2016);
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
 * @example const layer = nn.utils.weightNorm(new nn.Linear(20, 40));
 */
export function weightNorm<M extends Module>(
  module: M,
  name = 'weight',
  options: WeightNormOptions = {},
): M {
  takes('weightNorm', signatures.weightNorm, arguments);
  const { dim = 0 } = options;
  checkOnce('weightNorm', module, name);
  const { property, key, parameter } = parameterNamed('weightNorm', module, name);
  const parts = [`${key}_g`, `${key}_v`] as const;
  Reflect.deleteProperty(module, property);
  const direction = parameter.detach();
  module.registerParameter(parts[0], new Parameter(noGrad(() => norms(direction, dim).clone())));
  module.registerParameter(parts[1], new Parameter(direction));
  const compute = (m: Module): Tensor => {
    const [g, v] = parts.map((part) => properties(m)[part]) as [Tensor, Tensor];
    return v.mul(g.div(norms(v, dim)));
  };
  recompute('weightNorm', module, property, parts, compute(module), compute);
  return module;
}

/**
 * Undoes `weightNorm`: the parameter is one again, with its present value. Returns the module.
 *
 * @throws ValueError if `weightNorm` was not applied to it.
 */
export function removeWeightNorm<M extends Module>(module: M, name = 'weight'): M {
  takes('removeWeightNorm', signatures.removeWeightNorm, arguments);
  restore('weightNorm', module, name);
  return module;
}
