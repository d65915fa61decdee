import {
  enterMode,
  gradMode,
  isFloatingPoint,
  leaveMode,
  RuntimeError,
  Tensor,
} from '@sconce/core';
import { geometryOf } from './geometry.js';
import { ensureMeta, gradientEdge, metaOf } from './meta.js';
import { type Edge, type Gradient, Node } from './node.js';
import { checkInplace, rebaseHistory } from './record.js';
import { Saved } from './saved.js';

/** What the `backward` of a `Function` may return for an input. */
export type FunctionGradient = Tensor | null | undefined;

/** What a `Function` may save for backward. */
type SavedTensors = readonly (Tensor | null)[];

/**
 * What `forward` and `backward` of a `Function` share.
 *
 * @typeParam S the tensors saved, in order: `FunctionContext<[Tensor, Tensor]>`.
 * @typeParam A what else is kept in `attributes`.
 */
export class FunctionContext<
  S extends SavedTensors = SavedTensors,
  A extends object = Record<string, unknown>,
> {
  /** By input: whether its gradient is wanted. */
  readonly needsInputGrad: readonly boolean[];
  /** Anything else that backward needs: shapes, numbers, flags. */
  readonly attributes = {} as A;
  /** @internal */
  readonly dirty = new Set<Tensor>();
  /** @internal */
  readonly constant = new Set<Tensor>();
  /** @internal */
  toSave: SavedTensors = [];
  /** @internal */
  materialize = true;
  /** @internal */
  unpack: (() => SavedTensors) | undefined = undefined;

  /** @internal */
  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /** Keeps inputs or outputs for backward, where `savedTensors` has them; call it once, in forward. */
  saveForBackward(...tensors: S): void {
    this.toSave = tensors;
  }

  /**
   * What was saved, in order.
   *
   * @throws RuntimeError if the graph was freed, or a tensor was written in place since.
   */
  get savedTensors(): S {
    return (this.unpack?.() ?? []) as unknown as S;
  }

  /** Declares inputs that forward overwrites and returns. */
  markDirty(...tensors: readonly Tensor[]): void {
    for (const t of tensors) this.dirty.add(t);
  }

  /** Declares outputs that no gradient goes through. */
  markNonDifferentiable(...tensors: readonly Tensor[]): void {
    for (const t of tensors) this.constant.add(t);
  }

  /** Whether backward gets zeros (true, the default) or null for outputs without a gradient. */
  setMaterializeGrads(value: boolean): void {
    this.materialize = value;
  }
}

type Outputs = Tensor | readonly Tensor[];

/** What `apply` needs of a subclass. */
export interface FunctionClass<A extends readonly unknown[], R extends Outputs> {
  readonly name: string;
  forward(context: never, ...args: A): R;
  backward(context: never, ...grads: Tensor[]): FunctionGradient | readonly FunctionGradient[];
}

/**
 * An operation with a derivative of one's own.
 *
 * Subclasses have a static `forward(ctx, ...args)`, which is not recorded, and a static `backward(ctx, ...grads)`, which
 * gets one gradient an output and returns one an argument (null or undefined for those without).
 *
 * @see https://pytorch.org/docs/stable/notes/extending.html
 * @example
 * class Square extends Function {
 *   static forward(ctx: FunctionContext<[Tensor]>, x: Tensor): Tensor {
 *     ctx.saveForBackward(x);
 *     return x.mul(x);
 *   }
 *   static backward(ctx: FunctionContext<[Tensor]>, g: Tensor): Tensor {
 *     const [x] = ctx.savedTensors;
 *     return g.mul(x).mul(2);
 *   }
 * }
 * const y = Square.apply(x);
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: PyTorch's name; import it under another where that disturbs
// biome-ignore lint/complexity/noStaticOnlyClass: subclasses are never instantiated, as in PyTorch
export abstract class Function {
  /** Runs `forward` and records `backward` as its derivative. */
  static apply<A extends readonly unknown[], R extends Outputs>(
    this: FunctionClass<A, R>,
    ...args: A
  ): R {
    // biome-ignore lint/complexity/noThisInStatic: the subclass that apply is called on
    return run(this, args);
  }
}

/** The node of a call of a `Function`. */
class FunctionNode extends Node {
  readonly #owner: FunctionClass<readonly unknown[], Outputs>;
  readonly #context: FunctionContext;
  /** Which edge belongs to each argument; -1 for those that are not tensors. */
  readonly #edgeOf: readonly number[];
  #saved: (Saved | null)[] = [];

  constructor(
    owner: FunctionClass<readonly unknown[], Outputs>,
    context: FunctionContext,
    edges: readonly (Edge | undefined)[],
    edgeOf: readonly number[],
  ) {
    super(edges);
    this.#owner = owner;
    this.#context = context;
    this.#edgeOf = edgeOf;
    context.unpack = () => this.#saved.map((saved) => saved?.unpack(this) ?? null);
  }

  get name(): string {
    return `${this.#owner.name}Backward`;
  }

  override get builtIn(): boolean {
    return false;
  }

  save(tensors: SavedTensors, outputs: ReadonlySet<Tensor>): void {
    this.#saved = tensors.map((t) => (t ? new Saved(t, outputs.has(t)) : null));
  }

  apply(grads: readonly Gradient[]): readonly Gradient[] {
    const like = grads.find((g) => g !== undefined) as Tensor;
    const given = this.outputs.map((output, i) => {
      const g = grads[i];
      if (g || !output || !this.#context.materialize) return g ?? null;
      return like.newZeros(output.shape, { dtype: output.dtype });
    });
    const returned = this.#owner.backward(this.#context as never, ...(given as Tensor[]));
    const list: readonly FunctionGradient[] = Array.isArray(returned)
      ? (returned as readonly FunctionGradient[])
      : [returned as FunctionGradient];
    const expected = this.#edgeOf.length;
    if (list.slice(expected).some((g) => g) || list.length < expected) {
      throw new RuntimeError(
        `function ${this.name} returned an incorrect number of gradients (expected ${expected}, got ${list.length})`,
      );
    }
    const results: Gradient[] = new Array(this.edges.length).fill(undefined);
    this.#edgeOf.forEach((edge, i) => {
      const g = list[i];
      if (edge >= 0) results[edge] = g ?? undefined;
      else if (g) {
        throw new RuntimeError(
          `function ${this.name} returned a gradient different from None at position ${i + 1}, but the corresponding forward input was not a Variable`,
        );
      }
    });
    return results;
  }

  override release(): void {
    for (const saved of this.#saved) saved?.release();
  }
}

function run<A extends readonly unknown[], R extends Outputs>(
  owner: FunctionClass<A, R>,
  args: A,
): R {
  const tensors = args.filter((a): a is A[number] & Tensor => a instanceof Tensor);
  const recorded = gradMode.enabled && tensors.some((t) => t.requiresGrad);
  const edges: (Edge | undefined)[] = [];
  const edgeOf = args.map((a) =>
    a instanceof Tensor ? edges.push(recorded ? gradientEdge(a) : undefined) - 1 : -1,
  );
  const context = new FunctionContext(
    args.map((a) => recorded && a instanceof Tensor && a.requiresGrad),
  );
  const node = recorded
    ? new FunctionNode(
        owner as unknown as FunctionClass<readonly unknown[], Outputs>,
        context,
        edges,
        edgeOf,
      )
    : undefined;
  const mode = enterMode(false);
  let result: R;
  try {
    result = owner.forward(context as never, ...args);
  } finally {
    leaveMode(mode);
  }
  const outputs: readonly Tensor[] = result instanceof Tensor ? [result] : result;
  const wrapped = outputs.map((output) => wrap(output, node, context, tensors));
  if (node) node.save(context.toSave, new Set(wrapped.filter((t) => metaOf(t)?.gradFn === node)));
  return (result instanceof Tensor ? wrapped[0] : wrapped) as R;
}

/** An output of `forward`, as an output of the node. */
function wrap(
  output: Tensor,
  node: FunctionNode | undefined,
  context: FunctionContext,
  inputs: readonly Tensor[],
): Tensor {
  const dirty = context.dirty.has(output);
  const given = inputs.includes(output);
  if (!node) return output;
  const differentiable = isFloatingPoint(output.dtype) && !context.constant.has(output);
  const index = node.outputs.push(differentiable ? geometryOf(output) : undefined) - 1;
  if (!differentiable) return given && !dirty ? output.detach() : output;
  if (dirty) {
    checkInplace(output);
    rebaseHistory(output, node, index);
    return output;
  }
  let result = output;
  // An input returned as it is becomes a view of it with a history of its own.
  if (given) result = output.detach();
  const meta = ensureMeta(result);
  if (given || meta.view) {
    const base = meta.view?.base ?? metaOf(output)?.view?.base ?? output;
    const { version } = result.counter;
    meta.view = { tensor: result, base, creation: 'custom', version };
  }
  meta.setHistory(node, index);
  return result;
}
