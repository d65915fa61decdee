import { apply, bitcast, cast, type Expr, type ExprFunction, load } from '@sconce/core';

/** A node of the same kind over other arguments. */
export function rebuild(e: Expr, args: readonly Expr[]): Expr {
  switch (e.op) {
    case 'cast':
      return cast(args[0] as Expr, e.dtype);
    case 'load':
      return load(
        Number(e.value),
        e.dtype,
        args.slice(0, -2),
        args.at(-2) as Expr,
        args.at(-1) as Expr,
      );
    case 'bitcast':
      return bitcast(args[0] as Expr, e.dtype);
    default:
      return apply(e.op as ExprFunction, ...args);
  }
}

/** The tree with every node for which `replace` gives another one exchanged, arguments first. */
export function rewritten(root: Expr, replace: (e: Expr) => Expr | undefined): Expr {
  const known = new Map<Expr, Expr>();
  const visit = (e: Expr): Expr => {
    let made = known.get(e);
    if (!made) {
      const args = e.args.map(visit);
      const same = args.every((a, i) => a === e.args[i]);
      const kept = same ? e : rebuild(e, args);
      made = replace(kept) ?? kept;
      known.set(e, made);
    }
    return made;
  };
  return visit(root);
}
