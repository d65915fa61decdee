import {
  apply,
  cast,
  type Expr,
  type ExprFunction,
  load,
  bitcast as reinterpret,
} from '@sconce/core';

/** What some trees refer to. */
export interface Uses {
  /** Inputs read at the current position, ascending. */
  readonly inputs: readonly number[];
  /** Inputs read at computed coordinates, ascending. */
  readonly loads: readonly number[];
  readonly scalars: readonly { readonly index: number; readonly dtype: Expr['dtype'] }[];
  /** Axes whose coordinate is asked for, ascending. */
  readonly coords: readonly number[];
  readonly linear: boolean;
  /** The identities of the trees: equal texts are equal structure. */
  readonly key: string;
}

const known = new Map<string, Uses>();

/** What the trees refer to; found once for each list of trees. */
export function usesOf(roots: readonly Expr[]): Uses {
  let key = '';
  for (const root of roots) key += `${root.id},`;
  let found = known.get(key);
  if (!found) {
    found = collect(roots, key);
    known.set(key, found);
  }
  return found;
}

function collect(roots: readonly Expr[], key: string): Uses {
  const inputs = new Set<number>();
  const loads = new Set<number>();
  const coords = new Set<number>();
  const scalars = new Map<Expr, { index: number; dtype: Expr['dtype'] }>();
  let linear = false;
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.op === 'input') inputs.add(e.value as number);
    else if (e.op === 'load') loads.add(e.value as number);
    else if (e.op === 'coord') coords.add(e.value as number);
    else if (e.op === 'scalar') scalars.set(e, { index: e.value as number, dtype: e.dtype });
    else if (e.op === 'linear') linear = true;
    e.args.forEach(visit);
  };
  roots.forEach(visit);
  const ascending = (set: Set<number>) => [...set].sort((a, b) => a - b);
  return {
    inputs: ascending(inputs),
    loads: ascending(loads),
    coords: ascending(coords),
    scalars: [...scalars.values()],
    linear,
    key,
  };
}

/** The tree with some leaves replaced. */
export function substitute(root: Expr, replace: (leaf: Expr) => Expr | undefined): Expr {
  const done = new Map<Expr, Expr>();
  const visit = (e: Expr): Expr => {
    const before = done.get(e);
    if (before) return before;
    const replaced = replace(e);
    const after = replaced ?? (e.args.length === 0 ? e : rebuild(e, e.args.map(visit)));
    done.set(e, after);
    return after;
  };
  return visit(root);
}

function rebuild(e: Expr, args: readonly Expr[]): Expr {
  switch (e.op) {
    case 'cast':
      return cast(args[0] as Expr, e.dtype);
    case 'bitcast':
      return reinterpret(args[0] as Expr, e.dtype);
    case 'load':
      return load(
        e.value as number,
        e.dtype,
        args.slice(0, -2),
        args.at(-2) as Expr,
        args.at(-1) as Expr,
      );
    default:
      return apply(e.op as ExprFunction, ...args);
  }
}
