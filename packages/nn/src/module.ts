import { type DType, RuntimeError, SconceError, type Tensor, takes, to } from '@sconce/core';
import { retyped, type Target, wanted } from './conversion.js';
import type { HookHandle } from './hooks.js';
import type { Parameter } from './parameter.js';
import { adopt, type Members, type Registry, register, registry } from './registry.js';
import { moduleRepr } from './repr.js';
import * as signatures from './signatures.js';
import {
  collectState,
  type LoadResult,
  type LoadStateDictPreHook,
  loadState,
  type StateDict,
  withinReach,
} from './state-dict.js';
import { checkTree, join } from './tree.js';

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

export interface Module {
  /** What the module computes; every subclass defines it. Call the module itself, so that hooks run. */
  // biome-ignore lint/suspicious/noExplicitAny: a subclass says what its forward takes and gives
  forward(...args: any[]): any;
  /** Runs the module: hooks, then `forward`. */
  (...args: Parameters<Called<this>>): ReturnType<Called<this>>;
}

/** The key of what a class says of calls whose `forward` leaves it open, for the types alone. */
export declare const passes: unique symbol;

/** The type of a module's calls: that of `forward`, unless it gives anything and the class says what. */
type Called<M extends Module> = 0 extends 1 & ReturnType<M['forward']>
  ? M extends { readonly [passes]: infer F extends (...args: never[]) => unknown }
    ? F
    : M['forward']
  : M['forward'];

/**
 * The base of all layers and models. A `Parameter` or a module that is assigned to a property is registered, in order of
 * assignment; only null, or another of its kind, can be assigned over it. A plain array of modules is not registered (use
 * `ModuleList`), nor is a plain tensor (use `Parameter` or `registerBuffer`), nor what a `#private` field
 * holds, which nothing outside the class can see. Instances are callable.
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

  /** The version of what the class saves: state dicts say it, and hooks before loading tell older ones by it. */
  static readonly stateVersion: number = 1;

  constructor() {
    takes(new.target.name, signatures.Module, arguments);
    const self = ((...args: unknown[]) => callModule(owner, args)) as object;
    Object.setPrototypeOf(self, new.target.prototype);
    // A function's own `name` and `length` would hide properties of these names.
    Reflect.deleteProperty(self, 'name');
    Reflect.deleteProperty(self, 'length');
    const module = adopt(self, new.target.stateKeys);
    const owner = registry(module);
    // biome-ignore lint/correctness/noConstructorReturn: instances are functions that see assignments
    return module as this;
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
   * Registers a tensor that is state but not trained; it becomes the property `name`, and other tensors, or null, can be
   * assigned to it.
   *
   * @throws TypeError if `tensor` is none; RuntimeError if the name is taken, empty or has a dot.
   * @example this.registerBuffer('mask', ones([8, 8]).tril());
   */
  registerBuffer(name: string, tensor: Tensor | null, options: BufferOptions = {}): void {
    takes('registerBuffer', signatures.Module_registerBuffer, arguments);
    const owner = registry(this);
    register(owner, 'buffers', name, tensor);
    const key = owner.names.key(name);
    if (options.persistent ?? true) owner.transient.delete(key);
    else owner.transient.add(key);
  }

  /**
   * Registers a parameter under a name that is not a property of the class, or as absent (`null`).
   *
   * @throws TypeError if it is no `Parameter`; RuntimeError if the name is taken, empty or has a dot.
   */
  registerParameter(name: string, parameter: Parameter | null): void {
    register(registry(this), 'parameters', name, parameter);
  }

  /**
   * Adds a submodule under a name; as assigning it to a property.
   *
   * @throws TypeError if it is no module; RuntimeError if the name is taken, empty or has a dot.
   */
  addModule(name: string, module: Module | null): void {
    register(registry(this), 'modules', name, module);
  }

  /** As `addModule`. */
  registerModule(name: string, module: Module | null): void {
    this.addModule(name, module);
  }

  /** The module's own parameters by name, in order: a map whose changes are changes of the module. */
  get _parameters(): Members<Parameter> {
    return registry(this).parameters;
  }

  /** The module's own buffers by name, in order: a map whose changes are changes of the module. */
  get _buffers(): Members<Tensor> {
    return registry(this).buffers;
  }

  /** Direct submodules by name, in order: a map whose changes are changes of the module. */
  get _modules(): Members<Module> {
    return registry(this).modules;
  }

  /** Direct submodules with their names; each object once. */
  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, child] of registry(this).modules.present()) {
      if (seen.has(child)) continue;
      seen.add(child);
      yield [name, child];
    }
  }

  /** Direct submodules; each object once. */
  *children(): Generator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below it, with their paths (`''` for itself); each object once. */
  *namedModules(prefix = '', seen: Set<Module> = new Set()): Generator<[string, Module]> {
    const stack: [string, Module][] = [[prefix, this]];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const [path, module] = next;
      if (seen.has(module)) continue;
      seen.add(module);
      yield next;
      const below = [...registry(module).modules.present()];
      for (const [name, child] of below.reverse()) stack.push([join(path, name), child]);
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
    takes('namedParameters', signatures.Module_namedParameters, arguments);
    yield* named(this, options, (owner) => owner.parameters);
  }

  /** Parameters: what an optimizer takes. */
  *parameters(options: { recurse?: boolean } = {}): Generator<Parameter> {
    takes('parameters', signatures.Module_parameters, arguments);
    for (const [, p] of this.namedParameters(options)) yield p;
  }

  /** Buffers with their paths; each object once. */
  *namedBuffers(options: { prefix?: string; recurse?: boolean } = {}): Generator<[string, Tensor]> {
    takes('namedBuffers', signatures.Module_namedBuffers, arguments);
    yield* named(this, options, (owner) => owner.buffers);
  }

  /** Buffers. */
  *buffers(options: { recurse?: boolean } = {}): Generator<Tensor> {
    takes('buffers', signatures.Module_buffers, arguments);
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
      const next = registry(found).modules.get(name);
      if (!next) throw missing('getSubmodule', found, 'submodule', name, path);
      found = next;
    }
    return found;
  }

  /**
   * The parameter at a dotted path.
   *
   * @throws RuntimeError if there is none.
   * @example model.getParameter('encoder.weight')
   */
  getParameter(path: string): Parameter {
    return this.member('getParameter', 'parameter', path, (owner) => owner.parameters);
  }

  /**
   * The buffer at a dotted path.
   *
   * @throws RuntimeError if there is none.
   * @example model.getBuffer('norm.running_mean')
   */
  getBuffer(path: string): Tensor {
    return this.member('getBuffer', 'buffer', path, (owner) => owner.buffers);
  }

  /**
   * Calls `fn` on every submodule, then on this module; returns the module.
   *
   * @throws RuntimeError if a module contains itself.
   */
  apply(fn: (module: Module) => void): this {
    checkTree('apply', this);
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * Moves and converts parameters and buffers, in place: optimizers keep referring to them. A dtype applies to
   * floating-point ones only, and must be a floating-point one (`type` converts all). Returns the module.
   *
   * @throws TypeError if the dtype is not a floating-point one; RuntimeError if the device is not ready, or values can only be read asynchronously (`toAsync`).
   * @example model.to('webgpu');
   */
  to(...target: Target): this {
    const converted = wanted(target);
    return this.convert((t) => to(t.detach(), converted(t)));
  }

  /** As `to`, also from devices whose values can only be read asynchronously. */
  async toAsync(...target: Target): Promise<this> {
    const converted = wanted(target);
    const all = [...this.tensors()].flatMap((t) => (t.grad ? [t, t.grad] : [t]));
    // All are asked for at once, so that they are of one moment.
    const moved = await Promise.all(all.map((t) => t.detach().toAsync(converted(t))));
    const ready = new Map(all.map((t, i) => [t, moved[i] as Tensor]));
    return this.convert((t) => ready.get(t) ?? to(t.detach(), converted(t)));
  }

  /**
   * Converts all parameters and buffers to a dtype, whole numbers too; `to` leaves those. Returns the module.
   *
   * @throws RuntimeError if the dtype is not a floating-point one and parameters require gradients.
   */
  type(dtype: DType): this {
    return this.convert(retyped(this, dtype));
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
   * Parameters and persistent buffers by their paths, sharing memory with the module; keys are exactly PyTorch's. Its
   * `_metadata` says of which version each module is.
   *
   * @throws RuntimeError if a module contains itself.
   * @see https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict
   */
  stateDict(prefix = ''): StateDict {
    return collectState(this, prefix);
  }

  /**
   * Copies values into parameters and buffers. What older versions of a layer did not save yet may be missing.
   *
   * @param options.strict throw if keys are missing or unexpected; default true.
   * @returns the missing and the unexpected keys.
   * @throws TypeError if `state` is no map or plain object; RuntimeError on a difference of keys (strict) or of shapes:
   *   nothing is loaded then.
   */
  loadStateDict(
    state: StateDict | Readonly<Record<string, Tensor>>,
    options: { strict?: boolean } = {},
  ): LoadResult {
    takes('loadStateDict', signatures.Module_loadStateDict, arguments);
    return loadState(this, state, options.strict ?? true);
  }

  /**
   * As `loadStateDict`, also from devices whose values can only be read asynchronously.
   *
   * @example await model.loadStateDictAsync(onWebGpu.stateDict());
   */
  async loadStateDictAsync(
    state: StateDict | Readonly<Record<string, Tensor>>,
    options: { strict?: boolean } = {},
  ): Promise<LoadResult> {
    takes('loadStateDictAsync', signatures.Module_loadStateDictAsync, arguments);
    return this.loadStateDict(await withinReach(this, state), options);
  }

  /** Calls `hook` before every forward. */
  registerForwardPreHook(hook: ForwardPreHook): HookHandle {
    return registry(this).preHooks.add(hook);
  }

  /** Calls `hook` before a state dict is loaded into this module, alone or as a part of others. */
  registerLoadStateDictPreHook(hook: LoadStateDictPreHook): HookHandle {
    return registry(this).loadHooks.add(hook);
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

  /**
   * PyTorch's repr of the module.
   *
   * @throws RuntimeError if a module contains itself.
   */
  toString(): string {
    checkTree('toString', this);
    return moduleRepr(this);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    try {
      return this.toString();
    } catch (error) {
      // What is printed to find a mistake must not be another.
      if (!(error instanceof SconceError)) throw error;
      return `${this.getName()}(<${error.message}>)`;
    }
  }

  /** @internal Every parameter and buffer of the tree, once. */
  *tensors(): Generator<Tensor> {
    yield* this.parameters();
    yield* this.buffers();
  }

  private member<T>(
    operation: string,
    what: string,
    path: string,
    of: (owner: Registry) => Members<T>,
  ): T {
    const dot = path.lastIndexOf('.');
    const holder = this.getSubmodule(path.slice(0, Math.max(dot, 0)));
    const name = path.slice(dot + 1);
    const found = of(registry(holder)).get(name);
    if (found === undefined || found === null) throw missing(operation, holder, what, name, path);
    return found;
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

const missing = (
  operation: string,
  holder: Module,
  what: string,
  name: string,
  path: string,
): RuntimeError =>
  new RuntimeError(
    `${operation}: ${holder.getName()} has no ${what} '${name}'${path === name ? '' : ` (path '${path}')`}`,
  );

function* named<T extends Tensor>(
  root: Module,
  options: { prefix?: string; recurse?: boolean },
  own: (owner: Registry) => Members<T>,
): Generator<[string, T]> {
  const seen = new Set<T>();
  const modules: Iterable<[string, Module]> =
    options.recurse === false
      ? [[options.prefix ?? '', root]]
      : root.namedModules(options.prefix ?? '');
  for (const [path, module] of modules) {
    for (const [name, value] of own(registry(module)).present()) {
      if (seen.has(value)) continue;
      seen.add(value);
      yield [join(path, name), value];
    }
  }
}

function callModule(owner: Registry, args: readonly unknown[]): unknown {
  const { module, preHooks, forwardHooks } = owner;
  const { forward } = owner.target as Module;
  if (typeof forward !== 'function') {
    throw new RuntimeError(
      `Module [${module.getName()}] is missing the required "forward" function`,
    );
  }
  let given = args;
  for (const hook of preHooks) given = hook(module, given) ?? given;
  let output: unknown = forward.apply(module, given as unknown[]);
  for (const hook of forwardHooks) output = hook(module, given, output) ?? output;
  return output;
}
