import { quote } from '../errors.js';
import { type Budget, cost } from '../io/budget.js';
import { Cursor } from './cursor.js';
import {
  DictNode,
  GlobalNode,
  ListNode,
  type Node,
  ObjectNode,
  PersistentNode,
  SetNode,
  TupleNode,
} from './nodes.js';
import { parseFloatText, rawUnicode, unquote } from './texts.js';

/** What a pickle may do. */
export interface PickleOptions {
  /** What messages call it. */
  readonly title: string;
  /** What reading it may cost. */
  readonly budget: Budget;
}

/** A read pickle. */
export interface Pickle {
  readonly root: Node;
  /** References to things outside, in order. */
  readonly persistent: readonly PersistentNode[];
  /** All classes and functions that it names, used or not. */
  readonly names: ReadonlySet<string>;
  /** Objects that were given a state. */
  readonly built: readonly ObjectNode[];
  /** Where it ended. */
  readonly end: number;
}

const mark: unique symbol = Symbol('mark');
type Slot = Node | typeof mark;

/**
 * Reads one pickle of protocol 0 to 5 into inert nodes. Nothing is looked up or called; time and memory grow with the
 * size of the pickle alone.
 *
 * @throws FileError if it is malformed, or costs more than its budget.
 * @see https://docs.python.org/3/library/pickletools.html
 */
export function readPickle(bytes: Uint8Array, start: number, options: PickleOptions): Pickle {
  return new Machine(new Cursor(bytes, start, options.title), options).run();
}

/** Names that Python 2 gave other modules. */
const renamed = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
]);

/** What stands for the class or function that a call gave. */
const resultName = '(the result of a call)';

/** A number as messages show it. */
const brief = (value: number | bigint): string =>
  typeof value === 'number' ? String(value) : 'it';

class Machine {
  readonly #in: Cursor;
  readonly #budget: Budget;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, Node>();
  readonly #persistent: PersistentNode[] = [];
  readonly #names = new Set<string>();
  readonly #built: ObjectNode[] = [];

  constructor(cursor: Cursor, options: PickleOptions) {
    this.#in = cursor;
    this.#budget = options.budget;
  }

  run(): Pickle {
    for (;;) {
      const code = this.#in.u8();
      this.#budget.spend(cost.step);
      if (code === 0x2e) break;
      this.#step(code);
    }
    return {
      root: this.#pop(),
      persistent: this.#persistent,
      names: this.#names,
      built: this.#built,
      end: this.#in.at,
    };
  }

  #push(node: Node): void {
    if (typeof node === 'string') this.#budget.spend(node.length);
    else if (typeof node === 'object' && node !== null) {
      this.#budget.spend(
        node instanceof Uint8Array ? cost.container + node.length : cost.container,
      );
    }
    this.#stack.push(node);
  }

  #pop(): Node {
    const top = this.#stack.pop();
    if (top === undefined || top === mark)
      throw this.#in.fault('malformed pickle: a value is missing');
    return top;
  }

  #top(): Node {
    const top = this.#stack.at(-1);
    if (top === undefined || top === mark)
      throw this.#in.fault('malformed pickle: a value is missing');
    return top;
  }

  /** Everything above the last mark, which goes too. */
  #popMarked(): Node[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.#in.fault('malformed pickle: a mark is missing');
    const items = this.#stack.splice(at).slice(1) as Node[];
    return items;
  }

  #remember(index: number | bigint): void {
    if (!Number.isSafeInteger(index))
      throw this.#in.fault('malformed pickle: no number of a memory');
    this.#budget.spend(cost.entry);
    this.#memo.set(Number(index), this.#top());
  }

  #recall(index: number | bigint): void {
    const node = this.#memo.get(Number(index));
    if (node === undefined)
      throw this.#in.fault(`malformed pickle: nothing is remembered as ${brief(index)}`);
    this.#stack.push(node);
  }

  #global(module: string, name: string): void {
    const full = `${renamed.get(module) ?? module}.${name}`;
    if (full.length > 1000) throw this.#in.fault('a name is too long');
    this.#names.add(full);
    this.#push(new GlobalNode(full));
  }

  /** A call of a class or function; kept as what it would call. */
  #call(callee: Node, args: Node, named?: DictNode): void {
    // What a call gives may be called too (a method that was looked up): something without a name that could be known.
    const called = callee instanceof ObjectNode ? new GlobalNode(resultName) : callee;
    if (!(called instanceof GlobalNode) || !(args instanceof TupleNode)) {
      throw this.#in.fault('malformed pickle: what is called is no class or function');
    }
    this.#push(new ObjectNode(called, args, named));
  }

  #refer(id: Node): void {
    // Before version 1.6 a module's class was stored with its source code, which is of no use here.
    const [kind, type] = id instanceof TupleNode ? id.items : [];
    if (kind === 'module' && type instanceof GlobalNode) {
      this.#stack.push(type);
      return;
    }
    const node = new PersistentNode(id);
    this.#persistent.push(node);
    this.#push(node);
  }

  #append(target: Node, items: readonly Node[]): void {
    if (!(target instanceof ListNode || target instanceof ObjectNode)) {
      throw this.#in.fault('malformed pickle: values are appended to what is no list');
    }
    this.#budget.spend(cost.item * items.length);
    for (const item of items) target.items.push(item);
  }

  #set(target: Node, entries: readonly Node[]): void {
    if (entries.length % 2 !== 0) throw this.#in.fault('malformed pickle: a key has no value');
    if (!(target instanceof DictNode || target instanceof ObjectNode)) {
      throw this.#in.fault('malformed pickle: values are set in what is no dictionary');
    }
    this.#budget.spend(cost.item * entries.length);
    for (const entry of entries) target.entries.push(entry);
  }

  #build(state: Node): void {
    const target = this.#top();
    if (!(target instanceof ObjectNode)) {
      throw this.#in.fault('malformed pickle: a state is set on what is no object');
    }
    target.state = state;
    this.#built.push(target);
  }

  #integer(length: number): void {
    this.#budget.spend(4 * length);
    this.#push(this.#in.integer(length));
  }

  #dict(entries: readonly Node[]): void {
    const dict = new DictNode();
    this.#set(dict, entries);
    this.#push(dict);
  }

  #list(items: readonly Node[]): void {
    const list = new ListNode();
    this.#append(list, items);
    this.#push(list);
  }

  /** Carries out one opcode; what a case returns is nothing. */
  #step(code: number) {
    const read = this.#in;
    switch (code) {
      // structure
      case 0x80: {
        const protocol = read.u8();
        if (protocol > 5) throw read.fault(`pickle protocol ${protocol} is not known`);
        return;
      }
      case 0x95:
        read.u64(); // a frame: its contents follow as usual
        return;
      case 0x28:
        this.#stack.push(mark);
        return;
      case 0x30: {
        const top = this.#stack.pop();
        if (top === undefined) throw read.fault('malformed pickle: a value is missing');
        return;
      }
      case 0x31:
        this.#popMarked();
        return;
      case 0x32: {
        this.#stack.push(this.#top());
        return;
      }
      // the memo
      case 0x67:
        return this.#recall(read.decimal());
      case 0x68:
        return this.#recall(read.u8());
      case 0x6a:
        return this.#recall(read.u32());
      case 0x70:
        return this.#remember(read.decimal());
      case 0x71:
        return this.#remember(read.u8());
      case 0x72:
        return this.#remember(read.u32());
      case 0x94:
        return this.#remember(this.#memo.size);
      // plain values
      case 0x4e:
        return this.#push(null);
      case 0x88:
        return this.#push(true);
      case 0x89:
        return this.#push(false);
      case 0x49: {
        const start = read.at;
        const text = read.line();
        if (text === '00' || text === '01') return this.#push(text === '01');
        read.at = start;
        return this.#push(read.decimal());
      }
      case 0x4c:
        return this.#push(read.decimal());
      case 0x4a:
        return this.#push(read.i32());
      case 0x4b:
        return this.#push(read.u8());
      case 0x4d:
        return this.#push(read.u16());
      case 0x8a:
        return this.#integer(read.u8());
      case 0x8b:
        return this.#integer(read.u32());
      case 0x46: {
        const text = read.line();
        const value = parseFloatText(text);
        if (value === undefined) throw read.fault(`${quote(text)} is no number`);
        return this.#push(value);
      }
      case 0x47:
        return this.#push(read.f64());
      // texts and bytes
      case 0x53:
        return this.#push(unquote(read.line(), read));
      case 0x54:
        return this.#push(read.oldText(read.bytes(read.u32())));
      case 0x55:
        return this.#push(read.oldText(read.bytes(read.u8())));
      case 0x56:
        return this.#push(rawUnicode(read.line(), read));
      case 0x58:
        return this.#push(read.utf8(read.u32()));
      case 0x8c:
        return this.#push(read.utf8(read.u8()));
      case 0x8d:
        return this.#push(read.utf8(read.u64()));
      case 0x42:
        return this.#push(read.bytes(read.u32()));
      case 0x43:
        return this.#push(read.bytes(read.u8()));
      case 0x8e:
      case 0x96:
        return this.#push(read.bytes(read.u64()));
      // containers
      case 0x5d:
        return this.#push(new ListNode());
      case 0x6c:
        return this.#list(this.#popMarked());
      case 0x61: {
        const item = this.#pop();
        return this.#append(this.#top(), [item]);
      }
      case 0x65: {
        const items = this.#popMarked();
        return this.#append(this.#top(), items);
      }
      case 0x29:
        return this.#push(new TupleNode([]));
      case 0x74:
        return this.#push(new TupleNode(this.#popMarked()));
      case 0x85:
      case 0x86:
      case 0x87: {
        const items: Node[] = [];
        for (let i = code - 0x84; i > 0; i--) items.unshift(this.#pop());
        return this.#push(new TupleNode(items));
      }
      case 0x7d:
        return this.#push(new DictNode());
      case 0x64:
        return this.#dict(this.#popMarked());
      case 0x73: {
        const value = this.#pop();
        const key = this.#pop();
        return this.#set(this.#top(), [key, value]);
      }
      case 0x75: {
        const entries = this.#popMarked();
        return this.#set(this.#top(), entries);
      }
      case 0x8f:
        return this.#push(new SetNode());
      case 0x90: {
        const items = this.#popMarked();
        const target = this.#top();
        if (!(target instanceof SetNode))
          throw read.fault('malformed pickle: values are added to what is no set');
        this.#budget.spend(cost.item * items.length);
        for (const item of items) target.items.push(item);
        return;
      }
      case 0x91:
        return this.#push(new SetNode(this.#popMarked()));
      // classes, functions and what lies outside
      case 0x63: {
        const module = read.line();
        return this.#global(module, read.line());
      }
      case 0x93: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== 'string' || typeof module !== 'string') {
          throw read.fault('malformed pickle: a class is not named by texts');
        }
        return this.#global(module, name);
      }
      case 0x69: {
        const module = read.line();
        this.#global(module, read.line());
        const callee = this.#pop();
        return this.#call(callee, new TupleNode(this.#popMarked()));
      }
      case 0x6f: {
        const [callee, ...args] = this.#popMarked();
        return this.#call(callee ?? null, new TupleNode(args));
      }
      case 0x52:
      case 0x81: {
        const args = this.#pop();
        return this.#call(this.#pop(), args);
      }
      case 0x92: {
        const named = this.#pop();
        const args = this.#pop();
        const callee = this.#pop();
        if (!(named instanceof DictNode))
          throw read.fault('malformed pickle: arguments have no names');
        return this.#call(callee, args, named.entries.length > 0 ? named : undefined);
      }
      case 0x62:
        return this.#build(this.#pop());
      case 0x50:
        return this.#refer(read.line());
      case 0x51:
        return this.#refer(this.#pop());
      default:
        throw read.fault(
          `opcode 0x${code.toString(16).padStart(2, '0')} is unknown or not allowed`,
        );
    }
  }
}
