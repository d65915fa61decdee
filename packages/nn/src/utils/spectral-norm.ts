import { noGrad } from '@sconce/autograd';
import { linalg, type Tensor, takes } from '@sconce/core';
import type { Module } from '../module.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/conv.js';
import { registry } from '../registry.js';
import * as signatures from '../signatures.js';
import type { LoadStateDictPreHook } from '../state-dict.js';
import {
  asMatrix,
  checkIterations,
  powerMethod,
  randomUnit,
  type SpectralNormOptions,
  singularValue,
} from './power-method.js';
import { checkOnce, parameterNamed, properties, recompute, restore } from './reparametrize.js';

/** Where the outputs of a layer are in its weight, unless the caller says. */
export function outputDim(module: Module, dim: number | null | undefined): number {
  if (dim !== undefined && dim !== null) return dim;
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d];
  return transposed.some((type) => module instanceof type) ? 1 : 0;
}

/**
 * State dicts of PyTorch before 1.0 hold the weight as computed, in place of its right singular vector: that is found from
 * the left one, u = normalize(W v), and from how much smaller the computed weight is.
 */
const fromComputedWeight =
  (key: string, dim: number): LoadStateDictPreHook =>
  (module, { state, prefix, metadata }) => {
    const versions = metadata.spectral_norm as Readonly<Record<string, number>> | undefined;
    if ((versions?.[`${key}.version`] ?? 0) >= 1 || !module._buffers.has(`${key}_v`)) return;
    const [name, vector] = [prefix + key, `${prefix + key}_v`];
    const [original, computed, u] = [`${name}_orig`, name, `${name}_u`].map((k) => state.get(k));
    if (!original || !computed || !u || state.has(vector)) return;
    noGrad(() => {
      const sigma = original.mul(computed).sum().div(computed.square().sum());
      const matrix = asMatrix(original, dim);
      const v = linalg.pinv(matrix).mv(u);
      state.set(vector, v.mul(sigma.div(u.dot(matrix.mv(v)))));
    });
    state.delete(name);
  };

/**
 * Divides a parameter by its greatest singular value, which the power method follows from forward to forward:
 * `weight` becomes `weight_orig / sigma`; the buffers `weight_u` and `weight_v` hold the singular vectors. Returns the module.
 *
 * @param name the parameter; default `weight`.
 * @throws ValueError if the module has no such parameter, or `nPowerIterations` is not positive.
 * @throws RuntimeError if it is normalised already.
 * @see Miyato et al., Spectral Normalization for Generative Adversarial Networks (2018);
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.spectral_norm.html
 * @example const layer = nn.utils.spectralNorm(new nn.Linear(20, 40));
 */
export function spectralNorm<M extends Module>(
  module: M,
  name = 'weight',
  options: SpectralNormOptions = {},
): M {
  takes('spectralNorm', signatures.spectralNorm, arguments);
  const { nPowerIterations = 1, eps = 1e-12 } = options;
  const dim = outputDim(module, options.dim);
  checkIterations('spectralNorm', nPowerIterations);
  checkOnce('spectralNorm', module, name);
  const { property, key, parameter } = parameterNamed('spectralNorm', module, name);
  const parts = [`${key}_orig`, `${key}_u`, `${key}_v`] as const;
  const [height, width] = asMatrix(parameter.detach(), dim).shape as [number, number];
  const u = randomUnit(height, parameter, eps);
  const v = randomUnit(width, parameter, eps);
  Reflect.deleteProperty(module, property);
  module.registerParameter(parts[0], parameter);
  module.registerBuffer(parts[1], u);
  module.registerBuffer(parts[2], v);
  const compute = (m: Module, iterate: boolean): Tensor => {
    const [weight, left, right] = parts.map((p) => properties(m)[p]) as [Tensor, Tensor, Tensor];
    const matrix = asMatrix(weight, dim);
    if (iterate) powerMethod(matrix, left, right, nPowerIterations, eps, 'v');
    return weight.div(singularValue(matrix, left, right));
  };
  registry(module).stateMetadata.spectral_norm = {
    ...(registry(module).stateMetadata.spectral_norm as object | undefined),
    [`${key}.version`]: 1,
  };
  module.registerLoadStateDictPreHook(fromComputedWeight(key, dim));
  recompute(
    'spectralNorm',
    module,
    property,
    parts,
    parameter.detach(),
    (m) => compute(m, m.training),
    (m) => compute(m, false),
  );
  return module;
}

/**
 * Undoes `spectralNorm`: the parameter is one again, with its present value. Returns the module.
 *
 * @throws ValueError if `spectralNorm` was not applied to it.
 */
export function removeSpectralNorm<M extends Module>(module: M, name = 'weight'): M {
  takes('removeSpectralNorm', signatures.removeSpectralNorm, arguments);
  restore('spectralNorm', module, name);
  return module;
}
