import type { Value } from '../corpus/value.js';

/** A callable of the evaluator: a lambda, a builtin, a method with its object. */
export class PyFunction {
  readonly call: (args: Value[], kwargs: Map<string, Value>) => Value;
  constructor(call: (args: Value[], kwargs: Map<string, Value>) => Value) {
    this.call = call;
  }
}

/** What a `with` statement enters: runs its block. */
export class PyContext {
  readonly run: (body: () => void) => void;
  constructor(run: (body: () => void) => void) {
    this.run = run;
  }
}
