/** The syntax tree of the Python that the corpus uses. */
export type Expression =
  | { kind: 'constant'; value: unknown }
  | { kind: 'number'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'tuple'; items: Expression[] }
  | { kind: 'dict'; pairs: [Expression, Expression][] }
  | { kind: 'comprehension'; value: Expression; target: string[]; source: Expression }
  | { kind: 'lambda'; params: string[]; body: Expression }
  | { kind: 'attribute'; object: Expression; name: string }
  | { kind: 'subscript'; object: Expression; index: Expression }
  | { kind: 'slice'; parts: (Expression | null)[] }
  | { kind: 'call'; callee: Expression; args: Argument[] }
  | { kind: 'unary'; operator: string; operand: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'conditional'; test: Expression; chosen: Expression; otherwise: Expression }
  | { kind: 'format'; value: Expression; spec: string };

/** An argument of a call: positional, `*spread`, `name=value` or `**spread`. */
export type Argument =
  | { kind: 'positional'; value: Expression }
  | { kind: 'spread'; value: Expression }
  | { kind: 'keyword'; name: string; value: Expression }
  | { kind: 'keywords'; value: Expression };

export type Statement =
  | { kind: 'expression'; value: Expression }
  | { kind: 'assign'; target: Expression; value: Expression }
  | { kind: 'update'; target: Expression; operator: string; value: Expression }
  | { kind: 'with'; context: Expression; body: Statement[] };
