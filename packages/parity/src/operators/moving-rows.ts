import * as core from '@sconce/core';
import type { Draw } from './draw.js';
import { exact, type OperatorRow, rounding, show } from './row.js';

type Drawn = ReturnType<Parameters<typeof exact>[1]>;

/** A call on one tensor of any dtype and at least one dimension. */
const onOne = (
  name: string,
  draw: (
    d: Draw,
    shape: readonly number[],
  ) => readonly [text: string, run: (x: core.Tensor) => core.Tensor | readonly core.Tensor[]],
  least = 1,
): OperatorRow =>
  exact(name, (d) => {
    const shape = d.shape(least, 4);
    const [text, run] = draw(d, shape);
    const x = d.tensor(d.dtype('any'), shape);
    return [`t${x}${text ? `, ${text}` : ''}`, (t) => run(t(x))];
  });

/** A random index of mixed parts, as `at` takes it, with the tensors it needs. */
function drawIndex(d: Draw, shape: readonly number[]) {
  const parts: (core.IndexItem | { operand: number })[] = [];
  let ellipsis = false;
  const lengths = [d.int(1, 4)];
  for (let dim = 0; dim < shape.length; ) {
    const size = shape[dim] as number;
    const kind = d.next();
    if (kind < 0.08) parts.push(null);
    else if (kind < 0.2 && !ellipsis) {
      ellipsis = true;
      parts.push('...');
      dim += d.int(0, shape.length - dim);
    } else if (kind < 0.4 && size > 0) {
      parts.push(d.int(-size, size - 1));
      dim++;
    } else if (kind < 0.55 && size > 0) {
      parts.push({ operand: d.index(lengths, size) });
      dim++;
    } else if (kind < 0.62) {
      parts.push({ operand: d.tensor('bool', [size]) });
      dim++;
      // A second list would have to be as long as the mask has trues.
      lengths[0] = 1;
    } else if (kind < 0.66) break;
    else {
      parts.push([d.int(-size - 1, size), d.int(-size - 1, size + 1), d.int(1, 3)]);
      dim++;
    }
  }
  const text = parts.map((p) =>
    p !== null && typeof p === 'object' && 'operand' in p ? `t${p.operand}` : show(p),
  );
  const items = (t: (i: number) => core.Tensor): core.IndexItem[] =>
    parts.map((p) => (p !== null && typeof p === 'object' && 'operand' in p ? t(p.operand) : p));
  return { text: `[${text.join(', ')}]`, items };
}

/** `self`, `dim` and an index of which every position is valid, with a source of its shape. */
function drawScatter(d: Draw, dtype: core.DType) {
  const shape = d.shape(1, 3, 1);
  const dim = d.int(0, shape.length - 1);
  const shown = shape.map((size, k) => (k === dim ? d.int(1, 6) : d.int(1, size)));
  const self = d.tensor(dtype, shape);
  const index = d.index(shown, shape[dim] as number);
  const source = d.tensor(
    dtype,
    shown.map((size) => size + d.int(0, 1)),
  );
  return { self, dim, index, source, text: `t${self}, ${dim}, t${index}, t${source}` };
}

/** As `drawScatter`, for the functions that take one list of positions along a dimension. */
function drawIndexed(d: Draw, dtype: core.DType) {
  const shape = d.shape(1, 3, 1);
  const dim = d.int(0, shape.length - 1);
  const count = d.int(0, 5);
  const self = d.tensor(dtype, shape);
  const index = d.index([count], shape[dim] as number);
  const source = d.tensor(
    dtype,
    shape.map((size, k) => (k === dim ? count : size)),
  );
  return { self, dim, index, source, text: `t${self}, ${dim}, t${index}, t${source}` };
}

/** Tensors that agree in all dimensions but one. */
function drawJoined(d: Draw): [text: string, operands: number[], dim: number] {
  const shape = d.shape(1, 3);
  const dim = d.dim(shape);
  const at = dim < 0 ? dim + shape.length : dim;
  const mixed = d.chance(0.3);
  const dtype = d.dtype('any');
  const operands = Array.from({ length: d.int(1, 4) }, () => {
    const own = shape.map((size, k) => (k === at ? d.extent() : size));
    return d.tensor(mixed ? d.dtype('any') : dtype, own);
  });
  return [`[${operands.map((i) => `t${i}`).join(', ')}], ${dim}`, operands, dim];
}

const indexed = (
  name: string,
  run: (self: core.Tensor, dim: number, index: core.Tensor, source: core.Tensor) => core.Tensor,
  make: typeof exact = exact,
  kind: 'numeric' | 'any' | 'float' = 'any',
): OperatorRow =>
  make(name, (d): Drawn => {
    const { self, dim, index, source, text } = drawIndexed(d, d.dtype(kind));
    return [text, (t) => run(t(self), dim, t(index), t(source))];
  });

const scattered = (
  name: string,
  run: (self: core.Tensor, dim: number, index: core.Tensor, source: core.Tensor) => core.Tensor,
  make: typeof exact = exact,
  kind: 'numeric' | 'any' = 'any',
): OperatorRow =>
  make(name, (d): Drawn => {
    const { self, dim, index, source, text } = drawScatter(d, d.dtype(kind));
    return [text, (t) => run(t(self), dim, t(index), t(source))];
  });

/** One position each, since of several writes to one place any may win. */
const distinct = (
  name: string,
  run: (self: core.Tensor, dim: number, index: core.Tensor, source: core.Tensor) => core.Tensor,
) =>
  exact(name, (d): Drawn => {
    const shape = d.shape(1, 3, 1);
    const dim = d.int(0, shape.length - 1);
    const dtype = d.dtype('any');
    const self = d.tensor(dtype, shape);
    const key = d.tensor('float32', [shape[dim] as number]);
    const source = d.tensor(dtype, shape);
    return [
      `t${self}, ${dim}, argsort(t${key}), t${source}`,
      (t) => run(t(self), dim, core.argsort(t(key)), t(source)),
    ];
  });

const reductions = ['sum', 'prod', 'mean', 'amax', 'amin'] as const;

/** Shapes, copies, indexing, gathering and scattering. */
export const movingRows: readonly OperatorRow[] = [
  onOne('flip', (d, shape) => {
    const dims = shape.map((_, k) => k).filter(() => d.chance(0.5));
    return [show(dims), (x) => core.flip(x, dims)];
  }),
  onOne('roll', (d, shape) => {
    const dim = d.dim(shape);
    const by = d.int(-9, 9);
    return [`${by}, ${dim}`, (x) => core.roll(x, by, dim)];
  }),
  onOne(
    'rot90',
    (d) => {
      const k = d.int(-3, 5);
      return [`${k}`, (x) => core.rot90(x, k)];
    },
    2,
  ),
  onOne('repeat', (d, shape) => {
    const by = shape.map(() => d.int(0, 3));
    return [show(by), (x) => core.repeat(x, by)];
  }),
  onOne('repeatInterleave', (d, shape) => {
    const dim = d.dim(shape);
    const by = d.int(0, 3);
    return [`${by}, ${dim}`, (x) => core.repeatInterleave(x, by, dim)];
  }),
  onOne('permute, contiguous', (d, shape) => {
    const dims = shape.map((_, k) => k).sort(() => d.next() - 0.5);
    return [show(dims), (x) => core.contiguous(core.permute(x, dims))];
  }),
  onOne('reshape', (_, shape) => [
    '[-1] and back',
    (x) => [x.reshape(x.numel()), x.reshape(x.numel()).reshape(shape)],
  ]),
  onOne('slice, clone', (d, shape) => {
    const dim = d.dim(shape);
    const size = shape.at(dim) as number;
    const [start, end, step] = [d.int(-size - 1, size), d.int(-size - 1, size + 1), d.int(1, 3)];
    return [
      `${dim}, ${start}, ${end}, ${step}`,
      (x) => core.slice(x, dim, start, end, step).clone(),
    ];
  }),
  onOne('chunk', (d, shape) => {
    const dim = d.dim(shape);
    const n = d.int(1, 4);
    return [`${n}, ${dim}`, (x) => core.chunk(x, n, dim)];
  }),
  onOne('unbind', (d, shape) => {
    const dim = d.dim(shape);
    return [`${dim}`, (x) => core.unbind(x, dim)];
  }),
  onOne(
    'tril',
    (d) => {
      const k = d.int(-3, 3);
      return [`${k}`, (x) => [core.tril(x, k), core.triu(x, k)]];
    },
    2,
  ),
  onOne(
    'diagonal',
    (d) => {
      const offset = d.int(-3, 3);
      return [`${offset}`, (x) => core.diagonal(x, { offset, dim1: -1, dim2: 0 }).clone()];
    },
    2,
  ),
  onOne('diagEmbed', (d) => {
    const offset = d.int(-2, 2);
    return [`${offset}`, (x) => core.diagEmbed(x, { offset })];
  }),
  onOne('unfold', (d, shape) => {
    const dim = d.dim(shape);
    const [size, step] = [d.int(0, shape.at(dim) as number), d.int(1, 3)];
    return [`${dim}, ${size}, ${step}`, (x) => core.unfold(x, dim, size, step).clone()];
  }),
  onOne('pad', (d, shape) => {
    const amounts = shape.slice(-2).flatMap(() => [d.int(-1, 3), d.int(0, 2)]);
    return [show(amounts), (x) => core.pad(x, amounts, { value: 1 })];
  }),
  onOne(
    'to',
    (d) => {
      const dtype = d.dtype('any');
      return [dtype, (x) => x.to(dtype)];
    },
    0,
  ),
  exact('cat', (d) => {
    const [text, operands, dim] = drawJoined(d);
    return [text, (t) => core.cat(operands.map(t), dim)];
  }),
  exact('stack', (d) => {
    const shape = d.shape(0, 3);
    const dim = d.int(-shape.length - 1, shape.length);
    const operands = Array.from({ length: d.int(1, 3) }, () => d.tensor(d.dtype('any'), shape));
    return [`${operands.map((i) => `t${i}`)}, ${dim}`, (t) => core.stack(operands.map(t), dim)];
  }),
  exact('at', (d) => {
    const shape = d.shape(0, 4);
    const x = d.tensor(d.dtype('any'), shape);
    const { text, items } = drawIndex(d, shape);
    return [`t${x}, ${text}`, (t) => core.at(t(x), ...items(t))];
  }),
  exact('setAt', (d) => {
    const shape = d.shape(0, 4);
    const dtype = d.dtype('any');
    const x = d.tensor(dtype, shape, 'tame', 'written');
    const value = d.tensor(dtype, []);
    const { text, items } = drawIndex(d, shape);
    return [`t${x}, ${text}, t${value}`, (t) => core.setAt(t(x), items(t), t(value))];
  }),
  exact('indexSelect', (d) => {
    const shape = d.shape(1, 4, 1);
    const dim = d.dim(shape);
    const x = d.tensor(d.dtype('any'), shape);
    const index = d.index([d.int(0, 6)], shape.at(dim) as number);
    return [`t${x}, ${dim}, t${index}`, (t) => core.indexSelect(t(x), dim, t(index))];
  }),
  exact('gather', (d) => {
    const { self, dim, index, text } = drawScatter(d, d.dtype('any'));
    return [text, (t) => core.gather(t(self), dim, t(index))];
  }),
  exact('take', (d) => {
    const shape = d.shape(0, 3, 1);
    const x = d.tensor(d.dtype('any'), shape);
    const index = d.index(d.shape(0, 3), core.numel(shape));
    return [`t${x}, t${index}`, (t) => core.take(t(x), t(index))];
  }),
  exact('takeAlongDim', (d) => {
    const shape = d.shape(1, 3, 1);
    const dim = d.dim(shape);
    const x = d.tensor(d.dtype('numeric'), shape);
    return [`t${x}, argsort, ${dim}`, (t) => core.takeAlongDim(t(x), core.argsort(t(x), dim), dim)];
  }),
  distinct('indexCopy', core.indexCopy),
  distinct('scatter', (self, dim, index, source) => {
    const shape = self.shape.map((n, k) => (k === dim ? n : 1));
    return core.scatter(self, dim, index.reshape(shape).expand([...self.shape]), source);
  }),
  indexed('indexAdd', core.indexAdd, rounding, 'numeric'),
  indexed('indexFill', (self, dim, index) => core.indexFill(self, dim, index, 1)),
  ...(['prod', 'mean', 'amax', 'amin'] as const).map((reduce) =>
    indexed(
      `indexReduce ${reduce}`,
      (self, dim, index, source) => core.indexReduce(self, dim, index, source, reduce),
      rounding,
      'float',
    ),
  ),
  scattered('scatterAdd', core.scatterAdd, rounding, 'numeric'),
  ...reductions.map((reduce) =>
    scattered(
      `scatterReduce ${reduce}`,
      (self, dim, index, source) =>
        core.scatterReduce(self, dim, index, source, reduce, { includeSelf: reduce !== 'mean' }),
      rounding,
      'numeric',
    ),
  ),
  rounding('indexPut', (d) => {
    const shape = d.shape(1, 3, 1);
    const dtype = d.dtype('numeric');
    const accumulate = true;
    const x = d.tensor(dtype, shape);
    const at = [d.int(1, 5)];
    const indices = shape.slice(0, d.int(1, shape.length)).map((size) => d.index(at, size));
    const values = d.tensor(dtype, []);
    return [
      `t${x}, ${indices.map((i) => `t${i}`)}, t${values}`,
      (t) => core.indexPut(t(x), indices.map(t), t(values), { accumulate }),
    ];
  }),
  exact('maskedSelect', (d) => {
    const shape = d.shape();
    const x = d.tensor(d.dtype('any'), shape);
    const mask = d.broadcasting('bool', shape);
    return [`t${x}, t${mask}`, (t) => core.maskedSelect(t(x), t(mask))];
  }),
  exact('maskedScatter', (d) => {
    const shape = d.shape();
    const dtype = d.dtype('any');
    const x = d.tensor(dtype, shape);
    const mask = d.broadcasting('bool', shape);
    const source = d.tensor(dtype, [core.numel(shape)]);
    return [`t${x}, t${mask}, t${source}`, (t) => core.maskedScatter(t(x), t(mask), t(source))];
  }),
  exact('nonzero', (d) => {
    const x = d.tensor(d.dtype('any'), d.shape(), 'ties');
    return [`t${x}`, (t) => core.nonzero(t(x))];
  }),
  exact('selectScatter', (d) => {
    const shape = d.shape(1, 3, 1);
    const dim = d.int(0, shape.length - 1);
    const at = d.int(-(shape[dim] as number), (shape[dim] as number) - 1);
    const dtype = d.dtype('any');
    const x = d.tensor(dtype, shape);
    const source = d.tensor(
      dtype,
      shape.filter((_, k) => k !== dim),
    );
    return [
      `t${x}, t${source}, ${dim}, ${at}`,
      (t) => core.selectScatter(t(x), t(source), dim, at),
    ];
  }),
];
