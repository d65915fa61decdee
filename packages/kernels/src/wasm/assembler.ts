import { Bytes, typeCodes, type ValueType } from './bytes.js';
import { type Callable, Code } from './code.js';

export type { ValueType } from './bytes.js';
export { type Callable, Code, type Label } from './code.js';

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
