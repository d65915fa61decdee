/** An error as the corpus records it. */
export interface Raised {
  readonly type: string;
  readonly message: string;
}

/** Names of our errors that stand for a Python error. */
const kinds: Record<string, readonly string[]> = {
  RuntimeError: ['RuntimeError', 'NotImplementedError', 'ValueError', 'LinAlgError'],
  LinAlgError: ['LinAlgError'],
  _LinAlgError: ['LinAlgError'],
  NotImplementedError: ['NotImplementedError', 'RuntimeError'],
  IndexError: ['IndexError'],
  ValueError: ['ValueError', 'RuntimeError'],
  TypeError: ['TypeError'],
  AttributeError: ['TypeError'],
  AssertionError: ['RuntimeError', 'ValueError'],
};

const fillers = new Set(
  'a an the of to be is are was for in on at and or but not it that this with by as must should expected got input tensor tensors torch'.split(
    ' ',
  ),
);

/** The words and numbers by which a message names a fault. */
const words = (message: string): Set<string> =>
  new Set(
    (message.toLowerCase().match(/-?\d+(\.\d+)?|[a-z][a-z0-9]*/g) ?? []).filter(
      (w) => !fillers.has(w),
    ),
  );

/** Share of PyTorch's words that must return. */
const shared = 0.5;

/**
 * Why an error is not the one PyTorch raises: another kind, or a message that names another fault.
 * Calls that TypeScript refuses to compile (PyTorch's TypeError) only need to be errors of that kind.
 */
export function errorDifference(error: unknown, raised: Raised): string | undefined {
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  const accepted = kinds[raised.type] ?? [raised.type];
  if (!accepted.includes(error.name)) {
    return `${error.name}: ${error.message.slice(0, 160)}; expected ${raised.type}: ${raised.message.slice(0, 160)}`;
  }
  if (raised.type === 'TypeError' || raised.type === 'AttributeError') return undefined;
  const wanted = words(raised.message.split('. ')[0] as string);
  const own = words(error.message);
  const found = [...wanted].filter((w) => own.has(w)).length;
  if (found >= shared * wanted.size) return undefined;
  return `message '${error.message.slice(0, 160)}' names another fault than '${raised.message.slice(0, 160)}'`;
}
