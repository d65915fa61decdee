import {
  canMove,
  type Device,
  enterMode,
  gradMode,
  isFloatingPoint,
  leaveMode,
  type Op,
  operations,
  RuntimeError,
  runAs,
  Tensor,
} from '@sconce/core';
import { CopySlices } from './copy-slices.js';
import { derivativesOf, type Input, type Row } from './derivatives/index.js';
import { fusedGradient } from './fuse.js';
import { type Geometry, geometryOf } from './geometry.js';
import {
  type Creation,
  checkCreation,
  ensureMeta,
  gradientEdge,
  metaOf,
  setRegenerate,
} from './meta.js';
import { nodeName } from './names.js';
import { type Edge, type Gradient, Node } from './node.js';
import { Saved } from './saved.js';

/** The node of an operation with a row in the derivative table. */
export class OpNode extends Node {
  readonly #row: Row;
  readonly #op: Op;
  readonly #inplace: boolean;
  /** The arguments, tensors replaced by their geometry. */
  readonly #args: readonly unknown[];
  readonly #saved = new Map<string, Saved | readonly (Saved | null)[]>();
  /** Results to save once there are any. */
  readonly #results = new Set<string>();

  private constructor(
    row: Row,
    op: Op,
    args: readonly unknown[],
    inplace: boolean,
    edges: readonly (Edge | undefined)[],
  ) {
    super(edges);
    this.#inplace = inplace;
    this.#row = row;
    this.#op = op;
    this.#args = args.map(remains);
  }

  /**
   * The node of a call; undefined if no gradient can flow to its arguments.
   *
   * @param inplace whether the first argument is about to be overwritten.
   * @param always make a node all the same: the view of a base that was detached keeps one.
   */
  static of(
    row: Row,
    op: Op,
    args: readonly unknown[],
    inplace: boolean,
    always = false,
  ): OpNode | undefined {
    const edges: (Edge | undefined)[] = [];
    let any = false;
    const wanted: Input[] = [];
    for (const input of row.inputs) {
      const before = edges.length;
      const arg = args[input.index];
      for (const t of Array.isArray(arg) ? arg : [arg]) {
        if (!(t instanceof Tensor) || !t.requiresGrad) edges.push(undefined);
        else {
          any = true;
          edges.push(gradientEdge(t));
        }
      }
      // As in PyTorch, an operation of one input keeps what it needs wherever its gradient goes.
      if (row.inputs.length === 1 || edges.slice(before).some(Boolean)) wanted.push(input);
    }
    if (!any && !always) return undefined;
    const node = new OpNode(row, op, args, inplace, edges);
    for (const { name, isArgument, inputs } of row.saves) {
      if (!inputs.some((input) => wanted.includes(input))) continue;
      if (isArgument) node.#saveArgument(name, args, inplace);
      else node.#results.add(name);
    }
    return node;
  }

  #saveArgument(name: string, args: readonly unknown[], inplace: boolean): void {
    if (this.#saved.has(name)) return;
    const index = this.#op.params.indexOf(name);
    const arg = args[index];
    if (arg instanceof Tensor) {
      const own = inplace && index === 0;
      this.#saved.set(name, new Saved(own ? arg.clone() : arg, false, false, own));
    } else if (Array.isArray(arg) && arg.some((t) => t instanceof Tensor)) {
      this.#saved.set(
        name,
        arg.map((t: Tensor | null) => t && new Saved(t, false)),
      );
    }
  }

  /** Saves what formulas need of the result, after the operation has run. */
  saveResults(result: unknown, inplaceOnView = false): void {
    for (const name of this.#results) {
      const value =
        result instanceof Tensor && name === 'result'
          ? result
          : (result as Readonly<Record<string, unknown>>)[name];
      if (!(value instanceof Tensor)) {
        throw new RuntimeError(
          `${this.#op.name}: the derivative needs '${name}', which is none of its results`,
        );
      }
      this.#saved.set(name, new Saved(value, true, inplaceOnView));
    }
  }

  /** The operation it differentiates, by its name in the derivative table. */
  get operation(): string {
    return this.#op.name;
  }

  get name(): string {
    return nodeName(this.#op, this.#args, this.#inplace);
  }

  override get fullName(): string {
    return this.#op.name === 'copy' ? `torch::autograd::${this.name}` : this.name;
  }

  apply(grads: readonly Gradient[], needed: (edge: number) => boolean): readonly Gradient[] {
    return runAs(this.#op.name, () => this.#gradients(grads, needed));
  }

  #gradients(grads: readonly Gradient[], needed: (edge: number) => boolean): readonly Gradient[] {
    const context = this.#context();
    const results: Gradient[] = new Array(this.edges.length).fill(undefined);
    let edge = 0;
    for (const input of this.#row.inputs) {
      const first = edge;
      const arg = this.#args[input.index];
      edge += Array.isArray(arg) ? arg.length : 1;
      let wanted = false;
      for (let i = first; i < edge; i++) wanted ||= this.edges[i] !== undefined && needed(i);
      if (!wanted) continue;
      const { formula, takes } = input.derivative;
      const g = takes === 'one' ? grads.find((t) => t !== undefined) : this.#listed(grads, takes);
      const gradient =
        (gradMode.enabled || takes !== 'one'
          ? undefined
          : fusedGradient(input, g as Tensor, context)) ?? formula(g as never, context as never);
      if (Array.isArray(arg)) {
        (gradient as readonly Gradient[]).forEach((t, i) => {
          results[first + i] = t;
        });
      } else results[first] = gradient as Gradient;
    }
    return results;
  }

  /** The gradients of all differentiable outputs, for `all` zeros where there is none. */
  #listed(grads: readonly Gradient[], takes: 'all' | 'given'): Gradient[] {
    const like = grads.find((t) => t !== undefined) as Tensor;
    const missing = ({ shape, dtype }: Geometry): Gradient =>
      takes === 'all' ? like.newZeros(shape, { dtype }) : undefined;
    return this.outputs.flatMap((output, i) => (output ? [grads[i] ?? missing(output)] : []));
  }

  #context(): Record<string, unknown> {
    const context: Record<string, unknown> = {};
    this.#op.params.forEach((name, i) => {
      context[name] = this.#args[i];
    });
    for (const [name, saved] of this.#saved) {
      context[name] =
        saved instanceof Saved
          ? saved.unpack(this)
          : saved.map((each) => each?.unpack(this) ?? null);
    }
    return context;
  }

  override get landing(): Device | undefined {
    if (this.#op.name !== 'toDevice') return undefined;
    const { device: to } = this.#args[0] as Geometry;
    const from = this.outputs[0]?.device;
    return from && !canMove(from, to) ? to : undefined;
  }

  override release(): void {
    for (const saved of this.#saved.values()) {
      for (const each of saved instanceof Saved ? [saved] : saved) each?.release();
    }
  }
}

const remains = (arg: unknown): unknown => {
  if (arg instanceof Tensor) return geometryOf(arg);
  return Array.isArray(arg) && arg.some((t) => t instanceof Tensor) ? arg.map(remains) : arg;
};

/** Whether the forward pass of a recorded operation is running, in which views are as good as recorded. */
let recording = false;

/** Runs `fn` unrecorded, as part of an operation that is. */
function within<T>(fn: () => T): T {
  const outer = recording;
  recording = true;
  const mode = enterMode(false);
  try {
    return fn();
  } finally {
    leaveMode(mode);
    recording = outer;
  }
}

/** Runs an operation and records it. */
export function record(op: Op, args: readonly unknown[]): unknown {
  const row = derivativesOf(op);
  const node = row && OpNode.of(row, op, args, false);
  const run = () => (op.forward as unknown as (...a: readonly unknown[]) => unknown)(...args);
  if (!node) return within(run);
  const result = within(run);
  if (result instanceof Tensor) {
    // An operation that had nothing to do returns its argument.
    if (args.includes(result)) return result;
    setOutput(result, node, args);
  } else {
    const outputs = Array.isArray(result) ? result : Object.values(result as object);
    const constants = row.constants.map((name) => (result as Record<string, unknown>)[name]);
    for (const output of outputs) {
      if (!(output instanceof Tensor)) continue;
      if (constants.includes(output)) node.addOutput(undefined);
      else setOutput(output, node, args);
    }
  }
  node.saveResults(result);
  return result;
}

function setOutput(output: Tensor, node: Node, args: readonly unknown[]): void {
  const differentiable = isFloatingPoint(output.dtype);
  const index = node.addOutput(differentiable ? output : undefined);
  if (!differentiable) return;
  const meta = ensureMeta(output);
  if (meta.view) {
    // A view of a temporary is a tensor of its own.
    if (!args.some((arg) => arg instanceof Tensor && baseOf(arg) === meta.view?.base)) {
      meta.view = undefined;
    }
  }
  meta.setHistory(node, index);
}

const baseOf = (t: Tensor): Tensor => metaOf(t)?.view?.base ?? t;

/** Runs an operation that overwrites its first argument, and makes the result that tensor's history. */
export function recordInplace(op: Op, args: readonly unknown[], run: () => void): Tensor {
  const self = args[0] as Tensor;
  const row = derivativesOf(op);
  const differentiable = row !== null && isFloatingPoint(self.dtype);
  if (differentiable) checkInplace(self);
  const node = differentiable ? OpNode.of(row, op, args, true) : undefined;
  within(run);
  if (node) {
    node.addOutput(self);
    rebaseHistory(self, node);
    node.saveResults(self, metaOf(self)?.view !== undefined);
  }
  return self;
}

/** Runs an operation that gives its first argument another shape, and makes the result that tensor's history. */
export function recordReshape(op: Op, args: readonly unknown[], run: () => void): Tensor {
  const self = args[0] as Tensor;
  checkInplace(self);
  const node = OpNode.of(derivativesOf(op) as Row, op, args, true);
  within(run);
  if (node) {
    node.addOutput(self);
    moveRetained(self, node, 0);
    ensureMeta(self).setHistory(node, 0);
  }
  return self;
}

/** @throws RuntimeError if a tensor may not be overwritten by an operation that is recorded. */
export function checkInplace(self: Tensor): void {
  const meta = metaOf(self);
  if (meta?.view) {
    checkCreation(meta, false);
    if (self.requiresGrad && meta.view.base.isLeaf) {
      throw new RuntimeError(
        'a view of a leaf Variable that requires grad is being used in an in-place operation.',
      );
    }
  }
  // As in PyTorch, a view counts as a leaf until it has a node of its own.
  if (self.requiresGrad && !meta?.currentNode) {
    throw new RuntimeError(
      'a leaf Variable that requires grad is being used in an in-place operation.',
    );
  }
}

/** Makes output `index` of `node` the history of a tensor that was overwritten; through a view, of its base. */
export function rebaseHistory(self: Tensor, node: Node, index = 0): void {
  const meta = ensureMeta(self);
  if (!meta.view) {
    moveRetained(self, node, index);
    meta.setHistory(node, index);
    return;
  }
  if (node.outputs.length > 1) {
    throw new RuntimeError('Functions which modify views in-place must return a single Variable');
  }
  const { base } = meta.view;
  const slices = new CopySlices(base, geometryOf(self), node, gradientEdge(base));
  moveRetained(base, slices, 0);
  ensureMeta(base).setHistory(slices, 0);
  // The view's own node is made anew from that of the base.
  void meta.gradFn;
}

/** A tensor that retains its gradient retains that of its newest value. */
function moveRetained(tensor: Tensor, node: Node, index: number): void {
  const meta = metaOf(tensor);
  const before = meta?.currentNode?.retained;
  if (!meta || before?.get(meta.outputNr) !== tensor) return;
  before.delete(meta.outputNr);
  node.retained = new Map([[index, tensor]]);
}

/** Notes that a view was made, whether or not it is recorded. */
export function noteView(view: Tensor, base: Tensor): void {
  if (!isFloatingPoint(view.dtype) || view.storage.inference) return;
  const above = metaOf(base)?.view;
  let creation: Creation = 'default';
  if (gradMode.inference) creation = 'inference';
  else if (!gradMode.enabled && !recording) creation = 'noGrad';
  ensureMeta(view).view = {
    tensor: view,
    base: above?.base ?? base,
    creation: creation === 'default' ? (above?.creation ?? 'default') : creation,
    version: view.counter.version,
  };
}

/** Notes that views were made by one operation. */
export function noteSeveralViews(views: readonly Tensor[]): void {
  if (gradMode.inference || (!gradMode.enabled && !recording)) return;
  for (const view of views) {
    const info = metaOf(view)?.view;
    if (info) info.creation = 'multi';
  }
}

setRegenerate((view, base) => {
  const op = operations.get('asStrided') as Op;
  const node = OpNode.of(
    derivativesOf(op) as Row,
    op,
    [base, view.shape, view.strides, view.offset],
    false,
    true,
  ) as OpNode;
  node.addOutput(view);
  return node;
});
