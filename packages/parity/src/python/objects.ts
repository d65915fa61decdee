import type { Value } from '../corpus/value.js';

/** A callable of the evaluator: a lambda, a builtin, a method with its object. */
export class PyFunction {
  readonly call: (args: Value[], kwargs: Map<string, Value>) => Value;
  constructor(call: (args: Value[], kwargs: Map<string, Value>) => Value) {
    this.call = call;
  }
}

/** A type of Python's own, which makes values of it when it is called: `int`, `dict`, `RuntimeError`. */
export class PyType extends PyFunction {
  readonly name: string;
  readonly holds: (value: Value) => boolean;
  constructor(
    name: string,
    holds: (value: Value) => boolean,
    make: (args: Value[], kwargs: Map<string, Value>) => Value,
  ) {
    super(make);
    this.name = name;
    this.holds = holds;
  }
}

/** What a `with` statement enters: runs its block. */
export class PyContext {
  readonly run: (body: () => void) => void;
  constructor(run: (body: () => void) => void) {
    this.run = run;
  }
}
