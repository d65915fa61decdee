import type { Tensor } from '@sconce/core';
import { takes } from '@sconce/core';
import type { Module, passes } from '../module.js';
import * as signatures from '../signatures.js';
import { asModule, Dict, elementsOf, itemsOf, List, pairsOf, renumber } from './list.js';

/**
 * Modules run one after another, each on the output of the one before; given one by one, or with names in a Map or a plain
 * object. A subclass may define a `forward` of its own, that takes and gives something else.
 *
 * @throws TypeError if one of them is no module; a function becomes one in a class whose `forward` calls it.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 * @example
 * new Sequential(new Linear(784, 64), new ReLU(), new Linear(64, 10));
 * new Sequential(new Map([['hidden', new Linear(784, 64)], ['output', new Linear(64, 10)]]));
 */
export class Sequential<L extends readonly Module[] = Module[]> extends List<L[number]> {
  /** What calling a sequence takes and gives, unless a subclass says otherwise. */
  declare readonly [passes]: (input: Tensor) => Tensor;
  readonly [index: number]: L[number];

  constructor(...modules: L);
  constructor(modules: ReadonlyMap<string, L[number]> | Readonly<Record<string, L[number]>>);
  constructor(...modules: readonly unknown[]) {
    takes('Sequential', signatures.Sequential, arguments);
    super();
    const [first] = modules;
    if (modules.length === 1 && isNamed(first)) {
      for (const [name, module] of pairsOf('Sequential', first))
        this.addModule(name, asModule('Sequential', `entry '${name}'`, module));
    } else {
      const list = modules.map((module, i) =>
        asModule('Sequential', `argument ${i + 1}`, module as L[number]),
      );
      renumber(this, list);
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: a subclass says what its forward takes and gives
  override forward(input: any, ..._rest: any[]): any {
    let x = input as unknown;
    for (const module of itemsOf<Module>(this)) x = module(x) as unknown;
    return x;
  }

  /** The modules from one position to before another, with their names: a sequence that shares them. */
  slice(start?: number, end?: number): Sequential<L[number][]> {
    const kept = [...this._modules.present()].slice(start, end);
    return new Sequential<L[number][]>(new Map(kept as [string, L[number]][]));
  }

  protected override taken(value: L[number], index: number): L[number] {
    return asModule(this.getName(), `the module at position ${index}`, value);
  }
}

const isNamed = (value: unknown): value is Readonly<Record<string, Module>> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return value instanceof Map || prototype === Object.prototype || prototype === null;
};

/**
 * A list of modules whose parameters count as its own.
 *
 * @throws TypeError if one of them is no module.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
 * @example this.layers = new ModuleList(Array.from({ length: 4 }, () => new Linear(8, 8)));
 */
export class ModuleList<M extends Module = Module> extends List<M> {
  readonly [index: number]: M;

  constructor(modules: Iterable<M> = []) {
    takes('ModuleList', signatures.ModuleList, arguments);
    super();
    renumber(
      this,
      elementsOf('ModuleList', modules).map((module, i) => this.taken(module, i)),
    );
  }

  /** The modules from one position to before another: a list that shares them. */
  slice(start?: number, end?: number): ModuleList<M> {
    return new ModuleList(itemsOf<M>(this).slice(start, end));
  }

  protected override taken(value: M, index: number): M {
    return asModule(this.getName(), `the entry at position ${index}`, value);
  }
}

/**
 * Modules by name, whose parameters count as its own.
 *
 * @throws TypeError if one of them is no module.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
 * @example this.heads = new ModuleDict({ value: new Linear(8, 1), policy: new Linear(8, 4) });
 */
export class ModuleDict<M extends Module = Module> extends Dict<M> {
  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    takes('ModuleDict', signatures.ModuleDict, arguments);
    super();
    this.update(modules);
  }

  protected override taken(value: M, name: string): M {
    return asModule(this.getName(), `entry '${name}'`, value);
  }
}
