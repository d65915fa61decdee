import type { Tensor } from '@sconce/core';
import { takes } from '@sconce/core';
import { quote } from '../errors.js';
import { cost } from '../io/budget.js';
import { DictNode, GlobalNode, ListNode, type Node, ObjectNode, SetNode } from '../pickle/nodes.js';
import * as signatures from '../signatures.js';
import type { Converter } from './converter.js';

/** What a file says of one module of a model that was saved whole. */
export interface SavedModule {
  /** Its class in Python, by module and name: `torch.nn.modules.linear.Linear`. */
  readonly className: string;
  /** Whether it was in training mode. */
  readonly training: boolean;
}

/**
 * The state dict of a model that Python saved whole (`torch.save(model)`), with what it was: the model itself cannot be
 * made from a file, since its class is code. Keys, order and tensors are those of `model.state_dict()` in Python.
 *
 * @example
 * const saved = await load<ModuleState>('whole-model.pt');
 * saved.className; // '__main__.Net'
 * model.loadStateDict(saved);
 */
export class ModuleState extends Map<string, Tensor> implements SavedModule {
  static override get [Symbol.species](): MapConstructor {
    return Map;
  }
  readonly className: string;
  readonly training: boolean;
  /** The model and every module in it by name; that of the model itself is `''`. */
  readonly modules: ReadonlyMap<string, SavedModule>;

  constructor(
    entries: Iterable<readonly [string, Tensor]>,
    modules: ReadonlyMap<string, SavedModule>,
  ) {
    takes('ModuleState', signatures.ModuleState, arguments);
    super(entries);
    const { className = '', training = true } = modules.get('') ?? {};
    this.className = className;
    this.training = training;
    this.modules = modules;
  }
}

/** What an object was given as its properties: a dictionary, or one and what its slots hold. */
function properties(node: Node): DictNode | undefined {
  if (!(node instanceof ObjectNode) || node.state === undefined) return undefined;
  if (node.state instanceof DictNode) return node.state;
  const [first] =
    node.state !== null && typeof node.state === 'object' && 'items' in node.state
      ? node.state.items
      : [];
  return first instanceof DictNode ? first : undefined;
}

/** Dictionaries by their keys: made once for each, since many objects may share one. */
const indexes = new WeakMap<DictNode, ReadonlyMap<Node, Node>>();

/** The value under a key, or undefined. */
function under(dict: DictNode, key: string): Node | undefined {
  let index = indexes.get(dict);
  if (!index) {
    const made = new Map<Node, Node>();
    for (let i = 0; i + 1 < dict.entries.length; i += 2)
      made.set(dict.entries[i] as Node, dict.entries[i + 1] as Node);
    index = made;
    indexes.set(dict, index);
  }
  return index.get(key);
}

/** Counts what is looked at; throws when it is too much. */
type Spend = (amount: number) => void;

/** Key, value, ... of a dictionary or OrderedDict; undefined for anything else. */
export function entriesOf(node: Node | undefined): readonly Node[] | undefined {
  if (node instanceof DictNode) return node.entries;
  const ordered = node instanceof ObjectNode && node.callee.name === 'collections.OrderedDict';
  return ordered && node.args.items.length === 0 ? node.entries : undefined;
}

/** What a module of PyTorch has among its properties. */
interface Parts {
  readonly properties: DictNode;
  readonly parameters: readonly Node[];
  readonly buffers: readonly Node[];
  readonly modules: readonly Node[];
}

/** The parts of an object that has the shape of a module; undefined for others. */
export function modulePartsOf(node: Node): Parts | undefined {
  const dict = properties(node);
  if (!dict) return undefined;
  const [parameters, buffers, modules] = ['_parameters', '_buffers', '_modules'].map((key) =>
    entriesOf(under(dict, key)),
  );
  return parameters && buffers && modules && { properties: dict, parameters, buffers, modules };
}

/** The class of an object, also where protocols 0 and 1 make it by a function. */
function classOf({ callee, args }: ObjectNode): string {
  const [first] = args.items;
  return callee.name === 'copyreg._reconstructor' && first instanceof GlobalNode
    ? first.name
    : callee.name;
}

/** Names of buffers that a state dict leaves out. */
function transientBuffers({ properties }: Parts, spend: Spend): ReadonlySet<Node> {
  const node = under(properties, '_non_persistent_buffers_set');
  const items = node instanceof ObjectNode ? node.args.items[0] : node;
  const names = items instanceof SetNode || items instanceof ListNode ? items.items : [];
  spend(cost.entry * names.length);
  return new Set(names);
}

/** What a state dict holds of one module, by its own names: parameters, then buffers; and the modules in it. */
export function stateOf(
  parts: Parts,
  spend: Spend,
): { tensors: [Node, Node][]; modules: [Node, Node][] } {
  const { parameters, buffers: all, modules } = parts;
  spend(cost.entry * (parameters.length + all.length + modules.length));
  const transient = transientBuffers(parts, spend);
  const pairs = (entries: readonly Node[]): [Node, Node][] => {
    const list: [Node, Node][] = [];
    for (let i = 0; i + 1 < entries.length; i += 2) {
      const value = entries[i + 1] as Node;
      if (value !== null) list.push([entries[i] as Node, value]);
    }
    return list;
  };
  const buffers = pairs(parts.buffers).filter(([name]) => !transient.has(name));
  return { tensors: [...pairs(parts.parameters), ...buffers], modules: pairs(parts.modules) };
}

/** The state of an object that has the shape of a module; undefined for others. Nothing but what a state dict holds is looked at. */
export function moduleState(c: Converter, root: ObjectNode): ModuleState | undefined {
  if (!modulePartsOf(root)) return undefined;
  const tensors = new Map<string, Tensor>();
  const modules = new Map<string, SavedModule>();
  const above = new Set<Node>();
  const walk = (node: Node, name: string): void => {
    const parts = modulePartsOf(node);
    if (!parts || !(node instanceof ObjectNode))
      throw c.fault(`the module ${quote(name)} has not the properties of a module`);
    if (above.has(node)) throw c.fault(`the module ${quote(name)} contains itself`);
    if (above.size >= 1000) throw c.fault('modules are nested more than 1000 deep');
    above.add(node);
    const training = under(parts.properties, 'training');
    modules.set(name, { className: classOf(node), training: training !== false });
    const state = stateOf(parts, (amount) => c.spend(amount));
    const full = (key: Node): string => {
      if (typeof key !== 'string')
        throw c.fault(`the module ${quote(name)} has a part without a name`);
      c.spendText(name.length + key.length);
      return name === '' ? key : `${name}.${key}`;
    };
    for (const [key, value] of state.tensors) tensors.set(full(key), c.tensor(value));
    for (const [key, value] of state.modules) walk(value, full(key));
    above.delete(node);
  };
  walk(root, '');
  return new ModuleState(tensors, modules);
}

/** The properties of an object that has the shape of an optimizer. */
function optimizerParts(node: Node): { groups: ListNode; states: readonly Node[] } | undefined {
  const dict = properties(node);
  const groups = dict && under(dict, 'param_groups');
  const states = dict && under(dict, 'state');
  const first = groups instanceof ListNode ? groups.items[0] : undefined;
  if (!(groups instanceof ListNode && first instanceof DictNode)) return undefined;
  if (!(under(first, 'params') instanceof ListNode)) return undefined;
  if (!(states instanceof DictNode || states instanceof ObjectNode)) return undefined;
  return { groups, states: states.entries };
}

/**
 * The state of an optimizer that was pickled whole, in the form of its `state_dict()`: parameters by their numbers.
 * Undefined for what has not the shape of one.
 */
export function optimizerState(c: Converter, node: ObjectNode): Node | undefined {
  const parts = optimizerParts(node);
  if (!parts) return undefined;
  const numbers = new Map<Node, number>();
  const groups = new ListNode();
  for (const group of parts.groups.items) {
    const params = group instanceof DictNode ? under(group, 'params') : undefined;
    if (!(group instanceof DictNode && params instanceof ListNode))
      throw c.fault('a group of an optimizer has no parameters');
    c.spend(cost.container + cost.entry * (group.entries.length + params.items.length));
    const own = new ListNode();
    for (const param of params.items) {
      if (!numbers.has(param)) numbers.set(param, numbers.size);
      own.items.push(numbers.get(param) as number);
    }
    const rest = without(group, 'params');
    rest.entries.push('params', own);
    groups.items.push(rest);
  }
  c.spend(cost.entry * parts.states.length);
  const states = new DictNode();
  for (let i = 0; i + 1 < parts.states.length; i += 2) {
    const key = parts.states[i] as Node;
    states.entries.push(numbers.get(key) ?? key, parts.states[i + 1] as Node);
  }
  const out = new DictNode();
  out.entries.push('state', states, 'param_groups', groups);
  return out;
}

/** The entries of a dictionary but one. */
function without(dict: DictNode, name: string): DictNode {
  const out = new DictNode();
  for (let i = 0; i + 1 < dict.entries.length; i += 2) {
    const key = dict.entries[i] as Node;
    if (key !== name) out.entries.push(key, dict.entries[i + 1] as Node);
  }
  return out;
}

const isScheduler = (node: ObjectNode): boolean =>
  properties(node) !== undefined && classOf(node).startsWith('torch.optim.lr_scheduler.');

/** The properties of a scheduler that was pickled whole, in the form of its `state_dict()`: all but the optimizer. */
export function schedulerState(c: Converter, node: ObjectNode): Node | undefined {
  const dict = properties(node);
  if (!dict || !isScheduler(node)) return undefined;
  c.spend(cost.entry * dict.entries.length);
  return without(dict, 'optimizer');
}

/** Whether an object is one whose state can be told from its shape, whatever its class. */
export const isKnownShape = (node: ObjectNode): boolean =>
  modulePartsOf(node) !== undefined || optimizerParts(node) !== undefined || isScheduler(node);
