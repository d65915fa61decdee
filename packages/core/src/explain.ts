import { guarded } from './arguments.js';
import {
  ExpressionError,
  kindOf,
  NotImplementedError,
  RuntimeError,
  wrongArgument,
} from './errors.js';
import { Tensor } from './tensor.js';

/** How an error begins where the operands of a primitive live on several devices; the operation puts its name before it. */
export const acrossDevices = 'expected all tensors to be on the same device';

/** What JavaScript says where something else than expected is used as a tensor, a list or a number. */
const misused =
  /^(Cannot (read|set) propert|Cannot destructure|undefined is not|.* is not (a function|iterable|an object))/;

/**
 * What to say of an error from inside an operation: an expression that cannot be made is a dtype the operation is not
 * implemented for, a primitive across devices is the operation's, and JavaScript's own complaint about a value is an argument
 * of the wrong kind. Other errors are given back as they are.
 */
export function explained(operation: string, args: readonly unknown[], error: unknown): unknown {
  if (error instanceof ExpressionError) {
    const dtype = args.find((x) => x instanceof Tensor)?.dtype ?? 'these arguments';
    return new NotImplementedError(
      `${operation}: "${operation}_cpu" not implemented for '${dtype}'; convert it with .to('float32')`,
    );
  }
  if (error instanceof RuntimeError && error.message.startsWith(acrossDevices)) {
    error.message = `${operation}: ${error.message}`;
    return error;
  }
  if (!(error instanceof TypeError)) return error;
  // What an operation inside has explained is told again under the name that the user has called.
  const complaint = error.cause instanceof TypeError ? error.cause : error;
  if (!misused.test(complaint.message)) return error;
  const first = args[0];
  const found =
    first instanceof Tensor || Array.isArray(first)
      ? new TypeError(
          `${operation}: an argument has the wrong kind; got (${args.map(kindOf).join(', ')})`,
        )
      : wrongArgument(operation, 'self', 0, 'a Tensor', first);
  found.cause = complaint;
  return found;
}

/**
 * A function for users that is composed of operations: it looks at its arguments, and callers are told of what goes wrong inside under its
 * name. What is made with `writing` or `creating` does that already.
 */
export function explaining<F extends (...args: never[]) => unknown>(name: string, fn: F): F {
  const call = fn as unknown as (...args: unknown[]) => unknown;
  return guarded(name, ((...args: unknown[]) => {
    try {
      return call(...args);
    } catch (error) {
      throw explained(name, args, error);
    }
  }) as unknown as F);
}
