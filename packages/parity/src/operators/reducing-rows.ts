import * as core from '@sconce/core';
import type { Draw } from './draw.js';
import { exact, type OperatorRow, rounding, show } from './row.js';

type Dims = number | number[] | undefined;
type Reduce = (self: core.Tensor, dim: Dims, options: { keepdim: boolean }) => core.Tensor;

const reduction = (
  make: typeof exact,
  name: string,
  reduce: Reduce,
  kind: 'float' | 'numeric' | 'any',
) =>
  make(name, (d) => {
    const shape = d.shape();
    const dim = d.dims(shape);
    const options = { keepdim: d.chance(0.5) };
    const x = d.tensor(d.dtype(kind), shape, kind === 'float' ? 'tame' : 'ties');
    return [`t${x}, ${show(dim)}, ${show(options)}`, (t) => reduce(t(x), dim, options)];
  });

const one = (dim: Dims): number | undefined => (Array.isArray(dim) ? dim[0] : dim);

/** A call along one dimension, of at least one element. */
const along = (
  make: typeof exact,
  name: string,
  run: (
    self: core.Tensor,
    dim: number,
    d: { keepdim: boolean; flag: boolean; k: number },
  ) => core.Tensor | readonly core.Tensor[],
  kind: 'float' | 'numeric' | 'any' = 'numeric',
  least = 0,
) =>
  make(name, (d: Draw) => {
    const shape = d.shape(least, 4, 1);
    const dim = d.dim(shape);
    const length = shape.at(dim) ?? 1;
    const drawn = { keepdim: d.chance(0.5), flag: d.chance(0.5), k: d.int(1, length) };
    const x = d.tensor(d.dtype(kind), shape, d.pick(['ties', 'tame'] as const));
    return [`t${x}, ${dim}, ${show(drawn)}`, (t) => run(t(x), dim, drawn)];
  });

/** Reductions, scans, softmaxes, norms, sorting and searching. */
export const reducingRows: readonly OperatorRow[] = [
  reduction(rounding, 'sum', core.sum, 'any'),
  reduction(rounding, 'nansum', core.nansum, 'numeric'),
  reduction(rounding, 'mean', core.mean, 'float'),
  reduction(rounding, 'nanmean', core.nanmean, 'float'),
  reduction(exact, 'amax', core.amax, 'any'),
  reduction(exact, 'amin', core.amin, 'any'),
  reduction(exact, 'all', (x, dim, o) => core.all(x, one(dim), o), 'any'),
  reduction(exact, 'any', (x, dim, o) => core.any(x, one(dim), o), 'any'),
  reduction(exact, 'argmax', (x, dim, o) => core.argmax(x, one(dim), o), 'numeric'),
  reduction(exact, 'argmin', (x, dim, o) => core.argmin(x, one(dim), o), 'numeric'),
  reduction(exact, 'countNonzero', (x, dim) => core.countNonzero(x, dim), 'any'),
  reduction(rounding, 'var', core.var, 'float'),
  reduction(rounding, 'std', core.std, 'float'),
  reduction(rounding, 'logsumexp', (x, dim, o) => core.logsumexp(x, dim ?? [], o), 'float'),
  rounding('norm', (d) => {
    const shape = d.shape();
    const p = d.pick([1, 2, 3, 0.5, Infinity, -Infinity, 0]);
    const dim = d.dims(shape);
    const options = { keepdim: d.chance(0.5) };
    const x = d.tensor(d.dtype('float'), shape);
    return [
      `t${x}, ${p}, ${show(dim)}, ${show(options)}`,
      (t) => core.vectorNorm(t(x), p, dim, options),
    ];
  }),
  rounding('prod', (d) => {
    const shape = d.shape(0, 3);
    const dim = d.chance(0.7) && shape.length > 0 ? d.dim(shape) : undefined;
    const x = d.tensor(d.dtype('any'), shape, 'unit');
    return [`t${x}, ${show(dim)}`, (t) => core.prod(t(x), dim)];
  }),
  along(exact, 'aminmax', (x, dim, { keepdim }) => {
    const { min, max } = core.aminmax(x, { dim, keepdim });
    return [min, max];
  }),
  along(exact, 'max', (x, dim, o) => core.max(x, dim, o)),
  along(exact, 'min', (x, dim, o) => core.min(x, dim, o)),
  along(exact, 'median', (x, dim, o) => core.median(x, dim, o).values),
  along(exact, 'nanmedian', (x, dim, o) => core.nanmedian(x, dim, o).values),
  along(exact, 'mode', (x, dim, o) => core.mode(x, dim, o).values),
  along(
    exact,
    'kthvalue',
    (x, dim, { k, keepdim }) => core.kthvalue(x, k, dim, { keepdim }).values,
  ),
  along(exact, 'topk', (x, dim, { k, flag }) => core.topk(x, k, dim, { largest: flag })),
  along(exact, 'sort', (x, dim, { flag }) => core.sort(x, dim, { descending: flag, stable: true })),
  along(exact, 'argsort', (x, dim, { flag }) => core.argsort(x, dim, { descending: flag })),
  along(exact, 'cummax', (x, dim) => core.cummax(x, dim)),
  along(exact, 'cummin', (x, dim) => core.cummin(x, dim)),
  along(rounding, 'cumsum', (x, dim) => core.cumsum(x, dim), 'any'),
  along(rounding, 'logcumsumexp', (x, dim) => core.logcumsumexp(x, dim), 'float'),
  along(rounding, 'diff', (x, dim, { flag }) => core.diff(x, flag ? 2 : 1, dim), 'numeric', 1),
  along(rounding, 'trapezoid', (x, dim) => core.trapezoid(x, null, { dim, dx: 0.5 }), 'float', 1),
  along(rounding, 'softmax', (x, dim) => core.softmax(x, dim), 'float'),
  along(rounding, 'logSoftmax', (x, dim) => core.logSoftmax(x, dim), 'float'),
  along(rounding, 'varMean', (x, dim, { keepdim }) => core.varMean(x, dim, { keepdim }), 'float'),
  along(rounding, 'renorm', (x, dim) => core.renorm(x, 2, dim, 1.5), 'float', 2),
  rounding('cumprod', (d) => {
    const shape = d.shape(1, 3, 1);
    const dim = d.dim(shape);
    const x = d.tensor(d.dtype('float'), shape, 'unit');
    return [`t${x}, ${dim}`, (t) => core.cumprod(t(x), dim)];
  }),
  rounding('quantile', (d) => {
    const shape = d.shape(1, 3, 1);
    const dim = d.dim(shape);
    const q = d.pick([0, 0.3, 0.5, 1]);
    const interpolation = d.pick(['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const);
    const x = d.tensor('float32', shape);
    return [
      `t${x}, ${q}, ${dim}, ${interpolation}`,
      (t) => core.quantile(t(x), q, dim, { interpolation }),
    ];
  }),
  exact('searchsorted', (d) => {
    const n = d.int(1, 20);
    const right = d.chance(0.5);
    const at = d.tensor('float32', d.shape(0, 3), 'ties');
    const x = d.tensor('float32', [n], 'ties');
    return [
      `sort(t${x}), t${at}, ${right}`,
      (t) => core.searchsorted(core.sort(t(x)).values, t(at), { right }),
    ];
  }),
  exact('isin', (d) => {
    const x = d.tensor(d.dtype('numeric'), d.shape(), 'ties');
    const of = d.tensor(d.dtype('numeric'), d.shape(0, 2), 'ties');
    return [`t${x}, t${of}`, (t) => core.isin(t(x), t(of))];
  }),
  exact('unique', (d) => {
    const x = d.tensor(d.dtype('numeric'), d.shape(), 'ties');
    const options = { returnInverse: true, returnCounts: true } as const;
    return [`t${x}`, (t) => core.unique(t(x), options)];
  }),
];
