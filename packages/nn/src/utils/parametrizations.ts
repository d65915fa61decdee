import { IndexError, normalize, type Tensor, takes } from '@sconce/core';
import { Module } from '../module.js';
import * as signatures from '../signatures.js';
import { registerParametrization } from './parametrize.js';
import {
  asMatrix,
  checkIterations,
  powerMethod,
  randomUnit,
  type SpectralNormOptions,
  singularValue,
} from './power-method.js';
import { parameterNamed } from './reparametrize.js';
import { outputDim } from './spectral-norm.js';

/** Divides a weight by its greatest singular value. */
class SpectralNorm extends Module {
  readonly nPowerIterations: number;
  readonly dim: number;
  readonly eps: number;
  declare _u: Tensor;
  declare _v: Tensor;

  constructor(weight: Tensor, nPowerIterations: number, dim: number, eps: number) {
    super();
    const { ndim } = weight;
    if (dim >= ndim || dim < -ndim) {
      throw new IndexError(
        `spectralNorm: Dimension out of range (expected to be in range of [${-ndim}, ${ndim - 1}] but got ${dim})`,
      );
    }
    checkIterations('spectralNorm', nPowerIterations);
    this.nPowerIterations = nPowerIterations;
    this.dim = dim < 0 ? dim + ndim : dim;
    this.eps = eps;
    if (ndim === 1) return;
    const matrix = asMatrix(weight, this.dim);
    this.registerBuffer('_u', randomUnit(matrix.shape[0] as number, weight, eps));
    this.registerBuffer('_v', randomUnit(matrix.shape[1] as number, weight, eps));
    powerMethod(matrix, this._u, this._v, 15, eps, 'u');
  }

  override forward(weight: Tensor): Tensor {
    // Of a vector the norm is the singular value.
    if (weight.ndim === 1) return normalize(weight, { dim: 0, eps: this.eps });
    const matrix = asMatrix(weight, this.dim);
    if (this.training) {
      powerMethod(matrix, this._u, this._v, this.nPowerIterations, this.eps, 'u');
    }
    return weight.div(singularValue(matrix, this._u, this._v));
  }

  rightInverse(value: Tensor): Tensor {
    return value;
  }

  override getName(): string {
    return '_SpectralNorm';
  }
}

/**
 * Divides a parameter by its greatest singular value, as a parametrization (see `parametrize`): the newer form of
 * `utils.spectralNorm`. Returns the module.
 *
 * @param name the parameter; default `weight`.
 * @throws IndexError if `dim` is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.spectral_norm.html
 * @example const layer = nn.utils.parametrizations.spectralNorm(new nn.Linear(20, 40));
 */
export function spectralNorm<M extends Module>(
  module: M,
  name = 'weight',
  options: SpectralNormOptions = {},
): M {
  takes('spectralNorm', signatures.spectralNorm, arguments);
  const { nPowerIterations = 1, eps = 1e-12 } = options;
  const { property, parameter } = parameterNamed('spectralNorm', module, name);
  const dim = outputDim(module, options.dim);
  return registerParametrization(
    module,
    property,
    new SpectralNorm(parameter.detach(), nPowerIterations, dim, eps),
  );
}

export { type OrthogonalMap, type OrthogonalOptions, orthogonal } from './orthogonal.js';
