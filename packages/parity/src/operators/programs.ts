import * as core from '@sconce/core';
import type { Draw } from './draw.js';
import { inplaceMethods } from './elementwise-rows.js';
import type { Call } from './twin.js';
import { applyViews, drawViews, showViews } from './views.js';

type Methods = Readonly<Record<string, (...args: unknown[]) => core.Tensor>>;

const method = (x: core.Tensor, name: string, ...args: unknown[]): core.Tensor =>
  (x as unknown as Methods)[name]?.apply(x, args) as core.Tensor;

/** In-place methods that rewrite a tensor of numbers without leaving the range of its dtype. */
const writing = inplaceMethods.filter(
  ({ name }) =>
    !/pow|exp|lgamma|digamma|polynomial|bessel|erfc|tan$|sinh|cosh|gamma|Shift|ldexp|fill/i.test(
      name,
    ),
);

/**
 * An in-place method on a view of a base, with other views of the same base as operands now and then: what it leaves
 * in the whole base, and in the view.
 */
export function drawWrite(d: Draw): Call {
  const dtype = d.dtype(d.pick(['float', 'numeric', 'any'] as const));
  const shape = d.shape(0, 4, 1);
  const base = d.tensor(dtype, shape, 'tame', 'written');
  const [steps, shown] = drawViews(d, shape);
  const { name, others } = d.pick(writing);
  const operands = Array.from({ length: others }, () =>
    d.chance(0.2) ? 'itself' : d.broadcasting(d.chance(0.8) ? dtype : d.dtype('any'), shown),
  );
  const text = operands.map((x) => (x === 'itself' ? 'the view' : `t${x}`)).join(', ');
  return {
    text: `t${base}${showViews(steps)}.${name}_(${text})`,
    exact: false,
    run: (t) => {
      const view = applyViews(t(base), steps);
      method(view, `${name}_`, ...operands.map((x) => (x === 'itself' ? view : t(x as number))));
      return [t(base), view.clone(), core.scalarTensor(t(base).version)];
    },
  };
}

/** Smooth functions of one and two tensors, whose results stay of size about 1. */
const unaries =
  'tanh sigmoid sin cos atan erf softplus gelu silu neg abs square relu asinh logsigmoid'.split(
    ' ',
  );
const binaries = 'add sub mul atan2 maximum minimum hypot logaddexp'.split(' ');

const broadcasts = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((size, i) => {
    const other = b[i + b.length - a.length] ?? 1;
    return size === other || size === 1 || other === 1;
  });

interface Line {
  readonly text: string;
  /** Pushes what it computes, or writes into one that is there. */
  readonly run: (variables: core.Tensor[]) => void;
}

/** One line of a program over variables of known shapes; adds the shape of what it computes. */
function drawLine(d: Draw, shapes: number[][]): Line {
  const at = d.int(0, shapes.length - 1);
  const shape = shapes[at] as number[];
  const define = (text: string, result: number[], run: (v: core.Tensor[]) => core.Tensor): Line => {
    shapes.push(result);
    return {
      text: `v${shapes.length - 1} = ${text}`,
      run: (v) => {
        v.push(run(v));
      },
    };
  };
  const of = (v: readonly core.Tensor[], i: number) => v[i] as core.Tensor;
  switch (d.int(0, 8)) {
    case 0: {
      const f = d.pick(unaries);
      return define(
        `${f}(v${at})`,
        shape,
        (v) => (core as unknown as Methods)[f]?.(of(v, at)) as core.Tensor,
      );
    }
    case 1:
    case 2: {
      const same = shapes.flatMap((s, i) => (broadcasts(s, shape) ? [i] : []));
      const other = d.pick(same);
      const f = d.pick(binaries);
      return define(
        `v${at}.${f}(v${other})`,
        [...core.broadcastShapes('program', shape, shapes[other] as number[])],
        (v) => method(of(v, at), f, of(v, other)),
      );
    }
    case 3: {
      const [steps, shown] = drawViews(d, shape);
      return define(`v${at}${showViews(steps)}`, shown, (v) => applyViews(of(v, at), steps));
    }
    case 4: {
      if (shape.length === 0) break;
      const dim = d.int(0, shape.length - 1);
      const f = d.pick(['sum', 'mean', 'logsumexp', 'cumsum', 'softmax', 'flip']);
      const keeps = f === 'cumsum' || f === 'softmax' || f === 'flip';
      return define(`v${at}.${f}(${dim})`, keeps ? shape : shape.filter((_, k) => k !== dim), (v) =>
        method(of(v, at), f, dim),
      );
    }
    case 5: {
      const rows = shape.length >= 2 ? (shape.at(-2) as number) : 0;
      if (shape.length !== 2 || rows === 0) break;
      return define(`v${at} @ v${at}.T`, [rows, rows], (v) =>
        core.matmul(of(v, at), of(v, at).T).tanh(),
      );
    }
    case 6: {
      const f = d.pick(['mul', 'add', 'tanh', 'sin', 'relu', 'neg']);
      const second = f === 'mul' || f === 'add' ? [0.5] : [];
      const [steps] = drawViews(d, shape);
      return {
        text: `v${at}${showViews(steps)}.${f}_(${second})`,
        run: (v) => {
          method(applyViews(of(v, at), steps), `${f}_`, ...second);
        },
      };
    }
    case 7: {
      const wider = [d.int(1, 3), ...shape];
      return define(`v${at}.expand(${wider})`, wider, (v) => core.expand(of(v, at), wider));
    }
    default:
      return define(
        `cat(v${at}, v${at})`,
        shape.length === 0 ? [2] : [(shape[0] as number) * 2, ...shape.slice(1)],
        (v) =>
          shape.length === 0
            ? core.stack([of(v, at), of(v, at)])
            : core.cat([of(v, at), of(v, at)], 0),
      );
  }
  return define(`v${at} * 1.5`, shape, (v) => of(v, at).mul(1.5));
}

/** A program of a few differentiable lines, views and in-place writes among them; gives its value and the gradients of its leaves. */
export function drawProgram(d: Draw): Call {
  const dtype = d.chance(0.8) ? 'float32' : d.dtype('float');
  const shape = d.shape(0, 3, 1);
  const leaves = [d.tensor(dtype, shape), d.broadcasting(dtype, shape)];
  const shapes = leaves.map((i) => [...(d.operands[i]?.shape ?? [])]);
  const lines = Array.from({ length: d.int(2, 7) }, () => drawLine(d, shapes));
  return {
    text: `v0 = t0 * 1; v1 = t1 * 1; ${lines.map(({ text }) => text).join('; ')}`,
    exact: false,
    chained: true,
    run: (t) => {
      const inputs = leaves.map((i) => t(i).detach().requiresGrad_());
      const variables = inputs.map((x) => x.mul(1));
      for (const { run } of lines) run(variables);
      const result = variables.at(-1) as core.Tensor;
      // Exact in every dtype, so that no device rounds them otherwise.
      const weights = core
        .arange(result.numel(), { dtype: 'float32', device: result.device })
        .remainder(7)
        .sub(3)
        .div(4);
      result
        .mul(
          weights
            .cos()
            .to(dtype)
            .reshape([...result.shape]),
        )
        .sum()
        .backward();
      return [result.detach(), ...inputs.map((x) => x.grad ?? core.zerosLike(x))];
    },
  };
}
