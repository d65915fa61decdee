import { RuntimeError, Tensor, to } from '@sconce/core';
import { type Target, wanted } from './conversion.js';
import { type HookHandle, Hooks } from './hooks.js';
import { Parameter } from './parameter.js';
import { moduleRepr } from './repr.js';
import { collectState, type LoadResult, loadState, type StateDict } from './state-dict.js';

/** Called before forward; what it returns (an array) replaces the arguments. */
export type ForwardPreHook = (
  module: Module,
  args: readonly unknown[],
) => readonly unknown[] | undefined;
/** Called after forward; what it returns replaces the output. */
export type ForwardHook = (module: Module, args: readonly unknown[], output: unknown) => unknown;

/** What a module registered under a name. */
export interface BufferOptions {
  /** Whether the buffer is part of the state dict; default true. */
  persistent?: boolean;
}

interface Registry {
  training: boolean;
  readonly buffers: Map<string, { persistent: boolean }>;
  readonly preHooks: Hooks<ForwardPreHook>;
  readonly forwardHooks: Hooks<ForwardHook>;
}

const registries = new WeakMap<object, Registry>();

export interface Module {
  /** What the module computes; every subclass defines it. Call the module itself, so that hooks run. */
  // biome-ignore lint/suspicious/noExplicitAny: a subclass says what its forward takes and gives
  forward(...args: any[]): any;
  /** Runs the module: hooks, then `forward`. */
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/**
 * The base of all layers and models. Parameters, buffers and submodules are found among the instance's own
 * properties, in the order they were assigned; a plain array of modules is not registered (use `ModuleList`),
 * nor is a plain tensor (use `Parameter` or `registerBuffer`). Instances are callable.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html
 * @example
 * class Net extends Module {
 *   fc1 = new Linear(784, 64);
 *   fc2 = new Linear(64, 10);
 *   forward(x: Tensor): Tensor {
 *     return this.fc2(this.fc1(x).relu());
 *   }
 * }
 * const y = new Net()(x);
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface gives instances their call signature
export class Module {
  /** Names of properties in state dicts where they differ: `{ runningMean: 'running_mean' }`. */
  static readonly stateKeys: Readonly<Record<string, string>> = {};

  constructor() {
    const self = ((...args: unknown[]) => callModule(self as unknown as Module, args)) as object;
    Object.setPrototypeOf(self, new.target.prototype);
    // A function's own `name` and `length` would hide properties of these names.
    Reflect.deleteProperty(self, 'name');
    Reflect.deleteProperty(self, 'length');
    registries.set(self, {
      training: true,
      buffers: new Map(),
      preHooks: new Hooks(),
      forwardHooks: new Hooks(),
    });
    // biome-ignore lint/correctness/noConstructorReturn: instances are functions
    return self as this;
  }

  /** Whether the module is in training mode; see `train` and `eval`. */
  get training(): boolean {
    return registry(this).training;
  }

  set training(mode: boolean) {
    registry(this).training = mode;
  }

  /** Sets training mode here and in all submodules; returns the module. */
  train(mode = true): this {
    for (const m of this.modules()) m.training = mode;
    return this;
  }

  /** Sets evaluation mode (dropout off, batch norm by running statistics); returns the module. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Registers a tensor that is state but not trained; it becomes the property `name`.
   *
   * @example this.registerBuffer('mask', ones([8, 8]).tril());
   */
  registerBuffer(name: string, tensor: Tensor | null, options: BufferOptions = {}): void {
    checkName(this, name);
    registry(this).buffers.set(name, { persistent: options.persistent ?? true });
    define(this, name, tensor);
  }

  /** Registers a parameter under a name that is not a property of the class, or as absent (`null`). */
  registerParameter(name: string, parameter: Parameter | null): void {
    checkName(this, name);
    define(this, name, parameter);
  }

  /** Adds a submodule under a name; as assigning it to a property. */
  addModule(name: string, module: Module | null): void {
    checkName(this, name);
    define(this, name, module);
  }

  /** As `addModule`. */
  registerModule(name: string, module: Module | null): void {
    this.addModule(name, module);
  }

  /** Direct submodules with their names; each object once. */
  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, value] of entries(this)) {
      if (value instanceof Module && !seen.has(value)) {
        seen.add(value);
        yield [stateKey(this, name), value];
      }
    }
  }

  /** Direct submodules. */
  *children(): Generator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below it, with their paths (`''` for itself); each object once. */
  *namedModules(prefix = '', seen: Set<Module> = new Set()): Generator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, value] of entries(this)) {
      if (value instanceof Module) {
        yield* value.namedModules(join(prefix, stateKey(this, name)), seen);
      }
    }
  }

  /** This module and all below it. */
  *modules(): Generator<Module> {
    for (const [, m] of this.namedModules()) yield m;
  }

  /** Parameters with their paths; each object once. */
  *namedParameters(
    options: { prefix?: string; recurse?: boolean } = {},
  ): Generator<[string, Parameter]> {
    yield* named(this, options, (module) =>
      entries(module).filter((x): x is [string, Parameter] => x[1] instanceof Parameter),
    );
  }

  /** Parameters: what an optimizer takes. */
  *parameters(options: { recurse?: boolean } = {}): Generator<Parameter> {
    for (const [, p] of this.namedParameters(options)) yield p;
  }

  /** Buffers with their paths; each object once. */
  *namedBuffers(options: { prefix?: string; recurse?: boolean } = {}): Generator<[string, Tensor]> {
    yield* named(this, options, (module) => {
      const { buffers } = registry(module);
      return entries(module).filter(
        (x): x is [string, Tensor] => buffers.has(x[0]) && x[1] instanceof Tensor,
      );
    });
  }

  /** Buffers. */
  *buffers(options: { recurse?: boolean } = {}): Generator<Tensor> {
    for (const [, b] of this.namedBuffers(options)) yield b;
  }

  /**
   * The submodule at a dotted path; the module itself for `''`.
   *
   * @throws RuntimeError if there is none.
   */
  getSubmodule(path: string): Module {
    let found: Module = this;
    for (const name of path === '' ? [] : path.split('.')) {
      const holder = found;
      const property = propertyNamed(holder, name);
      const next =
        property === undefined
          ? undefined
          : (holder as unknown as Record<string, unknown>)[property];
      if (!(next instanceof Module)) {
        throw new RuntimeError(
          `getSubmodule: ${found.getName()} has no submodule '${name}' (path '${path}')`,
        );
      }
      found = next;
    }
    return found;
  }

  /** Calls `fn` on every submodule, then on this module; returns the module. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * Moves and converts parameters and buffers, in place: optimizers keep referring to them. A dtype applies to
   * floating-point ones only. Returns the module.
   *
   * @throws RuntimeError if the device is not ready, or values can only be read asynchronously (`toAsync`).
   * @example model.to('webgpu');
   */
  to(target: Target): this {
    return this.convert((t) => to(t.detach(), wanted(t, target)));
  }

  /** As `to`, also from devices whose values can only be read asynchronously. */
  async toAsync(target: Target): Promise<this> {
    const ready = new Map<Tensor, Tensor>();
    for (const t of this.tensors()) ready.set(t, await t.detach().toAsync(wanted(t, target)));
    return this.convert((t) => ready.get(t) as Tensor);
  }

  /** As `to('float32')`. */
  float(): this {
    return this.to('float32');
  }

  /** As `to('float64')`. */
  double(): this {
    return this.to('float64');
  }

  /** As `to('float16')`. */
  half(): this {
    return this.to('float16');
  }

  /** As `to('bfloat16')`. */
  bfloat16(): this {
    return this.to('bfloat16');
  }

  /** As `to('cpu')`. */
  cpu(): this {
    return this.to('cpu');
  }

  /** Sets whether gradients flow to the parameters; returns the module. */
  requiresGrad_(value = true): this {
    for (const p of this.parameters()) p.requiresGrad_(value);
    return this;
  }

  /** Drops the gradients of all parameters. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.grad = null;
  }

  /**
   * Parameters and persistent buffers by their paths, sharing memory with the module; keys are exactly PyTorch's.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
   */
  stateDict(prefix = ''): StateDict {
    return collectState(this, prefix);
  }

  /**
   * Copies values into parameters and buffers.
   *
   * @param options.strict throw if keys are missing or unexpected; default true.
   * @returns the missing and the unexpected keys.
   * @throws RuntimeError on a difference of keys (strict) or of shapes.
   */
  loadStateDict(
    state: StateDict | Readonly<Record<string, Tensor>>,
    options: { strict?: boolean } = {},
  ): LoadResult {
    return loadState(this, state, options.strict ?? true);
  }

  /** Calls `hook` before every forward. */
  registerForwardPreHook(hook: ForwardPreHook): HookHandle {
    return registry(this).preHooks.add(hook);
  }

  /** Calls `hook` after every forward. */
  registerForwardHook(hook: ForwardHook): HookHandle {
    return registry(this).forwardHooks.add(hook);
  }

  /** The class name, as the repr shows it. */
  getName(): string {
    return this.constructor.name.replace(/^_+/, '');
  }

  /** The part of the repr between the parentheses. */
  extraRepr(): string {
    return '';
  }

  /** PyTorch's repr of the module. */
  toString(): string {
    return moduleRepr(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** @internal Every parameter and buffer of the tree, once. */
  *tensors(): Generator<Tensor> {
    yield* this.parameters();
    yield* this.buffers();
  }

  /** @internal Replaces the memory of every parameter and buffer, and of gradients. */
  private convert(fn: (t: Tensor) => Tensor): this {
    for (const t of this.tensors()) {
      const { grad } = t;
      t.data = fn(t);
      if (grad) {
        t.grad = null;
        t.grad = fn(grad);
      }
    }
    return this;
  }
}

const registry = (module: Module): Registry => registries.get(module) as Registry;

/** The hooks that run before and after a module. */
export const hooksOf = (module: Module): Pick<Registry, 'preHooks' | 'forwardHooks'> =>
  registry(module);

/** Own properties that can hold state, in order of assignment. */
export function entries(module: Module): [string, unknown][] {
  return Object.entries(module);
}

/** Names and persistence of a module's buffers. */
export const bufferNames = (module: Module): ReadonlyMap<string, { persistent: boolean }> =>
  registry(module).buffers;

/** The property of that name, or of that name in state dicts. */
export const propertyNamed = (module: Module, name: string): string | undefined =>
  Object.keys(module).find((key) => key === name || stateKey(module, key) === name);

const join = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

/** The name of a property in state dicts. */
export const stateKey = (module: Module, property: string): string =>
  (module.constructor as typeof Module).stateKeys[property] ?? property;

function* named<T extends Tensor>(
  root: Module,
  options: { prefix?: string; recurse?: boolean },
  own: (module: Module) => [string, T][],
): Generator<[string, T]> {
  const seen = new Set<T>();
  const modules: Iterable<[string, Module]> =
    options.recurse === false
      ? [[options.prefix ?? '', root]]
      : root.namedModules(options.prefix ?? '');
  for (const [path, module] of modules) {
    for (const [name, value] of own(module)) {
      if (seen.has(value)) continue;
      seen.add(value);
      yield [join(path, stateKey(module, name)), value];
    }
  }
}

function define(module: Module, name: string, value: unknown): void {
  Object.defineProperty(module, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function checkName(module: Module, name: string): void {
  if (name === '' || name.includes('.')) {
    throw new RuntimeError(
      `${module.getName()}: a name may not be empty or contain a dot, got '${name}'`,
    );
  }
  if (name in module && !Object.hasOwn(module, name)) {
    throw new RuntimeError(`${module.getName()}: attribute '${name}' already exists`);
  }
}

function callModule(module: Module, args: readonly unknown[]): unknown {
  const { preHooks, forwardHooks } = registry(module);
  if (typeof module.forward !== 'function') {
    throw new RuntimeError(
      `Module [${module.getName()}] is missing the required "forward" function`,
    );
  }
  let given = args;
  for (const hook of preHooks) given = hook(module, given) ?? given;
  let output: unknown = module.forward(...given);
  for (const hook of forwardHooks) output = hook(module, given, output) ?? output;
  return output;
}
