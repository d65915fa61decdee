import { category, computeType } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { e, input, scalar } from '../expr.js';
import { mustRecord, op } from '../op.js';
import type { Epilogue } from '../primitive.js';
import { broadcastShapes, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { full } from './create.js';
import { checkDtypes } from './product-dtypes.js';
import { tensordot } from './tensordot.js';
import { where } from './ternary.js';
import { expand, reshape, squeeze, unsqueeze } from './view.js';
import { type Writing, writing } from './writing.js';

export { tensordot } from './tensordot.js';

/** @throws RuntimeError where two matrices cannot be multiplied. */
function checkOperands(operation: string, a: Tensor, b: Tensor): void {
  checkDtypes(operation, a, b);
  const k = a.shape.at(-1);
  const rows = b.shape.at(-2);
  if (k !== rows) {
    throw new RuntimeError(
      `${operation}: ${formatShape(a.shape)} and ${formatShape(b.shape)} cannot be multiplied (${k} != ${rows})`,
    );
  }
}

/** The product of two stacks of matrices with equal batch dimensions, not recorded. */
function product(operation: string, a: Tensor, b: Tensor, epilogue?: Epilogue): Tensor {
  checkOperands(operation, a, b);
  const out = allocate([...a.shape.slice(0, -1), b.shape.at(-1) as number], a.dtype, a.device);
  if (numel(out.shape) > 0) execute({ kind: 'matmul', a, b, out, epilogue });
  return out;
}

const checkRank = (operation: string, name: string, x: Tensor, rank: number): void => {
  if (x.shape.length !== rank) {
    throw new RuntimeError(
      `${operation}: ${name} must be a ${rank}-D tensor, got shape ${formatShape(x.shape)}`,
    );
  }
};

const mmOp = op('mm', 'self mat2', (self: Tensor, mat2: Tensor): Tensor => {
  checkRank('mm', 'self', self, 2);
  checkRank('mm', 'mat2', mat2, 2);
  return product('mm', self, mat2);
});
/** The product of two matrices, [n, k] and [k, m]. */
export const mm = writing('mm', mmOp);

const bmmOp = op('bmm', 'self mat2', (self: Tensor, mat2: Tensor): Tensor => {
  checkRank('bmm', 'batch1', self, 3);
  checkRank('bmm', 'batch2', mat2, 3);
  if (self.shape[0] !== mat2.shape[0]) {
    throw new RuntimeError(
      `bmm: batch1 and batch2 must have same number of batches, got ${self.shape[0]} and ${mat2.shape[0]} (shapes ${formatShape(self.shape)} and ${formatShape(mat2.shape)})`,
    );
  }
  return product('bmm', self, mat2);
});
/** The products of two stacks of matrices, [b, n, k] and [b, k, m]. */
export const bmm = writing('bmm', bmmOp);

/**
 * The matrix product of tensors of any rank: vectors are rows or columns, leading dimensions broadcast.
 *
 * @throws RuntimeError if the inner sizes differ, or a dtype does.
 * @see https://pytorch.org/docs/stable/generated/torch.matmul.html
 */
export const matmul = writing('matmul', (self: Tensor, other: Tensor): Tensor => {
  const [n, m] = [self.shape.length, other.shape.length];
  if (n === 0 || m === 0) {
    throw new RuntimeError(
      `matmul: both arguments need to be at least 1D, but they are ${n}D and ${m}D`,
    );
  }
  checkDtypes('matmul', self, other);
  if (n === 1 && m === 1) return dot(self, other);
  if (n === 1) return squeeze(matmul(unsqueeze(self, 0), other), -2);
  if (m === 1) return squeeze(matmul(self, unsqueeze(other, 1)), -1);
  if (self.shape.at(-1) !== other.shape.at(-2)) checkOperands('matmul', self, other);
  if (n === 2 && m === 2) return mmOp(self, other);
  if (m === 2) {
    // One big product instead of many small ones.
    const folded = mmOp(
      reshape(self, [numel(self.shape.slice(0, -1)), self.shape[n - 1] as number]),
      other,
    );
    return reshape(folded, [...self.shape.slice(0, -1), other.shape[1] as number]);
  }
  const batch = broadcastShapes('matmul', self.shape.slice(0, -2), other.shape.slice(0, -2));
  const stack = (x: Tensor): Tensor => {
    const matrix = x.shape.slice(-2);
    return reshape(expand(x, [...batch, ...matrix]), [numel(batch), ...matrix]);
  };
  const result = bmmOp(stack(self), stack(other));
  return batch.length === 1 ? result : reshape(result, [...batch, ...result.shape.slice(1)]);
});

/** The sum of the products of two vectors' elements. */
export const dot: Writing<(self: Tensor, other: Tensor) => Tensor> = writing(
  'dot',
  op('dot', 'self other', (self: Tensor, other: Tensor): Tensor => {
    if (self.shape.length !== 1 || other.shape.length !== 1) {
      throw new RuntimeError(
        `dot: 1D tensors expected, but got ${self.shape.length}D and ${other.shape.length}D tensors`,
      );
    }
    if (self.dtype !== other.dtype) {
      throw new RuntimeError(
        `dot: expected both vectors to have same dtype, but found ${self.dtype} and ${other.dtype}`,
      );
    }
    if (self.shape[0] !== other.shape[0]) {
      throw new RuntimeError(
        `dot: inconsistent tensor size, expected tensor ${formatShape(self.shape)} and src ${formatShape(other.shape)} to have the same number of elements`,
      );
    }
    const row = (x: Tensor, shape: number[], strides: number[]) =>
      new Tensor(x.storage, x.dtype, shape, strides, x.offset);
    const k = self.shape[0] as number;
    const result = product(
      'dot',
      row(self, [1, k], [0, self.strides[0] as number]),
      row(other, [k, 1], [other.strides[0] as number, 0]),
    );
    return new Tensor(result.storage, result.dtype, []);
  }),
);
/** `dot`: real tensors have no conjugate. */
export const vdot = writing('vdot', (self: Tensor, other: Tensor): Tensor => dot(self, other));

/** A matrix times a vector. */
export const mv = writing('mv', (self: Tensor, vec: Tensor): Tensor => {
  checkRank('mv', 'self', self, 2);
  checkRank('mv', 'vec', vec, 1);
  return squeeze(mm(self, unsqueeze(vec, 1)), 1);
});

/** The factors of `addmm` and its kin. */
export interface AddmmOptions {
  /** The factor of `self`; default 1. At 0, `self` is ignored, NaN included. */
  beta?: number;
  /** The factor of the product; default 1. */
  alpha?: number;
}

const affine =
  (operation: string) =>
  (self: Tensor, a: Tensor, b: Tensor, beta: number, alpha: number): Tensor => {
    checkOperands(operation, a, b);
    if (self.dtype !== a.dtype) {
      throw new RuntimeError(
        `${operation}: expected self and the matrices to have the same dtype, but got ${self.dtype} and ${a.dtype}`,
      );
    }
    const shape = [...a.shape.slice(0, -1), b.shape.at(-1) as number];
    const broadcast = expandRaw(operation, self, shape);
    const compute = computeType(a.dtype);
    const acc = input(0, compute);
    const scaled = alpha === 1 ? acc : e.mul(acc, scalar(0, compute));
    const own = beta === 1 ? input(1, compute) : e.mul(input(1, compute), scalar(1, compute));
    const value = beta === 0 ? scaled : e.add(own, scaled);
    return product(operation, a, b, {
      value,
      inputs: beta === 0 ? [] : [broadcast],
      scalars: [alpha, beta],
    });
  };

/** `self` as a view of `shape`, outside the graph. */
function expandRaw(operation: string, self: Tensor, shape: readonly number[]): Tensor {
  const lead = shape.length - self.shape.length;
  if (lead < 0 || self.shape.some((s, i) => s !== 1 && s !== shape[i + lead])) {
    throw new RuntimeError(
      `${operation}: The expanded size of the tensor must match: self ${formatShape(self.shape)} cannot be expanded to ${formatShape(shape)}`,
    );
  }
  const strides = shape.map((s, i) =>
    i < lead || (self.shape[i - lead] === 1 && s !== 1) ? 0 : (self.strides[i - lead] as number),
  );
  return new Tensor(self.storage, self.dtype, shape, strides, self.offset);
}

const addmmOp = op('addmm', 'self mat1 mat2 beta alpha', affine('addmm'));
/** beta * self + alpha * (mat1 @ mat2), in one kernel. */
export const addmm = writing(
  'addmm',
  (self: Tensor, mat1: Tensor, mat2: Tensor, options: AddmmOptions = {}): Tensor => {
    checkRank('addmm', 'mat1', mat1, 2);
    checkRank('addmm', 'mat2', mat2, 2);
    return addmmOp(self, mat1, mat2, factor(self, options.beta), factor(self, options.alpha));
  },
);
const baddbmmOp = op('baddbmm', 'self batch1 batch2 beta alpha', affine('baddbmm'));
/** beta * self + alpha * (batch1 @ batch2) over stacks of matrices. */
export const baddbmm = writing(
  'baddbmm',
  (self: Tensor, batch1: Tensor, batch2: Tensor, options: AddmmOptions = {}): Tensor => {
    checkRank('baddbmm', 'batch1', batch1, 3);
    checkRank('baddbmm', 'batch2', batch2, 3);
    return baddbmmOp(self, batch1, batch2, factor(self, options.beta), factor(self, options.alpha));
  },
);
/** Factors as the dtype holds them: integers take whole factors only, cut off like any other cast. */
const factor = (self: Tensor, value: number | undefined): number =>
  category(self.dtype) < 2 ? Math.trunc(Number(value ?? 1)) : Number(value ?? 1);

const combine = (self: Tensor, result: Tensor, options: AddmmOptions): Tensor => {
  const [beta, alpha] = [factor(self, options.beta), factor(self, options.alpha)];
  if (self.dtype === 'bool') {
    // Among bools sums are "or" and factors only switch a term on or off.
    const terms = [beta !== 0 ? self : null, alpha !== 0 ? result : null].filter((t) => t !== null);
    return terms.length === 2
      ? self.logicalOr(result)
      : (terms[0] ?? full(result.shape, false, { device: result.device }))
          .expand(result.shape as number[])
          .clone();
  }
  const right = alpha === 1 ? result : result.mul(alpha);
  // Its values count for nothing, NaN included; its gradient is zero, not missing.
  if (beta === 0 && mustRecord([self]))
    return right.add(where(full([], false, { device: self.device }), self, 0));
  return beta === 0 ? right : (beta === 1 ? self : self.mul(beta)).add(right);
};
/** beta * self + alpha * sum over the batch of batch1 @ batch2. */
export const addbmm = writing(
  'addbmm',
  (self: Tensor, batch1: Tensor, batch2: Tensor, options: AddmmOptions = {}): Tensor => {
    return combine(self, bmm(batch1, batch2).sum(0, { dtype: batch1.dtype }), options);
  },
);
/** beta * self + alpha * (mat @ vec). */
export const addmv = writing(
  'addmv',
  (self: Tensor, mat: Tensor, vec: Tensor, options: AddmmOptions = {}): Tensor => {
    return combine(self, mv(mat, vec), options);
  },
);
/** beta * self + alpha * the outer product of two vectors. */
export const addr = writing(
  'addr',
  (self: Tensor, vec1: Tensor, vec2: Tensor, options: AddmmOptions = {}): Tensor => {
    const [beta, alpha] = [factor(self, options.beta), factor(self, options.alpha)];
    if (self.dtype === 'bool' || beta === 0) return combine(self, outer(vec1, vec2), options);
    checkRank('addr', 'vec1', vec1, 1);
    checkRank('addr', 'vec2', vec2, 1);
    const own = beta === 1 ? self : self.mul(beta);
    return own.addcmul(unsqueeze(vec1, 1), vec2, { value: alpha });
  },
  'castable',
);

/** Every product of an element of one vector with one of the other. */
export const outer = writing(
  'outer',
  (self: Tensor, vec2: Tensor): Tensor => {
    checkRank('outer', 'self', self, 1);
    checkRank('outer', 'vec2', vec2, 1);
    return unsqueeze(self, 1).mul(vec2);
  },
  'castable',
);
/** As `outer`. */
export const ger = outer;

/** Sums of products over the last dimensions of both. */
export const inner = writing('inner', (self: Tensor, other: Tensor): Tensor => {
  if (self.shape.length === 0 || other.shape.length === 0) return self.mul(other);
  if (self.shape.at(-1) !== other.shape.at(-1)) {
    throw new RuntimeError(
      `inner: inner() the last dimension must match on both input tensors but got shapes ${formatShape(self.shape)} and ${formatShape(other.shape)}`,
    );
  }
  return tensordot(self, other, [[-1], [-1]]);
});

/** The Kronecker product. */
export const kron = writing(
  'kron',
  (self: Tensor, other: Tensor): Tensor => {
    const rank = Math.max(self.shape.length, other.shape.length);
    const padded = (x: Tensor) => [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape];
    const [a, b] = [padded(self), padded(other)];
    const wide = reshape(
      self,
      a.flatMap((s) => [s, 1]),
    );
    const fine = reshape(
      other,
      b.flatMap((s) => [1, s]),
    );
    return reshape(
      wide.mul(fine),
      a.map((s, i) => s * (b[i] as number)),
    );
  },
  'castable',
);
