import type { DType } from '@sconce/core';
import { type Budget, cost } from '../io/budget.js';
import {
  DictNode,
  GlobalNode,
  ListNode,
  type Node,
  ObjectNode,
  PersistentNode,
  TupleNode,
} from '../pickle/nodes.js';
import { dtypeOfStorage, torchDtypes } from './dtypes.js';
import { modulePartsOf, stateOf } from './module-state.js';

/** A tensor in a pickle, before it is made. */
export interface TensorNode {
  /** Keys and places on the way to it, joined with dots. */
  readonly name: string;
  readonly node: ObjectNode;
  readonly dtype: DType | undefined;
  readonly shape: readonly number[];
}

const maxDepth = 1000;

/** The tensors in dictionaries, lists and tuples, in order; what stands in two containers is found in the first. */
export function tensorNodes(root: Node, budget: Budget): TensorNode[] {
  const found: TensorNode[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node, path: string, depth: number): void => {
    budget.spend(cost.container + path.length);
    if (node instanceof ObjectNode && node.callee.name.startsWith('torch._')) {
      const about = describe(node);
      if (about) found.push({ name: path, node, ...about });
      return;
    }
    if (depth > maxDepth || seen.has(node)) return;
    seen.add(node);
    for (const [key, child] of children(node, budget)) {
      visit(child, path === '' ? key : `${path}.${key}`, depth + 1);
    }
    // As in a state dict, a module that stands in two places is found under both names.
    if (modulePartsOf(node)) seen.delete(node);
  };
  visit(root, '', 0);
  return found;
}

function children(node: Node, budget: Budget): [string, Node][] {
  if (node instanceof ListNode || node instanceof TupleNode) {
    return node.items.map((item, i) => [String(i), item]);
  }
  if (!(node instanceof DictNode || node instanceof ObjectNode)) return [];
  const parts = modulePartsOf(node);
  if (parts) {
    const { tensors, modules } = stateOf(parts, (amount) => budget.spend(amount));
    return [...tensors, ...modules].map(([key, value]) => [keyText(key), value]);
  }
  const pairs: [string, Node][] = [];
  for (let i = 0; i + 1 < node.entries.length; i += 2) {
    pairs.push([keyText(node.entries[i] as Node), node.entries[i + 1] as Node]);
  }
  return pairs;
}

/** A key as part of a name: texts and numbers as they are, tuples as Python writes them. */
function keyText(key: Node, inside = false): string {
  if (key instanceof TupleNode && key.items.length <= 64 && !inside)
    return `(${key.items.map((item) => keyText(item, true)).join(', ')}${key.items.length === 1 ? ',' : ''})`;
  return typeof key === 'object' && key !== null ? '(object)' : String(key);
}

/** The dtype and shape that a call would give its tensor. */
function describe(
  { callee, args }: ObjectNode,
  depth = 0,
): { dtype: DType | undefined; shape: number[] } | undefined {
  const [first, , size] = args.items;
  if (depth > 8) return undefined;
  if (callee.name.includes('_rebuild_parameter')) {
    return first instanceof ObjectNode ? describe(first, depth + 1) : undefined;
  }
  if (callee.name.endsWith('_rebuild_from_type_v2')) {
    if (!(size instanceof TupleNode && first instanceof GlobalNode)) return undefined;
    return describe(new ObjectNode(first, size), depth + 1);
  }
  if (!(first instanceof PersistentNode) || !(first.id instanceof TupleNode)) return undefined;
  const type = first.id.items[1];
  const given = args.items[6];
  const dtype =
    given instanceof GlobalNode && torchDtypes.has(given.name)
      ? torchDtypes.get(given.name)
      : type instanceof GlobalNode
        ? dtypeOfStorage(type.name)
        : undefined;
  const shapeNode = size instanceof ObjectNode ? size.args.items[0] : size;
  const sizes =
    shapeNode instanceof TupleNode || shapeNode instanceof ListNode ? shapeNode.items : [];
  return { dtype, shape: sizes.slice(0, 65).map(Number) };
}
