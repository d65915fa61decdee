type Real = 'float32' | 'float64';

/** Rows of the tile that the inner loop holds in registers. */
export const tileRows = 4;

/** Columns of that tile: two vectors. */
export const tileColumns = (dtype: Real): number => (dtype === 'float32' ? 8 : 4);

/** Depth of the blocks: a strip of B of this depth stays in the first-level cache. */
export const blockDepth = 256;

/** The most rows of A packed at once: they stay in the second-level cache. */
export const blockRows = 64;

/**
 * The words of an argument block: products `C = A B` or `C += A B` of one shape, whose operands lie where
 * a table says. Strides count elements; C has column stride 1.
 */
export const gemmWords = {
  m: 0,
  n: 1,
  k: 2,
  rowA: 3,
  columnA: 4,
  rowB: 5,
  columnB: 6,
  rowC: 7,
  /** 1 to add to C. */
  accumulate: 8,
  /** Bytes by which each further thread's operand lies higher, for operands in per-thread memory. */
  threadA: 9,
  threadB: 10,
  threadC: 11,
  /** Working memory, and bytes of it for each thread. */
  scratch: 12,
  scratchStride: 13,
  /** Three addresses an item: A, B, C. */
  table: 14,
  /** Where `packB` puts B and `rows` finds it. */
  packed: 15,
  /** Rows of one item of `rows`, at most `blockRows`; for a library's task as `columns`. */
  rows: 16,
  /** Columns of one item, if a library's task is to split the one product of the table by columns; else 0. */
  columns: 17,
  /** 1 if float64; for libraries that serve both from one task. */
  double: 18,
} as const;

export const gemmArgumentBytes = 128;

/** Bytes of per-thread working memory that hold the tile at the edge and a packed block of A. */
export function blockScratch(dtype: Real, k: number): number {
  const item = dtype === 'float32' ? 4 : 8;
  return 512 + blockRows * Math.min(k, blockDepth) * item;
}

/** Bytes that `packB` fills. */
export function packedBytes(dtype: Real, k: number, n: number): number {
  const item = dtype === 'float32' ? 4 : 8;
  const width = tileColumns(dtype);
  return Math.ceil(n / width) * width * k * item;
}
