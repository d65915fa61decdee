/**
 * What a pickle says, as inert data: nothing it names has been looked up, called or made.
 *
 * Plain values are themselves: None is null, ints are numbers (bigints past 2^53), floats numbers, bytes Uint8Arrays.
 */
export type Node =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ListNode
  | TupleNode
  | DictNode
  | SetNode
  | GlobalNode
  | ObjectNode
  | PersistentNode;

export class ListNode {
  readonly items: Node[] = [];
}

export class TupleNode {
  readonly items: readonly Node[];
  constructor(items: readonly Node[]) {
    this.items = items;
  }
}

export class DictNode {
  /** Key, value, key, value, ... */
  readonly entries: Node[] = [];
}

export class SetNode {
  readonly items: Node[];
  constructor(items: Node[] = []) {
    this.items = items;
  }
}

/** A class or function by its module and name. */
export class GlobalNode {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What calling a class or function gives, and what is then put into it. */
export class ObjectNode {
  readonly callee: GlobalNode;
  readonly args: TupleNode;
  /** Arguments with names, where there are any. */
  readonly named: DictNode | undefined;
  /** What BUILD sets; undefined if it does not. */
  state: Node | undefined = undefined;
  /** What is appended, where it is a list. */
  readonly items: Node[] = [];
  /** What is set, where it is a mapping: key, value, ... */
  readonly entries: Node[] = [];

  constructor(callee: GlobalNode, args: TupleNode, named?: DictNode) {
    this.callee = callee;
    this.args = args;
    this.named = named;
  }
}

/** Something outside the pickle, by its id. */
export class PersistentNode {
  readonly id: Node;
  constructor(id: Node) {
    this.id = id;
  }
}
