import { IndexError, type Tensor } from '@sconce/core';
import { entries, Module } from '../module.js';
import { Parameter } from '../parameter.js';

/** A position counted from the front, from one that may count from the back. */
function position(name: string, index: number, length: number): number {
  const at = index < 0 ? index + length : index;
  if (!Number.isInteger(at) || at < 0 || at >= length) {
    throw new IndexError(`${name}: index ${index} is out of range for ${length} entries`);
  }
  return at;
}

/** Replaces the numbered entries of a container. */
function renumber(container: Module, values: readonly (Module | Parameter)[]): void {
  for (const key of Object.keys(container))
    if (/^\d+$/.test(key)) Reflect.deleteProperty(container, key);
  values.forEach((value, i) => Object.assign(container, { [String(i)]: value }));
}

const numbered = <T>(container: Module): T[] =>
  entries(container)
    .filter(([key]) => /^\d+$/.test(key))
    .map(([, value]) => value as T);

const children = (container: Module): Module[] =>
  entries(container)
    .map(([, value]) => value)
    .filter((value): value is Module => value instanceof Module);

/**
 * Modules run one after another, each on the output of the one before; given as a list, or with names.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 * @example
 * new Sequential(new Linear(784, 64), new ReLU(), new Linear(64, 10));
 * new Sequential({ hidden: new Linear(784, 64), output: new Linear(64, 10) });
 */
export class Sequential extends Module {
  constructor(...modules: Module[] | [Readonly<Record<string, Module>>]) {
    super();
    const [first] = modules;
    if (first !== undefined && !(first instanceof Module)) {
      for (const [name, module] of Object.entries(first)) this.addModule(name, module);
    } else renumber(this, modules as Module[]);
  }

  override forward(input: Tensor): Tensor {
    let x = input;
    for (const module of this) x = module(x) as Tensor;
    return x;
  }

  /** Number of modules. */
  get size(): number {
    return children(this).length;
  }

  /** The module at a position, which may count from the end. */
  at(index: number): Module {
    const list = children(this);
    return list[position('Sequential', index, list.length)] as Module;
  }

  /** Adds a module at the end; returns the container. */
  append(module: Module): this {
    this.addModule(String(this.size), module);
    return this;
  }

  [Symbol.iterator](): Iterator<Module> {
    return children(this)[Symbol.iterator]();
  }
}

/**
 * A list of modules whose parameters count as its own.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
 * @example this.layers = new ModuleList(Array.from({ length: 4 }, () => new Linear(8, 8)));
 */
export class ModuleList<M extends Module = Module> extends Module implements Iterable<M> {
  constructor(modules: Iterable<M> = []) {
    super();
    renumber(this, [...modules]);
  }

  /** Number of modules. */
  get size(): number {
    return numbered(this).length;
  }

  /** The module at a position, which may count from the end. */
  at(index: number): M {
    const list = numbered<M>(this);
    return list[position('ModuleList', index, list.length)] as M;
  }

  /** Adds a module at the end; returns the list. */
  append(module: M): this {
    this.addModule(String(this.size), module);
    return this;
  }

  /** Adds modules at the end; returns the list. */
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Puts a module before a position. */
  insert(index: number, module: M): void {
    const list = numbered<M>(this);
    list.splice(index, 0, module);
    renumber(this, list);
  }

  [Symbol.iterator](): Iterator<M> {
    return numbered<M>(this)[Symbol.iterator]();
  }
}

/**
 * Modules by name, whose parameters count as its own.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
 */
export class ModuleDict<M extends Module = Module> extends Module implements Iterable<[string, M]> {
  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super();
    const pairs = Symbol.iterator in modules ? modules : Object.entries(modules);
    for (const [name, module] of pairs as Iterable<readonly [string, M]>)
      this.addModule(name, module);
  }

  /** The module of that name, if there is one. */
  get(name: string): M | undefined {
    return new Map(this).get(name);
  }

  /** Adds or replaces a module; returns the dict. */
  set(name: string, module: M): this {
    if (this.has(name)) Object.assign(this, { [name]: module });
    else this.addModule(name, module);
    return this;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Takes a module out. */
  delete(name: string): boolean {
    return this.has(name) && Reflect.deleteProperty(this, name);
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return entries(this)
      .filter((x): x is [string, M] => x[1] instanceof Module)
      [Symbol.iterator]();
  }
}

/**
 * A list of parameters that count as the module's own.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
 */
export class ParameterList extends Module implements Iterable<Parameter> {
  constructor(parameters: Iterable<Parameter | Tensor> = []) {
    super();
    renumber(this, [...parameters].map(asParameter));
  }

  /** Number of parameters. */
  get size(): number {
    return numbered(this).length;
  }

  /** The parameter at a position, which may count from the end. */
  at(index: number): Parameter {
    const list = numbered<Parameter>(this);
    return list[position('ParameterList', index, list.length)] as Parameter;
  }

  /** Adds a parameter at the end; returns the list. */
  append(parameter: Parameter | Tensor): this {
    this.registerParameter(String(this.size), asParameter(parameter));
    return this;
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return numbered<Parameter>(this)[Symbol.iterator]();
  }

  override extraRepr(): string {
    return numbered<Parameter>(this)
      .map((p, i) => parameterLine(String(i), p))
      .join('\n');
  }
}

/**
 * Parameters by name that count as the module's own.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
 */
export class ParameterDict extends Module implements Iterable<[string, Parameter]> {
  constructor(parameters: Readonly<Record<string, Parameter | Tensor>> = {}) {
    super();
    for (const [name, p] of Object.entries(parameters))
      this.registerParameter(name, asParameter(p));
  }

  /** The parameter of that name, if there is one. */
  get(name: string): Parameter | undefined {
    return new Map(this).get(name);
  }

  [Symbol.iterator](): Iterator<[string, Parameter]> {
    return entries(this)
      .filter((x): x is [string, Parameter] => x[1] instanceof Parameter)
      [Symbol.iterator]();
  }

  override extraRepr(): string {
    return [...this].map(([name, p]) => parameterLine(name, p)).join('\n');
  }
}

const asParameter = (p: Parameter | Tensor): Parameter =>
  p instanceof Parameter ? p : new Parameter(p);
const tensorTypes: Record<string, string> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
};
const parameterLine = (name: string, p: Parameter): string =>
  `  (${name}): Parameter containing: [torch.${tensorTypes[p.dtype] ?? p.dtype} of size ${p.shape.join('x')}]`;
