import { v128 } from './opcodes.js';

/** The types of WebAssembly values. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

const typeCodes: Record<ValueType, number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** A growing block of bytes with WebAssembly's number encodings. */
class Bytes {
  #data = new Uint8Array(256);
  #view = new DataView(this.#data.buffer);
  length = 0;

  #reserve(count: number): void {
    if (this.length + count <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(this.#data.length * 2, this.length + count));
    grown.set(this.#data);
    this.#data = grown;
    this.#view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#data[this.length++] = value;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  float32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.length, value, true);
    this.length += 4;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.length, BigInt.asIntN(64, value), true);
    this.length += 8;
  }

  append(other: Uint8Array): void {
    this.#reserve(other.length);
    this.#data.set(other, this.length);
    this.length += other.length;
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.unsigned(encoded.length);
    this.append(encoded);
  }

  opcode(code: number): void {
    if (code > 0xffff) {
      this.byte(code >>> 16);
      this.unsigned(code & 0xffff);
    } else {
      this.byte(code);
    }
  }

  view(): Uint8Array {
    return this.#data.subarray(0, this.length);
  }
}

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

/** How the memory a module imports is declared; limits are in pages of 64 KiB. */
export interface MemoryLimits {
  /** Whether it is shared between threads; must match the memory given. */
  readonly shared: boolean;
  readonly initial?: number;
  /** 65536 (4 GiB) unless given; a memory declared with less fits as well. */
  readonly maximum?: number;
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'memory' | 'global';
  readonly encode: (out: Bytes) => void;
}

/**
 * Writes one WebAssembly module: declare imports first, then functions, then `build()`.
 *
 * @example
 * const module = new ModuleBuilder();
 * module.importMemory('env', 'memory', { shared: true });
 * const f = module.function('addOne', ['i32'], ['i32']);
 * f.get(0).i32(1).op(i32.add);
 * new WebAssembly.Module(module.build());
 */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #imports: Import[] = [];
  readonly #functions: { code: Code; type: number; exported: string | undefined }[] = [];
  #importedFunctions = 0;
  #importedGlobals = 0;

  #type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}:${results.join()}`;
    const found = this.#types.indexOf(key);
    return found >= 0 ? found : this.#types.push(key) - 1;
  }

  /** Imports the one memory of the module. */
  importMemory(module: string, name: string, limits: MemoryLimits): void {
    this.#imports.push({
      module,
      name,
      kind: 'memory',
      encode: (out) => {
        out.byte(2);
        out.byte(limits.shared ? 3 : 1);
        out.unsigned(limits.initial ?? 0);
        out.unsigned(limits.maximum ?? 65536);
      },
    });
  }

  /** Imports a function; all imports must come before the first function. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): Callable {
    if (this.#functions.length > 0) throw new Error('imports come before functions');
    const type = this.#type(parameters, results);
    this.#imports.push({
      module,
      name,
      kind: 'function',
      encode: (out) => {
        out.byte(0);
        out.unsigned(type);
      },
    });
    return { index: this.#importedFunctions++ };
  }

  /** Imports an immutable global, and gives its index for `globalGet`. */
  importGlobal(module: string, name: string, type: ValueType): number {
    this.#imports.push({
      module,
      name,
      kind: 'global',
      encode: (out) => {
        out.byte(3);
        out.byte(typeCodes[type]);
        out.byte(0);
      },
    });
    return this.#importedGlobals++;
  }

  /** A new function, exported under `name` if one is given. */
  function(
    name: string | undefined,
    parameters: readonly ValueType[],
    results: readonly ValueType[] = [],
  ): Code {
    const code = new Code(this.#importedFunctions + this.#functions.length, parameters.length);
    this.#functions.push({ code, type: this.#type(parameters, results), exported: name });
    return code;
  }

  /** The bytes of the module. */
  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const section = (id: number, write: (body: Bytes) => void): void => {
      const body = new Bytes();
      write(body);
      out.byte(id);
      out.unsigned(body.length);
      out.append(body.view());
    };
    section(1, (body) => {
      body.unsigned(this.#types.length);
      for (const key of this.#types) {
        body.byte(0x60);
        for (const list of key.split(':')) {
          const names = list === '' ? [] : (list.split(',') as ValueType[]);
          body.unsigned(names.length);
          for (const name of names) body.byte(typeCodes[name]);
        }
      }
    });
    if (this.#imports.length > 0) {
      section(2, (body) => {
        body.unsigned(this.#imports.length);
        for (const entry of this.#imports) {
          body.text(entry.module);
          body.text(entry.name);
          entry.encode(body);
        }
      });
    }
    section(3, (body) => {
      body.unsigned(this.#functions.length);
      for (const { type } of this.#functions) body.unsigned(type);
    });
    const exported = this.#functions.filter((f) => f.exported !== undefined);
    section(7, (body) => {
      body.unsigned(exported.length);
      for (const { exported: name, code } of exported) {
        body.text(name as string);
        body.byte(0);
        body.unsigned(code.index);
      }
    });
    section(10, (body) => {
      body.unsigned(this.#functions.length);
      for (const { code } of this.#functions) {
        const encoded = code.encode();
        body.unsigned(encoded.length);
        body.append(encoded);
      }
    });
    return new Uint8Array(out.view());
  }
}
