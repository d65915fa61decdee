import {
  canMove,
  canRead,
  fullLike,
  keep,
  kindOf,
  meant,
  pythonRepr,
  RuntimeError,
  type Tensor,
  Tensor as TensorClass,
  takes,
  tensor,
  undoable,
  ValueError,
} from '@sconce/core';
import { camelCase, snakeCase } from './keys.js';
import * as signatures from './signatures.js';
import { noteStep } from './stepped.js';

/** Numbers and flags an optimizer is set up with. */
export type Options = { [key: string]: OptionValue };
/** What an option may be. */
export type OptionValue = number | boolean | string | null | undefined | readonly number[];

/** Parameters that share options, as users pass them; options left out are the optimizer's defaults. */
export type ParamGroupInput<O> = { params: Iterable<Tensor> } & Partial<O>;

/** Parameters with their options, as the optimizer holds them; change `lr` and others at any time. */
export type ParamGroup<O> = { params: Tensor[]; initialLr?: number } & O;

/** What an optimizer remembers of one parameter, under PyTorch's names. */
export type ParamState = Record<string, StateValue>;
/** One entry of a parameter's state; lists hold the history of optimizers that look back. */
export type StateValue = Tensor | number | null | readonly (Tensor | number)[];

/** State and options as plain data, with PyTorch's keys; parameters are numbered in order. */
export interface OptimizerStateDict {
  state: Record<number, ParamState>;
  param_groups: ({ params: number[] } & Record<string, OptionValue | number[]>)[];
}

/** Options of an optimizer for all groups. */
export type OptimizerOptions<O> = Partial<O> & {
  /** How PyTorch is to compute a step; there is one way here, and it changes no result. */
  foreach?: boolean | null;
  /** As `foreach`. */
  fused?: boolean | null;
  /** As `foreach`. */
  capturable?: boolean;
};

/** Parameters to train: tensors, or groups with options of their own. */
export type Params<O> = Iterable<Tensor> | Iterable<ParamGroupInput<O>>;

/**
 * The base of optimizers: parameter groups, state, and their interchange with PyTorch.
 *
 * @see https://pytorch.org/docs/stable/optim.html#torch.optim.Optimizer
 */
export abstract class Optimizer<O extends object = Options> {
  readonly paramGroups: ParamGroup<O>[] = [];
  readonly state = new Map<Tensor, ParamState>();
  readonly defaults: O;
  /** Numbers of the state that PyTorch keeps as tensors on the cpu, and so has in its state dicts. */
  protected readonly scalarState: readonly string[] = ['step'];
  /**
   * PyTorch's options that choose among its implementations of a step, of which there is one here. State dicts
   * and reprs have them, so that they are PyTorch's to the key.
   */
  protected readonly torchOptions: Readonly<Record<string, boolean | null>> = { foreach: null };

  constructor(params: Params<O>, defaults: O) {
    takes(new.target.name, signatures.Optimizer, arguments);
    this.defaults = defaults;
    // A step of a subclass that replaces this one's is not seen.
    if (new.target.prototype.step === Optimizer.prototype.step) noteStep(this, false);
    if (params instanceof TensorClass) {
      throw new TypeError(
        'optimizer: params argument given to the optimizer should be an iterable of Tensors or of groups, got a Tensor; pass [tensor]',
      );
    }
    const list = [...params];
    if (list.length === 0) throw new ValueError('optimizer: got an empty parameter list');
    if (list[0] instanceof TensorClass)
      this.addParamGroup({ params: list as Tensor[] } as unknown as ParamGroupInput<O>);
    else for (const group of list) this.addParamGroup(group as ParamGroupInput<O>);
  }

  /**
   * Adds parameters, with options of their own, to those being trained.
   *
   * @throws ValueError if a tensor is no leaf, or already in a group; TypeError for an option that is misspelt or of another kind.
   */
  addParamGroup(group: ParamGroupInput<O>): void {
    this.#checkGroup(group);
    const params = [...group.params];
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const p of params) {
      if (!(p instanceof TensorClass))
        throw new TypeError(
          `optimizer: can only optimize Tensors, but one of the params is ${typeof p}`,
        );
      if (!p.isLeaf)
        throw new ValueError(
          "optimizer: can't optimize a non-leaf Tensor; pass the parameters themselves",
        );
      if (known.has(p))
        throw new ValueError('optimizer: some parameters appear in more than one parameter group');
      known.add(p);
    }
    if (new Set(params).size !== params.length) {
      throw new ValueError(
        'optimizer: a parameter appears twice in one group; pass each parameter once',
      );
    }
    this.paramGroups.push({
      ...this.defaults,
      ...withoutUndefined(group),
      params,
    } as unknown as ParamGroup<O>);
  }

  /** Groups may hold what users want to remember of them, but nothing that is nearly an option. */
  #checkGroup(group: ParamGroupInput<O>): void {
    const { name } = this.constructor;
    if (group === null || typeof group !== 'object' || !('params' in group)) {
      throw new TypeError(`${name}: a group must be an object with params: { params: [...] }`);
    }
    const defaults = this.defaults as Readonly<Record<string, unknown>>;
    const known = Object.keys(defaults);
    for (const [key, value] of Object.entries(group)) {
      if (key === 'params' || key === 'initialLr' || value === undefined) continue;
      const usual = defaults[key];
      const guess = key in defaults ? undefined : meant(key, known);
      if (guess !== undefined) {
        throw new TypeError(`${name}: unknown option '${key}' of a group; did you mean ${guess}?`);
      }
      if (typeof usual === 'number' && typeof value !== 'number') {
        throw new TypeError(
          `${name}: option '${key}' of a group must be a number, got ${kindOf(value)}`,
        );
      }
    }
  }

  /** Drops the gradients of all parameters, or fills them with zeros if `setToNone` is false. */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    takes('zeroGrad', signatures.Optimizer_zeroGrad, arguments);
    for (const p of this.parameters()) {
      if (p.grad === null) continue;
      if (options.setToNone === false) p.grad = p.grad.detach().fill_(0);
      else p.grad = null;
    }
  }

  /**
   * Updates the parameters from their gradients.
   *
   * @param closure computes the loss anew (clears gradients, runs forward and backward); its result is returned.
   */
  step(): undefined;
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    this.remember();
    noteStep(this, true);
    const loss = closure?.();
    for (const group of this.paramGroups) {
      for (const p of group.params) if (p.grad !== null) this.update(p, p.grad, group);
    }
    return loss;
  }

  /** Updates one parameter. */
  protected abstract update(param: Tensor, grad: Tensor, group: ParamGroup<O>): void;

  /** Has `withReads` take back a step that it has to repeat. */
  protected remember(): void {
    undoable(this.state, () => {
      const before = [...this.state].map(([p, state]) => [p, { ...state }] as const);
      return () => {
        this.state.clear();
        for (const [p, state] of before) this.state.set(p, state);
      };
    });
  }

  /** All parameters, group by group. */
  *parameters(): Generator<Tensor> {
    for (const group of this.paramGroups) yield* group.params;
  }

  /** The state of a parameter, made empty when first asked for. */
  protected stateOf(param: Tensor): ParamState {
    let state = this.state.get(param);
    if (!state) {
      state = {};
      this.state.set(param, state);
    }
    return state;
  }

  /** A tensor of a parameter's state, zeros (or `fill`) when first asked for. */
  protected tensorIn(state: ParamState, name: string, param: Tensor, fill = 0): Tensor {
    const known = state[name];
    if (known instanceof TensorClass) return known;
    // State outlives the step that makes it, whatever scope that runs in.
    const made = keep(fullLike(param.detach(), fill));
    state[name] = made;
    return made;
  }

  /** Counts a step of a parameter, and gives its number, from 1. */
  protected countStep(state: ParamState): number {
    const count = Number(state.step ?? 0) + 1;
    state.step = count;
    return count;
  }

  /**
   * Everything needed to go on later, as PyTorch names it.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.optim.Optimizer.state_dict.html
   */
  stateDict(): OptimizerStateDict {
    const numbers = new Map([...this.parameters()].map((p, i) => [p, i]));
    return {
      state: Object.fromEntries(
        [...this.state].map(([p, s]) => [numbers.get(p) as number, this.#exported(s)]),
      ),
      param_groups: this.paramGroups.map((group) => ({
        ...(Object.fromEntries(this.#optionsOf(group)) as Record<string, OptionValue>),
        params: group.params.map((p) => numbers.get(p) as number),
      })),
    };
  }

  /** The options of a group under PyTorch's names. */
  #optionsOf({ params: _, ...options }: ParamGroup<O>): [string, unknown][] {
    return Object.entries({ ...options, ...this.torchOptions }).map(([key, value]) => [
      snakeCase(key),
      value,
    ]);
  }

  /**
   * Takes state and options from a state dict; tensors are copied to the parameters' devices and dtypes.
   *
   * @throws ValueError if the groups do not have as many parameters.
   */
  loadStateDict(state: OptimizerStateDict): void {
    const sizes = (groups: readonly { params: readonly unknown[] }[]) =>
      groups.map((g) => g.params.length).join(', ');
    if (sizes(state.param_groups) !== sizes(this.paramGroups)) {
      throw new ValueError(
        `loadStateDict: loaded state dict has groups of ${sizes(state.param_groups)} parameters, the optimizer has ${sizes(this.paramGroups)}`,
      );
    }
    checkReach(state, this.paramGroups);
    this.state.clear();
    state.param_groups.forEach((saved, i) => {
      const group = this.paramGroups[i] as ParamGroup<O>;
      const { params, ...options } = saved;
      for (const [key, value] of Object.entries(options)) {
        if (!(key in this.torchOptions)) Object.assign(group, { [camelCase(key)]: value });
      }
      params.forEach((number, j) => {
        const own = state.state[number];
        const param = group.params[j];
        if (own === undefined || param === undefined) return;
        const copy = Object.entries(own).map(
          ([key, value]) => [key, this.#adopted(key, value, param)] as const,
        );
        this.state.set(param, Object.fromEntries(copy));
      });
    });
  }

  /**
   * As `loadStateDict`, also from devices whose values can only be read asynchronously.
   *
   * @example await optimizer.loadStateDictAsync(onWebGpu.stateDict());
   */
  async loadStateDictAsync(state: OptimizerStateDict): Promise<void> {
    // What is no state dict is told by the other.
    if (typeof state?.state !== 'object' || state.state === null) return this.loadStateDict(state);
    const near = async (value: StateValue | Tensor | number): Promise<StateValue> => {
      if (Array.isArray(value)) {
        return (await Promise.all(value.map(near))) as (Tensor | number)[];
      }
      const far = value instanceof TensorClass && !value.device.backend.synchronous;
      return far ? await value.detach().toAsync('cpu') : (value as StateValue);
    };
    const states = await Promise.all(
      Object.entries(state.state).map(async ([number, own]) => {
        const entries = Object.entries(own).map(async ([key, v]) => [key, await near(v)] as const);
        return [number, Object.fromEntries(await Promise.all(entries))] as const;
      }),
    );
    this.loadStateDict({ ...state, state: Object.fromEntries(states) });
  }

  #exported(state: ParamState): ParamState {
    const entries = Object.entries(state).map(([key, value]) => {
      const asTensor = typeof value === 'number' && this.scalarState.includes(key);
      return [key, asTensor ? tensor(value, { device: 'cpu' }) : value] as const;
    });
    return Object.fromEntries(entries);
  }

  /** A saved value as the optimizer holds it: numbers as numbers, tensors where the parameter lives. */
  #adopted(key: string, value: StateValue, param: Tensor): StateValue {
    if (!(value instanceof TensorClass)) {
      return Array.isArray(value)
        ? value.map((x) => (x instanceof TensorClass ? adopt(x, param) : x))
        : value;
    }
    if (key === 'step' || this.scalarState.includes(key)) return Number(value.itemSync());
    return adopt(value, param);
  }

  /** The text PyTorch prints: the options of each group. */
  toString(): string {
    const groups = this.paramGroups.map((group, i) => {
      const lines = this.#optionsOf(group)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `    ${key}: ${pythonText(value)}`);
      return `Parameter Group ${i}\n${lines.join('\n')}\n`;
    });
    return `${this.constructor.name} (\n${groups.join('\n')})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** @throws RuntimeError if a tensor of a state dict can only be read asynchronously, and has to be. */
function checkReach(
  state: OptimizerStateDict,
  groups: readonly { readonly params: readonly Tensor[] }[],
): void {
  const params = groups.flatMap((group) => group.params);
  state.param_groups
    .flatMap((group) => group.params)
    .forEach((number, i) => {
      for (const value of Object.values(state.state[number] ?? {}).flat()) {
        if (!(value instanceof TensorClass) || canRead(value)) continue;
        const { device } = params[i] as Tensor;
        if (value.numel() !== 1 && canMove(value.device, device)) continue;
        throw new RuntimeError(
          `loadStateDict: the state is on device '${value.device}', which can only be read asynchronously; use \`await optimizer.loadStateDictAsync(state)\``,
        );
      }
    });
}

/** A saved tensor where the parameter lives. */
function adopt(value: Tensor, param: Tensor): Tensor {
  const dtype = param.isFloatingPoint() ? param.dtype : undefined;
  return keep(value.detach().to({ dtype, device: param.device, copy: true }));
}

const withoutUndefined = (x: object): object =>
  Object.fromEntries(Object.entries(x).filter(([, v]) => v !== undefined));

const pythonText = (value: unknown): string =>
  Array.isArray(value)
    ? `(${value.map(pythonText).join(', ')})`
    : pythonRepr((value ?? null) as number | string | boolean | null);

/** @throws ValueError with PyTorch's words if a number is negative. */
export function checkNonNegative(name: string, value: number): void {
  if (!(value >= 0)) throw new ValueError(`Invalid ${name}: ${value}`);
}

/** @throws ValueError with PyTorch's words if a number is outside of [0, 1]. */
export function checkFraction(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ValueError(`Invalid ${name}: ${value}`);
}

/** @throws ValueError if a decay rate is outside of [0, 1). */
export function checkBetas(betas: readonly number[]): void {
  betas.forEach((beta, i) => {
    if (!(beta >= 0 && beta < 1))
      throw new ValueError(`Invalid beta parameter at index ${i}: ${beta}`);
  });
}
