import { noGrad } from '@sconce/autograd';
import {
  allclose,
  cat,
  eye,
  formatShape,
  geqrf,
  linalg,
  NotImplementedError,
  randn,
  sameShape,
  type Tensor,
  takes,
  ValueError,
  where,
  zerosLike,
} from '@sconce/core';
import { Module } from '../module.js';
import { propertyNamed } from '../registry.js';
import * as signatures from '../signatures.js';
import { registerParametrization } from './parametrize.js';
import { properties } from './reparametrize.js';

/** How a matrix is made orthogonal: exponential or Cayley transform of a skew-symmetric one, or a product of reflections. */
export type OrthogonalMap = 'matrixExp' | 'cayley' | 'householder';

/** Options of `orthogonal`. */
export interface OrthogonalOptions {
  /** Default `'matrixExp'` for square matrices, else `'householder'`. */
  orthogonalMap?: OrthogonalMap | null;
  /** Start from the orthogonal matrix nearest to the weight, and train what it is turned by; default true. */
  useTrivialization?: boolean;
}

const diagonalOf = (x: Tensor): Tensor => x.diagonal({ dim1: -2, dim2: -1 });
const identity = (n: number, like: Tensor): Tensor =>
  eye(n, { dtype: like.dtype, device: like.device });

/** Whether the columns of a tall matrix are orthonormal. */
function isOrthogonal(q: Tensor): boolean {
  const [n, k] = q.shape.slice(-2) as [number, number];
  const epsilon = q.dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  return allclose(q.mT.matmul(q), identity(k, q).expand([...q.shape.slice(0, -2), k, k]), {
    atol: 10 * n * epsilon,
  });
}

/** The Q of a tall matrix's QR decomposition in which R has a positive diagonal. */
function makeOrthogonal(x: Tensor): Tensor {
  const { a, tau } = geqrf(x);
  return linalg.householderProduct(a, tau).mul(diagonalOf(a).sgn().unsqueeze(-2));
}

/** An orthogonal matrix from one without constraints. */
class Orthogonal extends Module {
  readonly shape: readonly number[];
  readonly orthogonalMap: OrthogonalMap;
  readonly useTrivialization: boolean;
  declare base: Tensor | null;

  constructor(weight: Tensor, orthogonalMap: OrthogonalMap, useTrivialization: boolean) {
    super();
    this.shape = weight.shape;
    this.orthogonalMap = orthogonalMap;
    this.useTrivialization = useTrivialization;
    if (useTrivialization) this.registerBuffer('base', null);
  }

  override forward(input: Tensor): Tensor {
    const [rows, columns] = input.shape.slice(-2) as [number, number];
    const x = rows < columns ? input.mT : input;
    const map = this.orthogonalMap;
    let q = map === 'householder' ? this.reflections(x) : this.rotation(x, map);
    if (this.useTrivialization && this.base) q = this.base.matmul(q);
    return rows < columns ? q.mT : q;
  }

  /** The first columns of a rotation, from what stands below the diagonal of a tall matrix. */
  private rotation(x: Tensor, map: 'matrixExp' | 'cayley'): Tensor {
    const [n, k] = x.shape.slice(-2) as [number, number];
    const lower = x.tril();
    const square =
      n === k ? lower : cat([lower, lower.newZeros([...x.shape.slice(0, -1), n - k])], -1);
    const skew = square.sub(square.mT);
    if (map === 'matrixExp') return linalg.matrixExp(skew).narrow(-1, 0, k);
    const half = skew.mul(0.5);
    const one = identity(n, x);
    return linalg.solve(one.sub(half), one.add(half)).narrow(-1, 0, k);
  }

  /** A product of reflections whose vectors stand below the diagonal, on which their signs are. */
  private reflections(x: Tensor): Tensor {
    const vectors = x.tril(-1);
    const factors = vectors.square().sum(-2).add(1).reciprocal().mul(2);
    const signs = diagonalOf(x.detach()).trunc();
    return linalg.householderProduct(vectors, factors).mul(signs.unsqueeze(-2));
  }

  rightInverse(given: Tensor): Tensor {
    if (!sameShape(given.shape, this.shape)) {
      throw new ValueError(
        `orthogonal: Expected a matrix or batch of matrices of shape ${formatShape(this.shape)}. Got a tensor of shape ${formatShape(given.shape)}.`,
      );
    }
    return noGrad(() => (this.useTrivialization ? this.startFrom(given) : this.packed(given)));
  }

  /** Keeps an orthogonal matrix to start from, and gives what turns it by nothing. */
  private startFrom(given: Tensor): Tensor {
    const [rows, columns] = given.shape.slice(-2) as [number, number];
    const q = rows < columns ? given.mT : given;
    const [n, k] = q.shape.slice(-2) as [number, number];
    if (n === k) this.base = isOrthogonal(q) ? q.clone() : makeOrthogonal(q);
    else {
      const shape = [...q.shape.slice(0, -2), n, n - k];
      const rest = randn(shape, { dtype: q.dtype, device: q.device });
      this.base = makeOrthogonal(cat([q, rest], -1));
    }
    const start = zerosLike(given);
    diagonalOf(start).fill_(-1);
    return start;
  }

  /** The reflections whose product is an orthogonal matrix. */
  private packed(given: Tensor): Tensor {
    if (this.orthogonalMap !== 'householder') {
      throw new NotImplementedError(
        `orthogonal: with useTrivialization: false, a weight cannot be assigned where orthogonalMap is '${this.orthogonalMap}'; use 'householder'`,
      );
    }
    const [rows, columns] = given.shape.slice(-2) as [number, number];
    const { a, tau } = geqrf(rows < columns ? given.mT : given);
    const diagonal = diagonalOf(a);
    // LAPACK says by a factor of 0 that it uses no reflection.
    const signs = diagonal.sign();
    diagonal.copy_(where(tau.eq(0), signs.neg(), signs));
    return rows < columns ? a.mT : a;
  }

  override getName(): string {
    return '_Orthogonal';
  }
}

/**
 * Keeps a weight orthogonal, as a parametrization (see `parametrize`): a matrix [..., m, n] with orthonormal columns (rows if m < n).
 * Returns the module.
 *
 * @param name the parameter; default `weight`.
 * @throws ValueError if there is no such tensor, or it is not of matrices.
 * @see Lezcano-Casado, Trivializations for Gradient-Based Optimization on Manifolds (2019);
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html
 * @example const layer = nn.utils.parametrizations.orthogonal(new nn.Linear(20, 40));
 */
export function orthogonal<M extends Module>(
  module: M,
  name = 'weight',
  options: OrthogonalOptions = {},
): M {
  takes('orthogonal', signatures.orthogonal, arguments);
  const property = propertyNamed(module, name) ?? name;
  const weight = properties(module)[property] as Tensor | undefined;
  if (weight?.shape === undefined) {
    throw new ValueError(`orthogonal: ${module.getName()} has no parameter or buffer '${name}'`);
  }
  if (weight.ndim < 2) {
    throw new ValueError(
      `orthogonal: Expected a matrix or batch of matrices. Got a tensor of ${weight.ndim} dimensions.`,
    );
  }
  const square = weight.size(-2) === weight.size(-1);
  const map = options.orthogonalMap ?? (square ? 'matrixExp' : 'householder');
  if (!['matrixExp', 'cayley', 'householder'].includes(map)) {
    throw new ValueError(
      `orthogonal: orthogonalMap has to be one of 'matrixExp', 'cayley', 'householder'. Got: ${map}`,
    );
  }
  const parametrization = new Orthogonal(weight, map, options.useTrivialization ?? true);
  return registerParametrization(module, property, parametrization, { unsafe: true });
}
