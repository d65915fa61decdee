import { guarded } from '../arguments.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { explained } from '../explain.js';
import { checkWritable, enter, leave, runAs } from '../op.js';
import {
  checkOutDtype,
  type OutOptions,
  type OutRule,
  refuseGradients,
  resizeOut,
} from '../out.js';
import type { Scalar } from '../scalar.js';
import { Tensor } from '../tensor.js';
import { copyInto } from './copy.js';
import { copyOf } from './update.js';

/** Whether a parameter is a trailing options object. */
type IsOptions<T> =
  NonNullable<T> extends Tensor | Scalar | string | readonly unknown[]
    ? false
    : NonNullable<T> extends object
      ? true
      : false;

type HasOptions<A extends readonly unknown[]> = true extends {
  [I in keyof A]: IsOptions<A[I]>;
}[number]
  ? true
  : false;

type WithOptions<A extends readonly unknown[], R> =
  HasOptions<A> extends true
    ? { [I in keyof A]: IsOptions<A[I]> extends true ? A[I] & OutOptions<R> : A[I] }
    : [...A, options?: OutOptions<R>];

/** A function that takes PyTorch's `out` among its options, or as its only one. */
export type Writing<F> = F extends (...args: infer A) => infer R
  ? (...args: WithOptions<A, R>) => R
  : never;

/**
 * Gives an operation PyTorch's `out` option: the result is written into the tensors given there, and these are returned. Without the option
 * the call is the function's own.
 *
 * @param rule which dtypes `out` may have, as PyTorch has it for the operation; default that of the result only.
 * @example
 * export const gather = writing('gather', (self: Tensor, dim: number, index: Tensor): Tensor => ...);
 * gather(x, 0, index, { out: y });
 */
export function writing<F extends (...args: never[]) => unknown>(
  name: string,
  fn: F,
  rule: OutRule = 'same',
): Writing<F> {
  const call = fn as unknown as (...args: unknown[]) => unknown;
  return guarded(name, ((...args: unknown[]) => {
    const options = args[args.length - 1];
    if (
      options === null ||
      typeof options !== 'object' ||
      options instanceof Tensor ||
      (options as OutOptions).out == null
    ) {
      const outer = enter(name);
      try {
        return call(...args);
      } catch (error) {
        throw explained(name, args, error);
      } finally {
        leave(outer);
      }
    }
    const { out, ...rest } = options as { out: unknown };
    const others = args.slice(0, -1);
    refuseGradients(name, [...others, out]);
    const result = runAs(name, () =>
      call(...others, ...(Object.keys(rest).length > 0 ? [rest] : [])),
    );
    return store(name, result, out, rule);
  }) as unknown as Writing<F> & ((...args: never[]) => unknown));
}

/**
 * As `writing`, for functions that make tensors of nothing: dtype and device are those of `out`, unless a dtype is given, which must then be its.
 */
export function creating<F extends (...args: never[]) => Tensor>(name: string, fn: F): Writing<F> {
  const call = fn as unknown as (...args: unknown[]) => Tensor;
  return guarded(name, ((...args: unknown[]) => {
    const options = args[args.length - 1] as (OutOptions & { dtype?: DType }) | undefined;
    const out = options?.out;
    if (options === undefined || out == null) return call(...args);
    const { out: _, ...rest } = options;
    refuseGradients(name, [out]);
    if (rest.dtype && rest.dtype !== out.dtype) {
      throw new RuntimeError(
        `${name}: dtype ${rest.dtype} does not match dtype of out parameter (${out.dtype})`,
      );
    }
    const given = { ...rest, dtype: out.dtype, device: out.device };
    storeOut(name, call(...args.slice(0, -1), given), out, 'same');
    return out;
  }) as unknown as Writing<F> & ((...args: never[]) => unknown));
}

/** Writes a result, or each of several, into what is to receive it. */
function store(name: string, result: unknown, out: unknown, rule: OutRule): unknown {
  if (result instanceof Tensor) {
    if (!(out instanceof Tensor)) throw wrongOut(name, 'one Tensor');
    storeOut(name, result, out, rule);
    return out;
  }
  if (result === null || typeof result !== 'object') {
    throw wrongOut(name, 'nothing: the result is no Tensor');
  }
  const parts = Object.entries(result).filter(([, part]) => part instanceof Tensor);
  const places = parts.filter(([key]) => !Array.isArray(result) || /^\d+$/.test(key));
  const given = places.map(([key]) => (out as Record<string, unknown> | null)?.[key]);
  const length = Array.isArray(result) && Array.isArray(out) ? out.length : places.length;
  if (length !== places.length || !given.every((t): t is Tensor => t instanceof Tensor)) {
    throw wrongOut(
      name,
      Array.isArray(result)
        ? `a tuple of ${places.length} Tensors`
        : `an object of the Tensors ${places.map(([key]) => key).join(', ')}`,
    );
  }
  places.forEach(([, part], i) =>
    checkOutDtype(name, (part as Tensor).dtype, given[i] as Tensor, rule),
  );
  places.forEach(([, part], i) => storeOut(name, part as Tensor, given[i] as Tensor, rule));
  // Fields are names for the same tensors.
  const kept = Array.isArray(result) ? [...result] : { ...result };
  for (const [key, part] of parts) {
    const at = places.findIndex(([, other]) => other === part);
    (kept as Record<string, unknown>)[key] = given[at];
  }
  return kept;
}

const wrongOut = (name: string, wanted: string): TypeError =>
  new TypeError(`${name}: expected out to be ${wanted}`);

/** Writes a result into `out`. */
function storeOut(name: string, result: Tensor, out: Tensor, rule: OutRule): void {
  checkOutDtype(name, result.dtype, out, rule);
  if (result === out) return;
  // A result that is a view of `out` is read before `out` is written.
  const from = result.storage === out.storage ? copyOf(result) : result;
  resizeOut(name, out, result.shape);
  checkWritable(name, out);
  copyInto(out, from);
  out.counter.version++;
}
