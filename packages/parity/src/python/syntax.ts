/** The syntax tree of the Python that the corpus uses. */
export type Expression =
  | { kind: 'constant'; value: unknown }
  | { kind: 'number'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'list' | 'tuple' | 'set'; items: Expression[] }
  /** A pair without a key is `**value`. */
  | { kind: 'dict'; pairs: [Expression | null, Expression][] }
  | Comprehension
  | { kind: 'lambda'; params: Parameter[]; body: Expression }
  | { kind: 'attribute'; object: Expression; name: string }
  | { kind: 'subscript'; object: Expression; index: Expression }
  | { kind: 'slice'; parts: (Expression | null)[] }
  | { kind: 'call'; callee: Expression; args: Argument[] }
  | { kind: 'starred'; value: Expression }
  | { kind: 'unary'; operator: string; operand: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'compare'; first: Expression; rest: { operator: string; operand: Expression }[] }
  | { kind: 'conditional'; test: Expression; chosen: Expression; otherwise: Expression }
  | { kind: 'joined'; parts: (string | Formatted)[] };

/** `[value for target in source if test ...]` and its kin; `key` is that of a dictionary. */
export interface Comprehension {
  kind: 'comprehension';
  of: 'list' | 'set' | 'dict' | 'generator';
  key: Expression | null;
  value: Expression;
  clauses: { target: Expression; source: Expression; tests: Expression[] }[];
}

/** `{value!conversion:spec}` of an f-string. */
export interface Formatted {
  value: Expression;
  conversion: 'r' | 's' | '';
  spec: string;
}

/** A parameter of a function: plain, `*rest` or `**keywords`. */
export interface Parameter {
  kind: 'plain' | 'rest' | 'keywords';
  name: string;
  value: Expression | null;
}

/** An argument of a call: positional, `*spread`, `name=value` or `**spread`. */
export type Argument =
  | { kind: 'positional'; value: Expression }
  | { kind: 'spread'; value: Expression }
  | { kind: 'keyword'; name: string; value: Expression }
  | { kind: 'keywords'; value: Expression };

export type Statement =
  | { kind: 'expression'; value: Expression }
  | { kind: 'assign'; targets: Expression[]; value: Expression }
  | { kind: 'update'; target: Expression; operator: string; value: Expression }
  | { kind: 'with'; items: { context: Expression; target: Expression | null }[]; body: Statement[] }
  | { kind: 'for'; target: Expression; source: Expression; body: Statement[] }
  | { kind: 'while'; test: Expression; body: Statement[] }
  | { kind: 'if'; test: Expression; body: Statement[]; otherwise: Statement[] }
  | { kind: 'def'; name: string; params: Parameter[]; body: Statement[] }
  | { kind: 'try'; body: Statement[]; handlers: Handler[]; final: Statement[] }
  | { kind: 'return'; value: Expression | null }
  | { kind: 'raise'; value: Expression | null }
  | { kind: 'assert'; test: Expression; message: Expression | null }
  | { kind: 'delete'; target: Expression }
  | { kind: 'import'; path: string; name: string }
  | { kind: 'pass' | 'break' | 'continue' };

/** `except type as name:`; without a type for all errors. */
export interface Handler {
  type: Expression | null;
  name: string | null;
  body: Statement[];
}
