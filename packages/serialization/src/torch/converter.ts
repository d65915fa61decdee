import type { Tensor } from '@sconce/core';
import { type ClassReader, readerOf } from '../classes.js';
import { FileError, quote } from '../errors.js';
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
import { isStorageClass, torchDtypes } from './dtypes.js';
import { handlers, tokens } from './globals.js';
import type { StorageTable } from './storages.js';
import { Tuple } from './tuple.js';

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

/** Whether files may name something, and otherwise the error that says how to allow it. */
export function admission(title: string, options: ConvertOptions): (name: string) => void {
  return (name) => {
    if (Object.hasOwn(handlers, name) || tokens.has(name) || isStorageClass(name)) return;
    if (torchDtypes.has(name) || classReader(name, options)) return;
    throw new FileError(
      `${title}: the file names ${quote(name)}, which is not among the classes that files may name; nothing was run. ` +
        `If it is data of yours, say what to make of it: load(file, { classes: { ${quote(name)}: (saved) => saved.state } }), or registerClass(${quote(name)}, ...)`,
    );
  };
}

/** Turns the nodes of a pickle into values: tensors over the storages of the file, containers, plain values. */
export class Converter {
  readonly title: string;
  readonly table: StorageTable;
  readonly #options: ConvertOptions;
  readonly #dry: boolean;
  /** Whether there was an object that a dry run did not make. */
  deferred = false;
  readonly #done = new Map<Node, unknown>();
  readonly #under = new Set<Node>();
  #depth = 0;

  /** @param dry leaves out objects of further classes: what makes them may read tensors, which must be filled by then. */
  constructor(title: string, table: StorageTable, options: ConvertOptions, dry = false) {
    this.#dry = dry;
    this.title = title;
    this.table = table;
    this.#options = options;
  }

  fault(why: string): FileError {
    return new FileError(`${this.title}: ${why}`);
  }

  /** The value of a node; the same value for the same node. */
  convert(node: Node): unknown {
    if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return node;
    if (this.#done.has(node)) return this.#done.get(node);
    if (this.#under.has(node))
      throw this.fault('an object contains itself in a way that cannot be made');
    if (++this.#depth > maxDepth) throw this.fault(`values are nested more than ${maxDepth} deep`);
    this.#under.add(node);
    const value = this.#make(node);
    this.#done.set(node, value);
    this.#under.delete(node);
    this.#depth--;
    return value;
  }

  #make(node: Exclude<Node, Uint8Array | null>): unknown {
    if (node instanceof ListNode) return this.fillList(node, [], node.items);
    if (node instanceof TupleNode) return Tuple.from(node.items.map((item) => this.convert(item)));
    if (node instanceof DictNode) return this.dict(node, node.entries);
    if (node instanceof SetNode) return new Set(node.items.map((item) => this.convert(item)));
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

  /** A Map, in order; it stands for its node from the start. */
  map(
    node: Node,
    entries: readonly Node[],
    map = new Map<unknown, unknown>(),
  ): Map<unknown, unknown> {
    this.#done.set(node, map);
    for (let i = 0; i < entries.length; i += 2) {
      map.set(this.convert(entries[i] as Node), this.convert(entries[i + 1] as Node));
    }
    return map;
  }

  /** A dictionary: an object where its keys can be kept apart as properties, else a Map. */
  dict(node: Node, entries: readonly Node[]): unknown {
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
    if (dtype === null) throw this.fault(`${name} is no dtype here`);
    return dtype ?? name;
  }

  #object(node: ObjectNode): unknown {
    const { name } = node.callee;
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    if (handler) return handler(this, node);
    const reader = classReader(name, this.#options);
    if (!reader) throw this.fault(`${quote(name)} cannot be called`);
    const saved = {
      name,
      args: node.args.items.map((item) => this.convert(item)),
      state: node.state === undefined ? undefined : this.convert(node.state),
      items: node.items.map((item) => this.convert(item)),
      entries: this.map(node, node.entries),
    };
    if (!this.#dry) return reader(saved);
    this.deferred = true;
    return undefined;
  }

  /** The tensor that a node is. */
  tensor(node: Node | undefined): Tensor {
    const value = node === undefined ? undefined : this.convert(node);
    if (typeof value === 'object' && value !== null && 'storage' in value && 'strides' in value)
      return value as Tensor;
    throw this.fault('a tensor is missing where one must be');
  }

  /** The whole numbers of a tuple or list. */
  numbers(node: Node | undefined): number[] {
    const value = node === undefined ? undefined : this.convert(node);
    if (Array.isArray(value) && value.every((x) => typeof x === 'number')) return [...value];
    throw this.fault('numbers are missing where a shape or strides must be');
  }
}

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
  title: string,
  table: StorageTable,
  node: Node,
  options: ConvertOptions,
  fill: () => Promise<void>,
): Promise<unknown> {
  const dry = new Converter(title, table, options, true);
  const value = dry.convert(node);
  await fill();
  return dry.deferred ? new Converter(title, table, options).convert(node) : value;
}
