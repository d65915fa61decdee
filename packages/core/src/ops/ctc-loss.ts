import { type ComputeType, computeType, type DType, isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, type Expr, e, input, load, stage } from '../expr.js';
import { op } from '../op.js';
import type { View } from '../primitive.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { arange, tensor } from './create.js';
import { checkIndexRange } from './index-range.js';
import { checkLossReduction, type Reduction } from './nll-loss.js';
import { int, memo } from './plan.js';
import { mean, sum } from './reduce.js';
import { cumsum } from './scan.js';
import { where } from './ternary.js';
import { reshape, squeeze, unsqueeze } from './view.js';

type Float = 'float32' | 'float64';
const lowest = (type: ComputeType): Expr => constant(Number.NEGATIVE_INFINITY, type);
const wide = (i: number, type: ComputeType, coords: readonly Expr[], valid: Expr): Expr =>
  load(i, type, coords, valid, lowest(type));

/** log(e^a + e^b + e^c) without overflow; -infinity if all are. */
function logAdd(terms: readonly Expr[]): Expr {
  const most = terms.reduce((a, b) => e.max(a, b));
  const shift = e.where(e.eq(most, Number.NEGATIVE_INFINITY), constant(0, most.dtype), most);
  const total = terms.map((x) => e.exp(e.sub(x, shift))).reduce((a, b) => e.add(a, b));
  return e.add(e.log(total), shift);
}

/**
 * Row `n` of the target with blanks before, between and behind the labels: the label at place `s`. Input `i` holds the
 * labels, `i + 1` where each target starts, `i + 2` its length; scalar 0 is the blank.
 */
function labelAt(i: number, n: Expr, s: Expr): { label: Expr; length: Expr } {
  const start = cast(load(i + 1, 'int64', [n]), 'int32');
  const length = cast(load(i + 2, 'int64', [n]), 'int32');
  const which = e.shr(s, constant(1, 'int32'));
  const isLabel = e.and(
    e.eq(e.and(s, constant(1, 'int32')), 1),
    e.and(e.ge(s, 0), e.lt(which, length)),
  );
  const label = cast(load(i, 'int64', [e.add(start, which)], isLabel), 'int32');
  return { label: e.where(isLabel, label, int(0)), length };
}

/** One step of the forward (`by` -1) or backward (`by` 1) variables of time `scalar(1)`, over [N, places]. */
const stepPlan = memo((dtype: DType, by: 1 | -1): Expr => {
  const type = computeType(dtype) as Float;
  const [n, s] = [coord(0), coord(1)];
  const time = int(1);
  const places = int(2);
  // inputs: 0 log-probabilities of this time [N, C], 1 variables of the time before [N, places], 2 labels, 3 starts, 4 lengths, 5 input lengths
  const { label, length } = labelAt(2, n, s);
  const last = e.mul(length, 2);
  const steps = cast(load(5, 'int64', [n]), 'int32');
  const emitted = load(0, type, [n, label]);
  const reach = (k: number) => {
    const at = e.add(s, by * k);
    return wide(1, type, [n, at], e.and(e.ge(at, 0), e.lt(at, places)));
  };
  // Two equal labels need the blank between them.
  const skipped = labelAt(2, n, e.add(s, by * 2)).label;
  const maySkip = e.and(e.ne(label, int(0)), e.ne(label, skipped));
  const moved = logAdd([reach(0), reach(1), e.where(maySkip, reach(2), lowest(type))]);
  const first = by < 0 ? e.eq(time, 0) : e.eq(time, e.sub(steps, 1));
  const atEdge = by < 0 ? e.le(s, 1) : e.ge(s, e.sub(last, 1));
  const begun = e.where(atEdge, constant(0, type), lowest(type));
  const here = e.and(e.le(s, last), e.lt(time, steps));
  return e.where(here, e.add(e.where(first, begun, moved), emitted), lowest(type));
});

const lossPlan = memo((dtype: DType): Expr => {
  const type = computeType(dtype);
  const n = coord(0);
  const time = e.sub(cast(input(1, 'int64'), 'int32'), 1);
  const last = e.mul(cast(input(2, 'int64'), 'int32'), 2);
  const end = (k: number) => {
    const at = e.sub(last, k);
    return wide(0, type, [time, n, at], e.and(e.ge(at, 0), e.ge(time, 0)));
  };
  // Without any input there is one path to a target without labels: the empty one.
  const empty = e.and(e.lt(time, 0), e.le(last, 0));
  return e.where(empty, constant(0, type), e.neg(logAdd([end(0), end(1)])));
});

/** What the recursion runs on; vectors of int64, one element a sample but for `labels`. */
export interface CtcTargets {
  readonly labels: Tensor;
  readonly starts: Tensor;
  readonly lengths: Tensor;
  readonly steps: Tensor;
  readonly blank: number;
  /** 2 * the longest target + 1. */
  readonly places: number;
}

function variables(logProbs: Tensor, t: CtcTargets, by: 1 | -1): Tensor {
  const [times, n] = logProbs.shape as readonly [number, number, number];
  const all = allocate([times, n, t.places], logProbs.dtype, logProbs.device);
  const row = (x: Tensor, time: number): View => ({
    storage: x.storage,
    dtype: x.dtype,
    shape: x.shape.slice(1),
    strides: x.strides.slice(1),
    offset: x.offset + time * (x.strides[0] as number),
  });
  const none = allocate([n, t.places], logProbs.dtype, logProbs.device);
  execute({
    kind: 'map',
    shape: none.shape,
    inputs: [],
    scalars: [],
    values: [lowest(computeType(none.dtype))],
    outputs: [none],
  });
  const value = stepPlan(logProbs.dtype, by);
  for (let k = 0; k < times; k++) {
    const time = by < 0 ? k : times - 1 - k;
    execute({
      kind: 'map',
      shape: [n, t.places],
      inputs: [
        row(logProbs, time),
        k === 0 ? none : row(all, time + by),
        t.labels,
        t.starts,
        t.lengths,
        t.steps,
      ],
      scalars: [t.blank, time, t.places],
      values: [value],
      outputs: [row(all, time)],
    });
  }
  none.dispose();
  return all;
}

/** The losses of [T, N, C] log-probabilities, one a sample, and the forward variables: the log-probabilities of
 * the beginnings of each path. */
export const ctcLossForward: (
  logProbs: Tensor,
  targets: CtcTargets,
  zeroInfinity: boolean,
) => { loss: Tensor; paths: Tensor } = op(
  'ctcLoss',
  'logProbs targets zeroInfinity',
  (logProbs: Tensor, targets: CtcTargets, _zeroInfinity: boolean) => {
    const n = logProbs.shape[1] as number;
    const paths = variables(logProbs, targets, -1);
    const loss = allocate([n], logProbs.dtype, logProbs.device);
    if (n > 0) {
      execute({
        kind: 'map',
        shape: [n],
        inputs: [paths, targets.steps, targets.lengths],
        scalars: [],
        values: [lossPlan(logProbs.dtype)],
        outputs: [loss],
      });
    }
    return { loss, paths };
  },
);

const sumPlan = memo((dtype: DType) => {
  const type = computeType(dtype) as Float;
  // inputs: 0 paths from the front, 1 from the back, 2 labels, 3 starts, 4 lengths, 5 the greatest of a row
  const { label, length } = labelAt(2, coord(1), coord(2));
  const both = e.add(input(0, type), input(1, type));
  const most = input(5, type);
  const none = e.eq(most, Number.NEGATIVE_INFINITY);
  return {
    both,
    coords: [coord(0), coord(1), label],
    valid: e.and(e.le(coord(2), e.mul(length, 2)), e.not(none)),
    value: e.exp(e.sub(both, most)),
  };
});

const gradPlan = memo((dtype: DType): Expr => {
  const type = computeType(dtype) as Float;
  // inputs: 0 grad, 1 log-probabilities, 2 sums, 3 the greatest, 4 loss, 5 steps
  const [grad, logProb, total, most, loss] = [0, 1, 2, 3, 4].map((i) => input(i, type)) as [
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
  ];
  const expected = e.exp(e.add(e.sub(e.add(most, loss), logProb), e.log(total)));
  const inTime = e.lt(coord(0), cast(input(5, 'int64'), 'int32'));
  const hopeless = e.and(e.ne(int(0), 0), e.eq(loss, Number.POSITIVE_INFINITY));
  const value = e.mul(e.sub(e.exp(logProb), expected), grad);
  return e.where(e.and(inTime, e.not(hopeless)), value, constant(0, type));
});

/**
 * The gradient of `ctcLossForward`, as PyTorch has it: to the scores before the log-softmax that made
 * `logProbs`, which passing it back through that log-softmax leaves unchanged.
 */
export function ctcLossBackward(
  grad: Tensor,
  logProbs: Tensor,
  targets: CtcTargets,
  zeroInfinity: boolean,
  loss: Tensor,
  paths: Tensor,
): Tensor {
  const result = allocate(logProbs.shape, logProbs.dtype, logProbs.device);
  if (numel(result.shape) === 0) return result;
  const back = variables(logProbs, targets, 1);
  const { dtype, device } = logProbs;
  const type = computeType(dtype);
  const plan = sumPlan(dtype);
  const [times, n] = logProbs.shape as readonly [number, number, number];
  const most = allocate([times, n, 1], dtype, device);
  execute({
    kind: 'reduce',
    shape: paths.shape,
    axes: [2],
    inputs: [paths, back],
    scalars: [],
    stages: [{ combine: 'max', value: plan.both }],
    outputs: [{ per: 'row', value: stage(0, type), view: most }],
  });
  const sums = allocate(logProbs.shape, dtype, device);
  execute({
    kind: 'map',
    shape: sums.shape,
    inputs: [],
    scalars: [],
    values: [constant(0, type)],
    outputs: [sums],
  });
  const { labels, starts, lengths, steps, blank } = targets;
  execute({
    kind: 'scatter',
    shape: paths.shape,
    inputs: [paths, back, labels, starts, lengths, most],
    scalars: [blank],
    coords: plan.coords,
    valid: plan.valid,
    value: plan.value,
    output: sums,
    combine: 'sum',
  });
  // Vectors of samples lie along dimension 1.
  const perSample = (t: Tensor) =>
    new Tensor(t.storage, t.dtype, [1, n, 1], [0, t.strides[0] as number, 0], t.offset);
  execute({
    kind: 'map',
    shape: result.shape,
    inputs: [perSample(grad), logProbs, sums, most, perSample(loss), perSample(steps)],
    scalars: [zeroInfinity ? 1 : 0],
    values: [gradPlan(dtype)],
    outputs: [result],
  });
  for (const t of [back, most, sums]) t.dispose();
  return result;
}

/** Options of `ctcLoss`. */
export interface CtcLossOptions {
  /** The class that stands for no label; default 0. */
  blank?: number;
  /** `'mean'` (default) divides each loss by the length of its target first. */
  reduction?: Reduction;
  /** Losses (and gradients) that are infinite, as the input is too short, become zero; default false. */
  zeroInfinity?: boolean;
}

type Lengths = Tensor | readonly number[];

/** Lengths as a vector on the device, and as numbers where they can be read at once. */
interface KnownLengths {
  readonly vector: Tensor;
  readonly known?: readonly number[];
}

function lengthsOf(lengths: Lengths, like: Tensor): KnownLengths {
  if (!('storage' in lengths)) {
    const known = [...lengths];
    return { vector: tensor(known, { dtype: 'int64', device: like.device }), known };
  }
  const vector = reshape(lengths, [-1]).to({ dtype: 'int64', device: like.device });
  if (!lengths.storage.backend.synchronous) return { vector };
  return { vector, known: reshape(lengths, [-1]).toArraySync() as number[] };
}

/** @throws RuntimeError if a length is negative or greater than there is room for. */
function checkLengths(
  scores: Tensor,
  targets: Tensor,
  steps: KnownLengths,
  own: KnownLengths,
): void {
  const times = scores.shape[0] as number;
  for (const [what, { vector }, most] of [
    ['input_lengths', steps, times],
    ['target_lengths', own, 2 ** 31 - 2],
  ] as const) {
    const sentence = (bad: number): string =>
      `ctcLoss: Expected ${what} to have value at ${bad < 0 ? 'least 0' : `most ${most}`}, but got value ${bad}`;
    checkIndexRange(vector, 0, most + 1, sentence, RuntimeError);
  }
  const lengths = own.known;
  const joined = targets.shape.length === 1;
  const needed = lengths && (joined ? lengths.reduce((a, b) => a + b, 0) : Math.max(0, ...lengths));
  if (needed !== undefined && needed > (targets.shape.at(-1) as number)) {
    throw new RuntimeError(
      `ctcLoss: Expected tensor to have size at least ${needed} at dimension ${joined ? 0 : 1}, but got size ${formatShape(targets.shape)} for argument targets`,
    );
  }
}

/**
 * The connectionist temporal classification loss: log-probabilities [T, N, C] or [T, C], targets [N, S] padded or
 * all in one row, the lengths of both.
 *
 * @throws RuntimeError if lengths, targets and log-probabilities do not fit.
 * @see https://www.cs.toronto.edu/~graves/icml_2006.pdf
 */
export const ctcLoss = explaining(
  'ctcLoss',
  (
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Lengths,
    targetLengths: Lengths,
    options: CtcLossOptions = {},
  ): Tensor => {
    const { blank = 0, reduction = 'mean', zeroInfinity = false } = options;
    checkLossReduction('ctcLoss', reduction);
    if (!isFloatingPoint(logProbs.dtype)) {
      throw new NotImplementedError(`ctcLoss: "ctc_loss" not implemented for '${logProbs.dtype}'`);
    }
    const single = logProbs.shape.length === 2;
    const scores = single ? unsqueeze(logProbs, 1) : logProbs;
    const [, n, classes] = scores.shape as readonly [number, number, number];
    if (blank < 0 || blank >= classes) {
      throw new RuntimeError('ctcLoss: blank must be in label range');
    }
    for (const [what, lengths] of [
      ['input_lengths', inputLengths],
      ['target_lengths', targetLengths],
    ] as const) {
      if (lengths instanceof Tensor && isFloatingPoint(lengths.dtype)) {
        throw new RuntimeError(`ctcLoss: ${what} must be integral, got ${lengths.dtype}`);
      }
    }
    const steps = lengthsOf(inputLengths, scores);
    const lengths = lengthsOf(targetLengths, scores);
    if (steps.vector.shape[0] !== n || lengths.vector.shape[0] !== n) {
      throw new RuntimeError(
        `ctcLoss: input_lengths and target_lengths must be of size batch_size (${n}), got ${steps.vector.shape[0]} and ${lengths.vector.shape[0]}`,
      );
    }
    checkLengths(scores, targets, steps, lengths);
    const room = targets.shape.at(-1) as number;
    const starts =
      targets.shape.length === 1
        ? cumsum(lengths.vector, 0).sub(lengths.vector)
        : arange(n, { dtype: 'int64', device: scores.device }).mul(room);
    const longest = lengths.known ? Math.max(0, ...lengths.known) : room;
    const labels = reshape(targets.to({ dtype: 'int64', device: scores.device }), [-1]);
    const { loss } = ctcLossForward(
      scores,
      {
        labels: numel(labels.shape) > 0 ? labels : starts,
        starts,
        lengths: lengths.vector,
        steps: steps.vector,
        blank,
        places: 2 * longest + 1,
      },
      zeroInfinity,
    );
    const losses = zeroInfinity ? where(loss.eq(Number.POSITIVE_INFINITY), 0, loss) : loss;
    if (reduction === 'sum') return sum(losses);
    if (reduction === 'none') return single ? squeeze(losses, 0) : losses;
    return mean(losses.div(lengths.vector.clampMin(1).to(losses.dtype)));
  },
);
