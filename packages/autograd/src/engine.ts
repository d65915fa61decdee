import {
  currentScope,
  enterMode,
  leaveMode,
  ones,
  RuntimeError,
  Scope,
  type Storage,
  type Tensor,
  toAsync,
  whenDone,
} from '@sconce/core';
import { AccumulateGrad, accumulateInto } from './accumulate.js';
import { notePass } from './census.js';
import type { Geometry } from './geometry.js';
import { metaOf } from './meta.js';
import type { Edge, Gradient, Node } from './node.js';

/** One backward pass. */
export interface Task {
  readonly roots: readonly Edge[];
  /** Of the roots; ones where none is given. */
  readonly gradients: readonly Gradient[];
  readonly retainGraph: boolean;
  readonly createGraph: boolean;
  /** Gradients asked for; where given, nothing is accumulated into leaves. */
  readonly captures?: readonly (Edge | undefined)[];
}

/** What the pass knows of a node. */
interface Visit {
  /** Nodes that still have to send it a gradient. */
  waiting: number;
  /** The gradients of its outputs so far. */
  grads: Gradient[];
  /** Whether anything that is asked for lies at or behind it. */
  needed: boolean;
  /** Which captured gradients are outputs of it: positions in `captures`. */
  captures: number[] | undefined;
}

/**
 * The temporaries of one pass: which storages a node made, and how many gradients under way hold each.
 * A storage that is counted here has been seen by formulas of the table alone, which keep nothing.
 */
class Temporaries extends Scope {
  #made = new Set<Storage>();
  readonly #holders = new Map<Storage, number>();
  readonly #outer = currentScope();

  constructor() {
    super(undefined);
  }

  override add(storage: Storage): void {
    this.#made.add(storage);
  }

  /** Notes that a gradient under way holds `t`, if this pass made its memory. */
  hold(t: Tensor): void {
    const { storage } = t;
    const count = this.#holders.get(storage);
    if (count !== undefined) this.#holders.set(storage, count + 1);
    else if (this.#made.delete(storage)) this.#holders.set(storage, 1);
  }

  /** Takes back `hold`; the last one frees the memory. */
  drop(t: Tensor): void {
    const { storage } = t;
    const count = this.#holders.get(storage);
    if (count === undefined) return;
    if (count > 1) this.#holders.set(storage, count - 1);
    else {
      this.#holders.delete(storage);
      storage.dispose();
    }
  }

  /** Whether one gradient under way is all that holds the memory of `t`. */
  sole(t: Tensor): boolean {
    return this.#holders.get(t.storage) === 1;
  }

  /** Lets go of a storage that code outside of the table gets to see; from here on it is the collector's. */
  escape(t: Tensor): void {
    if (this.#holders.delete(t.storage) || this.#made.delete(t.storage)) {
      this.#outer?.add(t.storage);
    }
  }

  /** Frees what the last step made and nothing holds; or hands it out, if others saw it. */
  sweep(seen: boolean): void {
    for (const storage of this.#made) {
      if (seen) this.#outer?.add(storage);
      else storage.dispose();
    }
    this.#made.clear();
  }
}

/**
 * Runs a backward pass; the captured gradients, undefined where nothing flowed.
 *
 * @param instead what to call where a gradient has to be waited for.
 * @throws RuntimeError if one has to, before anything is accumulated.
 */
export function runBackward(task: Task, instead: string): Gradient[] {
  return new Pass(task).run(instead);
}

/** As `runBackward`, waiting for gradients on their way from devices that can only be read asynchronously. */
export function runBackwardAsync(task: Task): Promise<Gradient[]> {
  return new Pass(task).runAsync();
}

/** A node whose gradient is on its way to the device that goes on with it. */
interface Arrival {
  readonly node: Node;
  readonly gradient: Promise<Tensor>;
}

class Pass {
  readonly #task: Task;
  readonly #visits = new Map<Node, Visit>();
  readonly #ready = new ReadyQueue();
  readonly #captured: Gradient[];
  /** Absent where the pass itself is recorded: then the graph holds what it makes. */
  readonly #temporaries: Temporaries | undefined;

  constructor(task: Task) {
    notePass();
    this.#task = task;
    this.#captured = (task.captures ?? []).map(() => undefined);
    this.#temporaries = task.createGraph ? undefined : new Temporaries();
  }

  run(instead: string): Gradient[] {
    this.#explore();
    for (const [node, { needed }] of this.#visits) {
      const to = needed ? node.landing : undefined;
      if (!to) continue;
      throw new RuntimeError(
        `backward: a gradient has to go from device '${node.outputs[0]?.device}', which can only be read asynchronously, to '${to}'; use \`await ${instead === 'gradAsync' ? 'gradAsync(outputs, inputs)' : `loss.${instead}()`}\``,
      );
    }
    this.#stretch(() => {
      this.#begin();
      this.#proceed();
    });
    return this.#captured;
  }

  async runAsync(): Promise<Gradient[]> {
    this.#explore();
    let arrival = this.#stretch(() => {
      this.#begin();
      return this.#proceed();
    });
    while (arrival) {
      const { node } = arrival;
      const gradient = await arrival.gradient;
      arrival = this.#stretch(() => {
        const { grads } = this.#visits.get(node) as Visit;
        this.#temporaries?.hold(gradient);
        this.#temporaries?.drop(grads[0] as Tensor);
        grads[0] = gradient;
        this.#depart(node);
        return this.#proceed();
      });
    }
    return this.#captured;
  }

  /** Runs a part of the pass that nothing is waited for in. */
  #stretch<T>(part: () => T): T {
    const outer = enterMode(this.#task.createGraph);
    try {
      return this.#temporaries ? this.#temporaries.run(part) : part();
    } finally {
      leaveMode(outer);
    }
  }

  #begin(): void {
    const { roots, gradients } = this.#task;
    roots.forEach((edge, i) => {
      const { shape, dtype, device } = edge.node.outputs[edge.index] as Geometry;
      this.#send(edge, gradients[i] ?? ones(shape, { dtype, device }));
    });
    for (const { node } of roots) this.#enqueue(node);
  }

  /** Visits nodes until all are done, or the gradient of one has to be waited for. */
  #proceed(): Arrival | undefined {
    for (let node = this.#ready.pop(); node; node = this.#ready.pop()) {
      const visit = this.#visits.get(node) as Visit;
      this.#arrive(node, visit);
      const to = visit.needed ? node.landing : undefined;
      const [gradient] = visit.grads;
      if (to && gradient) return { node, gradient: toAsync(gradient, to) };
      this.#depart(node);
    }
    return undefined;
  }

  /** Finds the nodes that can be reached, counts who leads to each, and marks those that are needed. */
  #explore(): void {
    const { roots, captures } = this.#task;
    const stack: Node[] = [];
    const reach = (node: Node): Visit => {
      let visit = this.#visits.get(node);
      if (!visit) {
        visit = { waiting: 0, grads: [], needed: captures === undefined, captures: undefined };
        this.#visits.set(node, visit);
        stack.push(node);
      }
      return visit;
    };
    for (const { node } of roots) reach(node);
    for (let node = stack.pop(); node; node = stack.pop()) {
      for (const edge of node.edges) if (edge) reach(edge.node).waiting++;
    }
    if (!captures) return;
    captures.forEach((edge, i) => {
      const visit = edge && this.#visits.get(edge.node);
      if (!visit) return;
      visit.captures ??= [];
      visit.captures.push(i);
    });
    // Edges lead to older nodes, so that what is behind a node is decided before it.
    const nodes = [...this.#visits.keys()].sort((a, b) => a.sequence - b.sequence);
    for (const node of nodes) {
      (this.#visits.get(node) as Visit).needed = node.edges.some((edge) => {
        const next = edge && this.#visits.get(edge.node);
        return next !== undefined && (next.needed || next.captures !== undefined);
      });
    }
  }

  #enqueue(node: Node): void {
    const visit = this.#visits.get(node) as Visit;
    if (visit.waiting !== 0) return;
    visit.waiting = -1; // once
    this.#ready.push(node);
  }

  /** Adds a gradient to those that a node has got. */
  #send({ node, index }: Edge, gradient: Tensor): void {
    const { grads } = this.#visits.get(node) as Visit;
    const before = grads[index];
    const temporaries = this.#temporaries;
    if (!before) {
      temporaries?.hold(gradient);
      grads[index] = gradient;
    } else if (
      temporaries?.sole(before) &&
      before.isContiguous() &&
      before.dtype === gradient.dtype
    ) {
      before.add_(gradient);
    } else {
      const total = before.add(gradient);
      temporaries?.hold(total);
      temporaries?.drop(before);
      grads[index] = total;
    }
  }

  /** What happens to the gradients of a node before they go through it. */
  #arrive(node: Node, visit: Visit): void {
    if (visit.grads.every((g) => g === undefined)) return;
    this.#tensorHooks(node, visit.grads);
    this.#capture(visit);
  }

  #depart(node: Node): void {
    const visit = this.#visits.get(node) as Visit;
    const { grads } = visit;
    if (grads.some((g) => g !== undefined)) {
      if (node instanceof AccumulateGrad) this.#accumulate(node, grads);
      else if (visit.needed) this.#apply(node, grads);
      for (const g of grads) if (g) this.#temporaries?.drop(g);
    }
    visit.grads = [];
    for (const edge of node.edges) {
      if (!edge) continue;
      (this.#visits.get(edge.node) as Visit).waiting--;
      this.#enqueue(edge.node);
    }
  }

  /** Hooks on the tensors whose gradients have arrived, then those that retain their gradient. */
  #tensorHooks(node: Node, grads: Gradient[]): void {
    const { tensorHooks, retained } = node;
    if (tensorHooks) {
      for (const [index, hooks] of tensorHooks) {
        for (const { hook } of [...hooks]) {
          const g = grads[index];
          if (!g) break;
          this.#temporaries?.escape(g);
          const replaced = hook(g);
          this.#temporaries?.sweep(true);
          if (replaced) {
            checkReplaced(replaced, g);
            grads[index] = replaced;
          }
        }
      }
    }
    if (retained) {
      for (const [index, tensor] of retained) {
        const g = grads[index];
        if (g) accumulateInto(tensor, g, this.#task.createGraph, false);
      }
      this.#temporaries?.sweep(true);
    }
  }

  #capture(visit: Visit): void {
    const { captures } = this.#task;
    for (const i of visit.captures ?? []) {
      const { index } = (captures as readonly Edge[])[i] as Edge;
      const g = visit.grads[index];
      if (!g) continue;
      this.#temporaries?.escape(g);
      this.#captured[i] = g;
    }
  }

  #accumulate({ leaf, prehooks, posthooks }: AccumulateGrad, grads: Gradient[]): void {
    if (this.#task.captures) return;
    if (metaOf(leaf)?.currentNode) {
      throw new RuntimeError('leaf variable has been moved into the graph interior');
    }
    // What stopped to require a gradient since gathers none.
    if (!leaf.requiresGrad) return;
    const given = prehooks ? this.#prehooks(prehooks, grads) : grads;
    const [g] = given;
    if (!g) return;
    const temporaries = this.#temporaries;
    const owned = temporaries?.sole(g) ?? false;
    if (accumulateInto(leaf, g, this.#task.createGraph, owned)) temporaries?.escape(g);
    temporaries?.sweep(true);
    if (posthooks) this.#posthooks(posthooks, [], given);
  }

  #apply(node: Node, grads: Gradient[]): void {
    const { retainGraph } = this.#task;
    const temporaries = this.#temporaries;
    const given = node.prehooks ? this.#prehooks(node.prehooks, grads) : grads;
    if (!node.builtIn) for (const g of given) if (g) temporaries?.escape(g);
    let results: readonly Gradient[] = node.apply(given, (i) => {
      const edge = node.edges[i];
      return edge !== undefined && this.#wanted(edge);
    });
    if (!node.builtIn) temporaries?.sweep(true);
    results = results.map((g, i) => {
      const edge = node.edges[i];
      return g && edge ? conform(g, edge.node.outputs[edge.index] as Geometry, node, i) : undefined;
    });
    if (node.posthooks) {
      for (const g of [...results, ...given]) if (g) temporaries?.escape(g);
      results = this.#posthooks(node.posthooks, results, given);
    }
    if (!retainGraph) whenDone(() => node.release());
    // All are held before any is summed in place: two of them may share memory.
    for (const g of results) if (g) temporaries?.hold(g);
    results.forEach((g, i) => {
      const edge = node.edges[i];
      if (g && edge && this.#wanted(edge)) this.#send(edge, g);
    });
    for (const g of results) if (g) temporaries?.drop(g);
    temporaries?.sweep(false);
  }

  #wanted({ node }: Edge): boolean {
    const visit = this.#visits.get(node);
    return visit !== undefined && (visit.needed || visit.captures !== undefined);
  }

  #prehooks(hooks: NonNullable<Node['prehooks']>, grads: readonly Gradient[]): Gradient[] {
    let given = [...grads];
    for (const { hook } of [...hooks]) {
      for (const g of given) if (g) this.#temporaries?.escape(g);
      const replaced = hook(given.map((g) => g ?? null));
      this.#temporaries?.sweep(true);
      if (replaced) given = replaced.map((g) => g ?? undefined);
    }
    return given;
  }

  #posthooks(
    hooks: NonNullable<Node['posthooks']>,
    results: readonly Gradient[],
    grads: readonly Gradient[],
  ): readonly Gradient[] {
    let now = results;
    for (const { hook } of [...hooks]) {
      const replaced = hook(
        now.map((g) => g ?? null),
        grads.map((g) => g ?? null),
      );
      this.#temporaries?.sweep(true);
      if (replaced) now = replaced.map((g) => g ?? undefined);
    }
    return now;
  }
}

function checkReplaced(replaced: Tensor, g: Tensor): void {
  if (replaced.shape.join() !== g.shape.join()) {
    throw new RuntimeError(
      `hook '' has changed the size of value: expected [${g.shape.join(', ')}], got [${replaced.shape.join(', ')}]`,
    );
  }
}

/** A gradient in the shape and dtype of what it is the gradient of: broadcasting is undone. */
function conform(g: Tensor, target: Geometry, node: Node, index: number): Tensor {
  let result = g;
  if (g.shape.length !== target.shape.length || g.shape.some((s, i) => s !== target.shape[i])) {
    const lead = g.shape.length - target.shape.length;
    if (lead < 0 || target.shape.some((s, i) => s !== 1 && s !== g.shape[i + lead])) {
      throw new RuntimeError(
        `Function ${node.name} returned an invalid gradient at index ${index} - got [${g.shape.join(', ')}] but expected shape compatible with [${target.shape.join(', ')}]`,
      );
    }
    result = g.sumToSize(target.shape);
  }
  return result.dtype === target.dtype ? result : result.to(target.dtype);
}

/** Nodes whose gradients are complete: leaves first, then the newest. */
class ReadyQueue {
  readonly #leaves: Node[] = [];
  readonly #heap: Node[] = [];

  push(node: Node): void {
    if (node instanceof AccumulateGrad) {
      this.#leaves.push(node);
      return;
    }
    const heap = this.#heap;
    let i = heap.length;
    heap.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as Node).sequence >= node.sequence) break;
      heap[i] = heap[parent] as Node;
      i = parent;
    }
    heap[i] = node;
  }

  pop(): Node | undefined {
    if (this.#leaves.length > 0) return this.#leaves.shift();
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (
        child + 1 < heap.length &&
        (heap[child + 1] as Node).sequence > (heap[child] as Node).sequence
      ) {
        child++;
      }
      if ((heap[child] as Node).sequence <= last.sequence) break;
      heap[i] = heap[child] as Node;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
