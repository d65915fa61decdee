import * as core from '@sconce/core';
import type { Draw } from './draw.js';

/** One view operation with its arguments; valid for tensors of the shape it was drawn for. */
export interface ViewStep {
  readonly text: string;
  readonly apply: (x: core.Tensor) => core.Tensor;
}

/** A view operation on a tensor of that shape, and the shape it gives. */
function drawStep(d: Draw, shape: readonly number[]): [ViewStep, number[]] {
  const rank = shape.length;
  const step = (text: string, apply: ViewStep['apply'], result: number[]): [ViewStep, number[]] => [
    { text, apply },
    result,
  ];
  if (rank === 0) return step('unsqueeze(0)', (x) => core.unsqueeze(x, 0), [1]);
  const dim = d.int(0, rank - 1);
  const size = shape[dim] as number;
  switch (d.int(0, 7)) {
    case 0: {
      const other = d.int(0, rank - 1);
      const swapped = [...shape];
      [swapped[dim], swapped[other]] = [swapped[other] as number, swapped[dim] as number];
      return step(`transpose(${dim}, ${other})`, (x) => core.transpose(x, dim, other), swapped);
    }
    case 1: {
      const [start, by] = [d.int(0, size), d.int(1, 3)];
      const end = d.int(start, size);
      const sliced = shape.map((n, k) => (k === dim ? Math.ceil((end - start) / by) : n));
      return step(
        `slice(${dim}, ${start}, ${end}, ${by})`,
        (x) => core.slice(x, dim, start, end, by),
        sliced,
      );
    }
    case 2: {
      if (size === 0) break;
      const at = d.int(0, size - 1);
      return step(
        `select(${dim}, ${at})`,
        (x) => core.select(x, dim, at),
        shape.filter((_, k) => k !== dim),
      );
    }
    case 3:
      return step(`unsqueeze(${dim})`, (x) => core.unsqueeze(x, dim), [
        ...shape.slice(0, dim),
        1,
        ...shape.slice(dim),
      ]);
    case 4: {
      if (rank < 2) break;
      const least = Math.min(shape[0] as number, shape[1] as number);
      return step('diagonal()', (x) => core.diagonal(x), [...shape.slice(2), least]);
    }
    case 5: {
      const start = d.int(0, size);
      const length = d.int(0, size - start);
      const narrowed = shape.map((n, k) => (k === dim ? length : n));
      return step(
        `narrow(${dim}, ${start}, ${length})`,
        (x) => core.narrow(x, dim, start, length),
        narrowed,
      );
    }
    case 6: {
      const dims = shape.map((_, k) => k).sort(() => d.next() - 0.5);
      return step(
        `permute(${dims})`,
        (x) => core.permute(x, dims),
        dims.map((k) => shape[k] as number),
      );
    }
    default: {
      if (size === 0) break;
      const width = d.int(1, size);
      return step(`unfold(${dim}, ${width}, ${width})`, (x) => core.unfold(x, dim, width, width), [
        ...shape.map((n, k) => (k === dim ? Math.floor(n / width) : n)),
        width,
      ]);
    }
  }
  return step('detached alias', (x) => core.view(x, [...shape]), [...shape]);
}

/** A chain of views, none of which shows an element twice. */
export function drawViews(d: Draw, shape: readonly number[]): [steps: ViewStep[], shape: number[]] {
  const steps: ViewStep[] = [];
  let shown = [...shape];
  for (let i = d.int(0, 3); i > 0; i--) {
    const [step, next] = drawStep(d, shown);
    steps.push(step);
    shown = next;
  }
  return [steps, shown];
}

/** The view that a chain gives. */
export const applyViews = (x: core.Tensor, steps: readonly ViewStep[]): core.Tensor =>
  steps.reduce((at, step) => step.apply(at), x);

/** A chain as a reader would write it. */
export const showViews = (steps: readonly ViewStep[]): string =>
  steps.map(({ text }) => `.${text}`).join('');
