import { itemSize, Tensor } from '@sconce/core';
import { type ClassReader, readerOf } from '../classes.js';
import { FileError, quote } from '../errors.js';
import { type Budget, cost } from '../io/budget.js';
import {
  DictNode,
  GlobalNode,
  ListNode,
  type Node,
  ObjectNode,
  PersistentNode,
  SetNode,
  TupleNode,
} from '../pickle/nodes.js';
import type { Pickle } from '../pickle/reader.js';
import { foreignDtype, isStorageClass, torchDtypes } from './dtypes.js';
import { handlers, tokens } from './globals.js';
import { isKnownShape, moduleState, optimizerState, schedulerState } from './module-state.js';
import { refusalOf } from './refused.js';
import type { StorageTable } from './storages.js';
import { Tuple, TupleMap } from './tuple.js';

/** What decides how a pickle's values become ours. */
export interface ConvertOptions {
  /** Makes objects of further classes, by their names; a function may give undefined for those it does not know. */
  classes?: Readonly<Record<string, ClassReader>> | ((name: string) => ClassReader | undefined);
  /** Whether every dictionary becomes a Map; otherwise those with names or with numbers as keys become objects. */
  maps?: boolean;
}

/** Deeper nesting is an attack on the stack, not data. */
const maxDepth = 1000;

/** What makes objects of a class that is not among those PyTorch itself needs. */
function classReader(name: string, { classes }: ConvertOptions): ClassReader | undefined {
  if (typeof classes === 'function') return classes(name) ?? readerOf(name);
  return classes && Object.hasOwn(classes, name) ? classes[name] : readerOf(name);
}

/** The error for a name that files may not have, which says how to allow it. */
function unknownName(title: string, name: string): FileError {
  const refusal = refusalOf(name);
  if (refusal) return new FileError(`${title}: the file has ${refusal} (${quote(name)})`);
  return new FileError(
    `${title}: the file names ${quote(name)}, which is not among the classes that files may name; nothing was run. ` +
      `If it is data of yours, say what to make of it: load(file, { classes: { ${quote(name)}: (saved) => saved.state } }), or registerClass(${quote(name)}, ...)`,
  );
}

/** Whether files may name something. */
function admitted(name: string, options: ConvertOptions): boolean {
  if (Object.hasOwn(handlers, name) || tokens.has(name) || isStorageClass(name)) return true;
  if (torchDtypes.has(name) || foreignDtype(name) !== undefined) return true;
  return classReader(name, options) !== undefined;
}

/**
 * Looks through all names in a pickle, also of what is never used. A whole model names whatever its objects happen to hold: there
 * only what is read counts, and the rest stays what it is, names.
 *
 * @throws FileError on the first that files may not name.
 */
export function checkNames(title: string, pickle: Pickle, options: ConvertOptions): void {
  if (pickle.built.some(isKnownShape)) return;
  for (const name of pickle.names) if (!admitted(name, options)) throw unknownName(title, name);
}

/** What decides how nodes become values. */
export interface Conversion {
  readonly title: string;
  readonly table: StorageTable;
  readonly options: ConvertOptions;
  readonly budget: Budget;
}

/** Turns the nodes of a pickle into values: tensors over the storages of the file, containers, plain values. */
export class Converter {
  readonly title: string;
  readonly table: StorageTable;
  readonly #options: ConvertOptions;
  readonly #budget: Budget;
  readonly #dry: boolean;
  /** Whether there was an object that a dry run did not make. */
  deferred = false;
  readonly #done = new Map<Node, unknown>();
  readonly #under = new Set<Node>();
  #depth = 0;

  /** @param dry leaves out objects of further classes: what makes them may read tensors, which must be filled by then. */
  constructor({ title, table, options, budget }: Conversion, dry = false) {
    this.#dry = dry;
    this.title = title;
    this.table = table;
    this.#options = options;
    this.#budget = budget;
  }

  /** Counts what making something costs. */
  spend(amount: number): void {
    this.#budget.spend(amount);
  }

  /** Counts a text that is put together. */
  spendText(length: number): void {
    this.spend(cost.entry + length);
  }

  fault(why: string): FileError {
    return new FileError(`${this.title}: ${why}`);
  }

  /** The value of a node; the same value for the same node. */
  convert(node: Node): unknown {
    this.spend(cost.step);
    if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return node;
    if (this.#done.has(node)) return this.#done.get(node);
    if (this.#under.has(node))
      throw this.fault('an object contains itself in a way that cannot be made');
    if (++this.#depth > maxDepth) throw this.fault(`values are nested more than ${maxDepth} deep`);
    this.spend(cost.container);
    this.#under.add(node);
    const value = this.#make(node);
    this.#done.set(node, value);
    this.#under.delete(node);
    this.#depth--;
    return value;
  }

  #make(node: Exclude<Node, Uint8Array | null>): unknown {
    if (node instanceof ListNode) return this.fillList(node, [], node.items);
    if (node instanceof TupleNode) return this.tuple(node.items.map((item) => this.convert(item)));
    if (node instanceof DictNode) return this.dict(node, node.entries);
    if (node instanceof SetNode) return this.set(node.items.map((item) => this.convert(item)));
    if (node instanceof GlobalNode) return this.#global(node);
    if (node instanceof ObjectNode) return this.#object(node);
    if (node instanceof PersistentNode)
      return handlers.storage?.(
        this,
        new ObjectNode(new GlobalNode('storage'), new TupleNode([node])),
      );
    return node;
  }

  /** Fills a list; it stands for its node from the start, so that it may contain itself. */
  fillList(node: Node, list: unknown[], items: readonly Node[]): unknown[] {
    this.#done.set(node, list);
    for (const item of items) list.push(this.convert(item));
    return list;
  }

  /** A tuple of values. */
  tuple(items: readonly unknown[]): Tuple {
    this.spend(2 * cost.item * items.length);
    return Tuple.from(items) as Tuple;
  }

  /** A Set of values. */
  set(items: Iterable<unknown> & ({ length: number } | { size: number })): Set<unknown> {
    this.spend(cost.entry * ('length' in items ? items.length : items.size));
    return new Set(items);
  }

  /** A Map, in order; it stands for its node from the start. One with tuples as keys finds them by what they hold. */
  map(
    node: Node,
    entries: readonly Node[],
    map: Map<unknown, unknown> = entries.some((key, i) => i % 2 === 0 && isTuple(key))
      ? new TupleMap()
      : new Map<unknown, unknown>(),
  ): Map<unknown, unknown> {
    this.#done.set(node, map);
    this.spend(cost.entry * entries.length);
    for (let i = 0; i < entries.length; i += 2) {
      map.set(this.convert(entries[i] as Node), this.convert(entries[i + 1] as Node));
    }
    return map;
  }

  /** A dictionary: an object where its keys can be kept apart as properties, else a Map. */
  dict(node: Node, entries: readonly Node[]): unknown {
    this.spend(cost.item * entries.length);
    if (this.#options.maps || !fitObject(entries)) return this.map(node, entries);
    const object: Record<string, unknown> = {};
    this.#done.set(node, object);
    for (let i = 0; i < entries.length; i += 2) {
      object[String(entries[i])] = this.convert(entries[i + 1] as Node);
    }
    return object;
  }

  #global({ name }: GlobalNode): unknown {
    const dtype = torchDtypes.get(name);
    if (dtype) return dtype;
    this.checkDtype(name);
    if (!admitted(name, this.#options)) throw unknownName(this.title, name);
    return name;
  }

  /** @throws FileError for a dtype of PyTorch that we have not. */
  checkDtype(name: string): void {
    const way = foreignDtype(name);
    if (way === undefined) return;
    throw this.fault(
      `tensors of dtype ${name} have no dtype here; save ${way} in Python, or read the other tensors with openTensors`,
    );
  }

  #object(node: ObjectNode): unknown {
    const { name } = node.callee;
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    if (handler && !node.named) return handler(this, node);
    const reader = classReader(name, this.#options);
    if (!reader || node.named) return this.#byShape(node);
    const saved = {
      name,
      args: node.args.items.map((item) => this.convert(item)),
      state: node.state === undefined ? undefined : this.convert(node.state),
      items: node.items.map((item) => this.convert(item)),
      entries: this.map(node, node.entries),
    };
    this.#done.delete(node);
    if (!this.#dry) return reader(saved);
    this.deferred = true;
    return undefined;
  }

  /** What an object of a class that is not known is by its shape: the state of a module, an optimizer or a scheduler. */
  #byShape(node: ObjectNode): unknown {
    const module = moduleState(this, node);
    if (module) return module;
    const state = optimizerState(this, node) ?? schedulerState(this, node);
    if (state) return this.convert(state);
    const { name } = node.callee;
    if (!admitted(name, this.#options)) throw unknownName(this.title, name);
    if (node.named)
      throw this.fault(`${quote(name)} is called with named arguments, which is not supported`);
    throw this.fault(`${quote(name)} cannot be called`);
  }

  /** A tensor of the opposite numbers, in memory of its own. */
  negated(tensor: Tensor): Tensor {
    if (tensor.dtype === 'bool') throw this.fault('a tensor of bools is said to be negated');
    this.spend(tensor.numel() * itemSize(tensor.dtype));
    if (!this.#dry) return tensor.neg();
    // Its elements are not read yet.
    this.deferred = true;
    return tensor;
  }

  /** The tensor that a node is. */
  tensor(node: Node | undefined): Tensor {
    const value = node === undefined ? undefined : this.convert(node);
    if (value instanceof Tensor) return value;
    throw this.fault('a tensor is missing where one must be');
  }

  /** The whole numbers of a tuple or list. */
  numbers(node: Node | undefined): number[] {
    const value = node === undefined ? undefined : this.convert(node);
    this.spend(cost.item * (Array.isArray(value) ? value.length : 0));
    if (Array.isArray(value) && value.every((x) => typeof x === 'number')) return [...value];
    throw this.fault('numbers are missing where a shape or strides must be');
  }
}

/** Whether a key becomes a tuple. */
const isTuple = (key: Node): boolean =>
  key instanceof TupleNode ||
  (key instanceof ObjectNode && ['torch.Size', 'builtins.tuple'].includes(key.callee.name));

/** Whether keys are all names or all numbers, of which none is lost or confused as a property of an object. */
function fitObject(entries: readonly Node[]): boolean {
  const first = typeof entries[0];
  for (let i = 0; i < entries.length; i += 2) {
    const key = entries[i];
    if (typeof key !== first) return false;
    if (typeof key === 'string' ? key === '__proto__' || isIndex(key) : !isIndex(String(key)))
      return false;
  }
  return entries.length === 0 || first === 'string' || first === 'number';
}

/** Whether a property of this name is taken for a number. */
export const isIndex = (key: string): boolean =>
  /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;

/**
 * The value of a node, with its tensors filled: first everything is checked and memory made, then `fill` reads into it,
 * and last come the objects whose makers may look at the tensors.
 */
export async function convertFilled(
  given: Conversion,
  node: Node,
  fill: () => Promise<void>,
): Promise<unknown> {
  const dry = new Converter(given, true);
  const value = dry.convert(node);
  await fill();
  return dry.deferred ? new Converter(given).convert(node) : value;
}
