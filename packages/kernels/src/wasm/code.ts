import { Bytes, typeCodes, type ValueType } from './bytes.js';
import { v128 } from './opcodes.js';

/** A place branches can go to: the end of a block, or the start of a loop. */
export interface Label {
  readonly depth: number;
}

/** A function to be called by index: an import or a function of the module. */
export interface Callable {
  readonly index: number;
}

/**
 * The body of one function, written instruction by instruction as for the stack machine.
 * Parameters are the first locals; `local` adds more. Values are left on and taken from the stack.
 *
 * @example
 * const f = module.function('sum', ['i32', 'i32'], ['i32']);
 * f.get(0).get(1).op(i32.add);
 */
export class Code implements Callable {
  readonly index: number;
  #bytes = new Bytes();
  readonly #prelude = new Bytes();
  readonly #locals: ValueType[] = [];
  readonly #parameters: number;
  #depth = 0;

  /** @internal */
  constructor(index: number, parameters: number) {
    this.index = index;
    this.#parameters = parameters;
  }

  /** A new local variable, zero at first. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  /** Writes instructions that run before all others of the body: literals kept out of loops. */
  atStart(write: () => void): this {
    const body = this.#bytes;
    this.#bytes = this.#prelude;
    write();
    this.#bytes = body;
    return this;
  }

  /** Pushes a local. */
  get(local: number): this {
    this.#bytes.byte(0x20);
    this.#bytes.unsigned(local);
    return this;
  }

  /** Pops into a local. */
  set(local: number): this {
    this.#bytes.byte(0x21);
    this.#bytes.unsigned(local);
    return this;
  }

  /** Copies the top of the stack into a local. */
  tee(local: number): this {
    this.#bytes.byte(0x22);
    this.#bytes.unsigned(local);
    return this;
  }

  /** Pushes a global of the module. */
  globalGet(index: number): this {
    this.#bytes.byte(0x23);
    this.#bytes.unsigned(index);
    return this;
  }

  /** An instruction without immediates. */
  op(code: number): this {
    this.#bytes.opcode(code);
    return this;
  }

  /** A load or store: pops what the instruction takes; `align` is the exponent of 2, a hint only. */
  memory(code: number, offset = 0, align = 0): this {
    this.#bytes.opcode(code);
    this.#bytes.unsigned(align);
    this.#bytes.unsigned(offset);
    return this;
  }

  /** A load or store of one lane of a v128. */
  memoryLane(code: number, lane: number, offset = 0): this {
    this.memory(code, offset);
    this.#bytes.byte(lane);
    return this;
  }

  /** An instruction that takes a lane: `extractLane`, `replaceLane`. */
  lane(code: number, lane: number): this {
    this.#bytes.opcode(code);
    this.#bytes.byte(lane);
    return this;
  }

  /** Pops two vectors, pushes bytes chosen from both: 0-15 of the first, 16-31 of the second. */
  shuffle(lanes: readonly number[]): this {
    this.#bytes.opcode(0xfd000d);
    for (let i = 0; i < 16; i++) this.#bytes.byte(lanes[i] as number);
    return this;
  }

  /** `shuffle` in units of 4 bytes: 0-3 of the first vector, 4-7 of the second. */
  shuffle32(a: number, b: number, c: number, d: number): this {
    return this.shuffle([a, b, c, d].flatMap((n) => [n * 4, n * 4 + 1, n * 4 + 2, n * 4 + 3]));
  }

  i32(value: number): this {
    this.#bytes.byte(0x41);
    this.#bytes.signed(value);
    return this;
  }

  i64(value: bigint): this {
    this.#bytes.byte(0x42);
    this.#bytes.signed64(value);
    return this;
  }

  f32(value: number): this {
    this.#bytes.byte(0x43);
    this.#bytes.float32(value);
    return this;
  }

  f64(value: number): this {
    this.#bytes.byte(0x44);
    this.#bytes.float64(value);
    return this;
  }

  /** A vector literal of four float32. */
  f32x4(a: number, b = a, c = a, d = a): this {
    this.#bytes.opcode(0xfd000c);
    for (const value of [a, b, c, d]) this.#bytes.float32(value);
    return this;
  }

  /** A vector literal of two float64. */
  f64x2(a: number, b = a): this {
    this.#bytes.opcode(0xfd000c);
    this.#bytes.float64(a);
    this.#bytes.float64(b);
    return this;
  }

  /** A vector literal of four int32. */
  i32x4(a: number, b = a, c = a, d = a): this {
    this.#bytes.opcode(0xfd000c);
    for (const value of [a, b, c, d]) this.#bytes.int32(value);
    return this;
  }

  /** A vector literal of two int64. */
  i64x2(a: bigint, b = a): this {
    this.#bytes.opcode(0xfd000c);
    this.#bytes.int64(a);
    this.#bytes.int64(b);
    return this;
  }

  call(target: Callable): this {
    this.#bytes.byte(0x10);
    this.#bytes.unsigned(target.index);
    return this;
  }

  /** A block; branching to its label leaves it. */
  block(body: (exit: Label) => void, result?: ValueType): this {
    return this.#structured(0x02, body, result);
  }

  /** A loop; branching to its label starts it again, falling off its end leaves it. */
  loop(body: (again: Label) => void): this {
    return this.#structured(0x03, body);
  }

  /** Pops a condition and runs one of the two bodies. */
  if(then: (exit: Label) => void, otherwise?: (exit: Label) => void, result?: ValueType): this {
    this.#bytes.byte(0x04);
    this.#bytes.byte(result ? typeCodes[result] : 0x40);
    this.#depth++;
    const label = { depth: this.#depth };
    then(label);
    if (otherwise) {
      this.#bytes.byte(0x05);
      otherwise(label);
    }
    this.#depth--;
    this.#bytes.byte(0x0b);
    return this;
  }

  #structured(code: number, body: (label: Label) => void, result?: ValueType): this {
    this.#bytes.byte(code);
    this.#bytes.byte(result ? typeCodes[result] : 0x40);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.#bytes.byte(0x0b);
    return this;
  }

  /** Branches to a label of an enclosing structure. */
  br(label: Label): this {
    this.#bytes.byte(0x0c);
    this.#bytes.unsigned(this.#depth - label.depth);
    return this;
  }

  /** Pops a condition and branches if it is not zero. */
  brIf(label: Label): this {
    this.#bytes.byte(0x0d);
    this.#bytes.unsigned(this.#depth - label.depth);
    return this;
  }

  /** Pops length, source and destination, and copies bytes (regions may overlap). */
  memoryCopy(): this {
    this.#bytes.opcode(0xfc000a);
    this.#bytes.byte(0);
    this.#bytes.byte(0);
    return this;
  }

  /** Pops length, byte value and destination, and fills. */
  memoryFill(): this {
    this.#bytes.opcode(0xfc000b);
    this.#bytes.byte(0);
    return this;
  }

  /** Loads a whole vector from the address on the stack. */
  loadVector(offset = 0): this {
    return this.memory(v128.load, offset);
  }

  /** @internal */
  encode(): Uint8Array {
    const out = new Bytes();
    const groups: { count: number; type: ValueType }[] = [];
    for (const type of this.#locals) {
      const last = groups.at(-1);
      if (last?.type === type) last.count++;
      else groups.push({ count: 1, type });
    }
    out.unsigned(groups.length);
    for (const group of groups) {
      out.unsigned(group.count);
      out.byte(typeCodes[group.type]);
    }
    out.append(this.#prelude.view());
    out.append(this.#bytes.view());
    out.byte(0x0b);
    return out.view();
  }
}
