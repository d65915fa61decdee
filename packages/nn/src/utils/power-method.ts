import { noGrad } from '@sconce/autograd';
import { dot, mv, normalize, randn, type Tensor, ValueError } from '@sconce/core';

/** Options of spectral normalisation. */
export interface SpectralNormOptions {
  /** Steps of the power method for each forward in training; default 1. */
  nPowerIterations?: number;
  /** Least norm to divide by; default 1e-12. */
  eps?: number;
  /** The dimension of outputs; default 0, and 1 for transposed convolutions. */
  dim?: number | null;
}

/** A weight as a matrix: one dimension, and all others together. */
export function asMatrix(weight: Tensor, dim: number): Tensor {
  const rest = weight.shape.map((_, d) => d).filter((d) => d !== dim);
  const front = dim === 0 ? weight : weight.permute(dim, ...rest);
  return front.reshape([weight.shape[dim] as number, -1]);
}

/** @throws ValueError if no steps are asked for. */
export function checkIterations(operation: string, count: number): void {
  if (count <= 0) {
    throw new ValueError(
      `${operation}: Expected n_power_iterations to be positive, but got n_power_iterations=${count}`,
    );
  }
}

const unit = (x: Tensor, eps: number): Tensor => normalize(x, { dim: 0, eps });

/** A random direction of `size` dimensions. */
export const randomUnit = (size: number, like: Tensor, eps: number): Tensor =>
  noGrad(() => unit(randn([size], { dtype: like.dtype, device: like.device }), eps));

/** Turns `u` and `v`, in place, towards the singular vectors of the greatest singular value. */
export function powerMethod(
  matrix: Tensor,
  u: Tensor,
  v: Tensor,
  steps: number,
  eps: number,
  first: 'u' | 'v',
): void {
  noGrad(() => {
    const turnU = () => u.copy_(unit(mv(matrix, v), eps));
    const turnV = () => v.copy_(unit(mv(matrix.t(), u), eps));
    const turns = first === 'u' ? [turnU, turnV] : [turnV, turnU];
    for (let i = 0; i < steps; i++) for (const turn of turns) turn();
  });
}

/** The singular value that belongs to `u` and `v`; the vectors are copied, so that later steps may write them. */
export const singularValue = (matrix: Tensor, u: Tensor, v: Tensor): Tensor =>
  dot(u.clone(), mv(matrix, v.clone()));
