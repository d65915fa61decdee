import { computeType } from '../dtype.js';
import { checkInteger, formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { constant, coord, type Expr, e, input, load, scalar } from '../expr.js';
import { inplace, type Op, op, operations } from '../op.js';
import { existingDim, normalizeDim, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { clone, copyInto } from './copy.js';
import { sum } from './reduce.js';
import { detach, diagonal, ravel } from './view.js';
import { writing } from './writing.js';

const triangle = (name: 'tril' | 'triu', keep: (right: Expr, diagonal: Expr) => Expr) =>
  op(name, 'self diagonal', (self: Tensor, offset: number): Tensor => {
    const rank = self.shape.length;
    existingDim(name, -2, rank);
    checkInteger(name, 'diagonal', 1, offset);
    const result = allocate(self.shape, self.dtype, self.device);
    if (numel(self.shape) === 0) return result;
    const type = computeType(self.dtype);
    const right = e.sub(coord(rank - 1), coord(rank - 2));
    execute({
      kind: 'map',
      shape: self.shape,
      inputs: [self],
      scalars: [offset],
      values: [e.where(keep(right, scalar(0, 'int32')), input(0, type), constant(0, type))],
      outputs: [result],
    });
    return result;
  });

const overwrite = (name: 'tril' | 'triu', self: Tensor, diagonal: number): Tensor =>
  inplace(operations.get(name) as Op, [self, diagonal], () => {
    const plain = detach(self);
    copyInto(self, name === 'tril' ? lower(plain, diagonal) : upper(plain, diagonal));
  });

const lower = triangle('tril', (right, offset) => e.le(right, offset));
const upper = triangle('triu', (right, offset) => e.ge(right, offset));
/** The lower triangle of matrices, zero above: what lies on or below the given diagonal. */
export const tril = writing('tril', (self: Tensor, diagonal = 0): Tensor => lower(self, diagonal));
/** The upper triangle of matrices, zero below: what lies on or above the given diagonal. */
export const triu = writing('triu', (self: Tensor, diagonal = 0): Tensor => upper(self, diagonal));
/** `tril` in place. */
export const tril_ = explaining(
  'tril_',
  (self: Tensor, diagonal = 0): Tensor => overwrite('tril', self, diagonal),
);
/** `triu` in place. */
export const triu_ = explaining(
  'triu_',
  (self: Tensor, diagonal = 0): Tensor => overwrite('triu', self, diagonal),
);

/** Which diagonal, and in the plane of which dimensions. */
export interface DiagonalOptions {
  /** 0 is the main diagonal, positive ones lie above it. */
  offset?: number;
  dim1?: number;
  dim2?: number;
}

const diagEmbedOp = op(
  'diagEmbed',
  'self offset dim1 dim2',
  (self: Tensor, offset: number, dim1: number, dim2: number): Tensor => {
    const batch = self.shape.slice(0, -1);
    const size = (self.shape.at(-1) as number) + Math.abs(offset);
    const shape: number[] = [];
    let next = 0;
    for (let d = 0; d < self.shape.length + 1; d++) {
      shape.push(d === dim1 || d === dim2 ? size : (batch[next++] as number));
    }
    const result = allocate(shape, self.dtype, self.device);
    if (numel(shape) === 0) return result;
    // The result seen with the two new dimensions last.
    const order = [...shape.keys()].filter((d) => d !== dim1 && d !== dim2).concat(dim1, dim2);
    const seen = new Tensor(
      result.storage,
      self.dtype,
      order.map((d) => shape[d] as number),
      order.map((d) => result.strides[d] as number),
    );
    const row = coord(batch.length);
    const column = coord(batch.length + 1);
    const onDiagonal = e.eq(e.sub(column, row), scalar(0, 'int32'));
    const coords = [...batch.map((_, d) => coord(d)), e.min(row, column)];
    execute({
      kind: 'map',
      shape: seen.shape,
      inputs: [self],
      scalars: [offset],
      values: [load(0, computeType(self.dtype), coords, onDiagonal)],
      outputs: [seen],
    });
    return result;
  },
);

/**
 * Vectors along the last dimension laid on the diagonals of matrices that are zero elsewhere, which stand at `dim1` and `dim2` (default: last).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.diag_embed.html
 */
export const diagEmbed = explaining(
  'diagEmbed',
  (self: Tensor, options: DiagonalOptions = {}): Tensor => {
    const rank = self.shape.length + 1;
    const dim1 = normalizeDim('diagEmbed', options.dim1 ?? -2, rank);
    const dim2 = normalizeDim('diagEmbed', options.dim2 ?? -1, rank);
    if (dim1 === dim2) {
      throw new RuntimeError(
        `diagEmbed: diagonal dimensions cannot be identical ${options.dim1 ?? -2}, ${options.dim2 ?? -1}`,
      );
    }
    return diagEmbedOp(self, options.offset ?? 0, dim1, dim2);
  },
);

/** The diagonal of a matrix (a copy), or the matrix with a vector as its diagonal. */
export const diag = writing('diag', (self: Tensor, diagonalOffset = 0): Tensor => {
  if (self.shape.length === 1) return diagEmbed(self, { offset: diagonalOffset });
  if (self.shape.length !== 2) {
    throw new RuntimeError(
      `diag: matrix or a vector expected, got shape ${formatShape(self.shape)}`,
    );
  }
  return clone(diagonal(self, { offset: diagonalOffset }), { memoryFormat: 'contiguous' });
});

/** A matrix with the elements of the tensor, flattened, on its diagonal. */
export const diagflat = explaining('diagflat', (self: Tensor, offset = 0): Tensor => {
  checkInteger('diagflat', 'offset', 1, offset);
  return diagEmbed(ravel(self), { offset });
});

/** The sum of the diagonal of a matrix. */
export const trace = explaining('trace', (self: Tensor): Tensor => {
  if (self.dtype === 'bool')
    throw new NotImplementedError(`trace: "trace" not implemented for 'bool'`);
  if (self.shape.length !== 2) {
    throw new RuntimeError(
      `trace: expected a matrix, but got tensor with dim ${self.shape.length}`,
    );
  }
  return sum(diagonal(self));
});
