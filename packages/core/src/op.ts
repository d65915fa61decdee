import { canCast, category, type DType } from './dtype.js';
import { formatShape, RuntimeError, wrongArgument } from './errors.js';
import { explained } from './explain.js';
import { autogradEngine } from './grad-mode.js';
import { gradMode } from './mode-scope.js';
import { repeats, sameShape } from './shape.js';
import { Tensor } from './tensor.js';

/** A differentiable operation: the name under which autograd finds its derivative, and how to run it. */
export interface Op {
  readonly name: string;
  /** Names of the positional parameters, as the derivative table refers to them. */
  readonly params: readonly string[];
  /** Computes the result; never records. Its own calls of operations are not recorded either. */
  readonly forward: (...args: never[]) => unknown;
}

/** Every operation defined so far, by name: what documentation, parity and gradient checks enumerate. */
export const operations = new Map<string, Op>();

function requiresGrad(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) {
    const a = args[i];
    if (a instanceof Tensor) {
      if (a.meta?.requiresGrad) return true;
    } else if (Array.isArray(a) && requiresGrad(a)) return true;
  }
  return false;
}

/** Whether a call with these arguments must go through the autograd engine. */
export function mustRecord(args: readonly unknown[]): boolean {
  // The mode comes last: asking a task for its own costs the most.
  return autogradEngine() !== undefined && requiresGrad(args) && gradMode.enabled;
}

let running: string | undefined;

/** The name of the operation that is being computed, for messages of devices; the outermost where one is made of others. */
export const runningOperation = (): string | undefined => running;

/** Says that an operation begins to be computed; gives what `leave` wants when it has ended. */
export function enter(name: string): string | undefined {
  const outer = running;
  running ??= name;
  return outer;
}

/** Ends what `enter` began. */
export function leave(outer: string | undefined): void {
  running = outer;
}

/** Runs `compute` under the name of an operation, unless one is running already. */
export function runAs<T>(name: string, compute: () => T): T {
  const outer = enter(name);
  try {
    return compute();
  } finally {
    leave(outer);
  }
}

/**
 * Defines a differentiable operation. The result is called like `forward`; when gradients are on
 * and an argument requires grad, the call goes through the autograd engine, which looks
 * the derivative up by `name`. Operations composed of others need no definition: plain functions do.
 *
 * @param params names of the positional parameters, separated by spaces.
 * @example
 * export const narrow: (self: Tensor, dim: number, start: number, length: number) => Tensor =
 *   op('narrow', 'self dim start length', (self, dim, start, length) => ...);
 */
export function op<F extends (...args: never[]) => unknown>(
  name: string,
  params: string,
  forward: F,
): F {
  const schema = defineOp(name, params, forward);
  const first = schema.params[0] as string;
  const takesTensor = first === 'self';
  return ((...args: unknown[]) => {
    if (takesTensor && !(args[0] instanceof Tensor)) checkTensor(name, first, 0, args[0]);
    const outer = enter(name);
    try {
      return mustRecord(args)
        ? (autogradEngine() as NonNullable<ReturnType<typeof autogradEngine>>).record(schema, args)
        : (forward as unknown as (...a: unknown[]) => unknown)(...args);
    } catch (error) {
      throw explained(name, args, error);
    } finally {
      leave(outer);
    }
  }) as unknown as F;
}

/** @throws TypeError if an argument is no tensor; `position` counts from 0. */
export function checkTensor(
  operation: string,
  parameter: string,
  position: number,
  x: unknown,
): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw wrongArgument(operation, parameter, position, 'a Tensor', x);
}

/** Registers an operation's schema without wrapping it. */
export function defineOp(name: string, params: string, forward: Op['forward']): Op {
  const schema: Op = { name, params: params.split(' '), forward };
  operations.set(name, schema);
  return schema;
}

/**
 * Runs `write` as the in-place form of `schema` on `args[0]`: checks that the tensor may be written,
 * lets autograd rebase its history, and bumps the version counter.
 */
export function inplace(schema: Op, args: readonly unknown[], write: () => void): Tensor {
  const self = args[0] as Tensor;
  if (self.storage.inference && !gradMode.inference) {
    throw new RuntimeError(
      `${schema.name}_: Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal tensor before doing inplace update.`,
    );
  }
  const run = () => {
    const harmless = filling.has(schema.name) || (schema.name === 'copy' && args[1] === self);
    if (!harmless) checkWritable(schema.name, self);
    runAs(schema.name, write);
    self.counter.version++;
  };
  if (mustRecord(args)) {
    return (autogradEngine() as NonNullable<ReturnType<typeof autogradEngine>>).recordInplace(
      schema,
      args,
      run,
    );
  }
  run();
  return self;
}

/** These write one value, however many positions share an element. */
const filling: ReadonlySet<string> = new Set(['fill', 'zero', 'maskedFill', 'indexFill']);

/** @throws RuntimeError if several elements of `self` share memory, as those of an expanded tensor do. */
export function checkWritable(operation: string, self: Tensor): void {
  if (!repeats(self.shape, self.strides)) return;
  throw new RuntimeError(
    `${operation}_: unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.`,
  );
}

/** @throws RuntimeError if a result of that shape and dtype cannot be written into `self`. */
export function checkResult(
  operation: string,
  self: Tensor,
  shape: readonly number[],
  dtype: DType,
): void {
  if (!sameShape(self.shape, shape)) {
    throw new RuntimeError(
      `${operation}_: output with shape ${formatShape(self.shape)} doesn't match the broadcast shape ${formatShape(shape)}`,
    );
  }
  if (!canCast(dtype, self.dtype)) throw notCastable(operation, dtype, self.dtype);
}

/** The error for a result whose dtype is of a higher category than that of the tensor it is to be written to. */
export function notCastable(operation: string, dtype: DType, target: DType): RuntimeError {
  const kind = ['a bool', 'an integer', 'a floating'][category(target)];
  return new RuntimeError(
    `${operation}_: result type ${dtype} can't be cast to the desired output type ${target} (${kind} type)`,
  );
}
