import {
  fromTypedArray,
  isFloatingPoint,
  RuntimeError,
  SconceError,
  Tensor,
  takes,
} from '@sconce/core';
import { grad } from './backward.js';
import { enableGrad, noGrad } from './modes.js';
import * as signatures from './signatures.js';

/** Options of `gradcheck`. */
export interface GradcheckOptions {
  /** The step of the finite differences; default 1e-6. */
  eps?: number;
  /** Absolute tolerance; default 1e-5. */
  atol?: number;
  /** Relative tolerance; default 1e-3. */
  rtol?: number;
  /** Return false instead of throwing; default true. */
  raiseException?: boolean;
}

/** The gradients of a function do not agree with its values. */
export class GradcheckError extends SconceError {
  override name = 'GradcheckError';
}

/** What is checked: a function of tensors with one or several results. */
export type Checked = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

type Matrix = Float64Array[];

const isDifferentiable = (t: Tensor): boolean => isFloatingPoint(t.dtype) && t.requiresGrad;
const outputsOf = (result: Tensor | readonly Tensor[]): readonly Tensor[] =>
  result instanceof Tensor ? [result] : [...result];

const numbers = (t: Tensor): Float64Array =>
  t.detach().to('float64').contiguous().toTypedArraySync() as Float64Array;

/** d output / d input by central differences: one row for each element of the input. */
function numerical(fn: Checked, inputs: readonly Tensor[], which: number, eps: number): Matrix[] {
  const input = inputs[which] as Tensor;
  const values = numbers(input);
  const at = (i: number, step: number): Float64Array[] => {
    const moved = values.slice();
    moved[i] = (moved[i] as number) + step;
    const replaced = fromTypedArray(moved, input.shape, { dtype: 'float64', device: input.device });
    const args = inputs.map((t, k) => (k === which ? replaced.to(input.dtype) : t.detach()));
    return noGrad(() => outputsOf(fn(...args)).map(numbers));
  };
  const rows = Array.from(values, (_, i) => {
    const above = at(i, eps);
    const below = at(i, -eps);
    return above.map((high, o) => high.map((x, j) => (x - (below[o]?.[j] as number)) / (2 * eps)));
  });
  const count = rows[0]?.length ?? 0;
  return Array.from({ length: count }, (_, o) => rows.map((row) => row[o] as Float64Array));
}

/** The same by backward, one pass for each element of the output. */
function analytical(output: Tensor, inputs: readonly Tensor[]): Matrix[] {
  const matrices = inputs.map((input) =>
    Array.from({ length: input.numel() }, () => new Float64Array(output.numel())),
  );
  for (let j = 0; j < output.numel(); j++) {
    const unit = new Float64Array(output.numel());
    unit[j] = 1;
    const seed = fromTypedArray(unit, output.shape, { dtype: 'float64', device: output.device });
    const found = grad(output, inputs, {
      gradOutputs: seed.to(output.dtype),
      retainGraph: true,
      allowUnused: true,
    });
    found.forEach((g, k) => {
      if (!g) return;
      numbers(g).forEach((x, i) => {
        (matrices[k]?.[i] as Float64Array)[j] = x;
      });
    });
  }
  return matrices;
}

const format = (m: Matrix): string =>
  m.map((row) => `[${Array.from(row, (x) => x.toPrecision(6)).join(', ')}]`).join('\n');

function mismatch(a: Matrix, n: Matrix, atol: number, rtol: number): boolean {
  return a.some((row, i) =>
    row.some((x, j) => {
      const y = n[i]?.[j] as number;
      return (
        !(Math.abs(x - y) <= atol + rtol * Math.abs(y)) && !(Number.isNaN(x) && Number.isNaN(y))
      );
    }),
  );
}

/**
 * Checks the gradients of `fn` against finite differences, for the inputs that require grad; they should be float64.
 * Reads values back at once, so it runs on synchronous devices only.
 *
 * @throws GradcheckError with both Jacobians where they differ.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.html
 * @example gradcheck((x) => x.sin(), [tensor([1, 2], { dtype: 'float64', requiresGrad: true })]);
 */
export function gradcheck(
  fn: Checked,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  takes('gradcheck', signatures.gradcheck, arguments);
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, raiseException = true } = options;
  const checked = inputs.flatMap((t, i) => (isDifferentiable(t) ? [i] : []));
  if (checked.length === 0) {
    throw new RuntimeError(
      'gradcheck: expects at least one input tensor to require gradient, but none of the them have requires_grad=True.',
    );
  }
  const outputs = outputsOf(fn(...inputs));
  const measured = checked.map((i) => numerical(fn, inputs, i, eps));
  for (const [o, output] of outputs.entries()) {
    const found = isDifferentiable(output)
      ? analytical(
          output,
          checked.map((i) => inputs[i] as Tensor),
        )
      : undefined;
    for (const [k, i] of checked.entries()) {
      const n = measured[k]?.[o] as Matrix;
      const a = found?.[k] ?? n.map((row) => new Float64Array(row.length));
      // What is not floating point steps where it changes at all.
      if (!isFloatingPoint(output.dtype) || !mismatch(a, n, atol, rtol)) continue;
      if (!raiseException) return false;
      throw new GradcheckError(
        `Jacobian mismatch for output ${o} with respect to input ${i},\nnumerical:\n${format(n)}\nanalytical:\n${format(a)}\n`,
      );
    }
  }
  return true;
}

/**
 * Checks second derivatives: `gradcheck` of the gradients of `fn`, as a function of its inputs and of the gradients of its outputs.
 *
 * @throws GradcheckError with both Jacobians where they differ.
 * @see https://pytorch.org/docs/stable/generated/torch.autograd.gradgradcheck.html
 */
export function gradgradcheck(
  fn: Checked,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  takes('gradgradcheck', signatures.gradgradcheck, arguments);
  const differentiable = (result: Tensor | readonly Tensor[]) =>
    outputsOf(result).filter(isDifferentiable);
  const outputs = differentiable(fn(...inputs));
  // Any gradients will do, so long as no two elements have the same.
  const seeds = outputs.map((output) => {
    const values = Float64Array.from({ length: output.numel() }, (_, i) => Math.cos(i + 0.5));
    return fromTypedArray(values, output.shape, { dtype: 'float64', device: output.device })
      .to(output.dtype)
      .requiresGrad_();
  });
  const gradients: Checked = (...args) => {
    const own = args.slice(0, inputs.length).map((t, i) => {
      // Finite differences pass tensors outside of any graph.
      const original = inputs[i] as Tensor;
      return isDifferentiable(original) && !t.requiresGrad ? t.detach().requiresGrad_() : t;
    });
    const wanted = own.filter((_, i) => isDifferentiable(inputs[i] as Tensor));
    return enableGrad(() => {
      const results = differentiable(fn(...own));
      const found = grad(results, wanted, {
        gradOutputs: args.slice(inputs.length),
        createGraph: true,
        allowUnused: true,
      });
      return found.map((g, k) => g ?? (wanted[k] as Tensor).mul(0));
    });
  };
  return gradcheck(gradients, [...inputs, ...seeds], options);
}
