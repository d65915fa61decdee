import { Device, Float, fromTypedArray, type Storage, Tensor } from '@sconce/core';
import { isStateful, registrationOf } from '../classes.js';
import { FileError } from '../errors.js';
import { deviceName, locationOf, type MapLocation } from '../location.js';
import { isParameter } from '../parameter.js';
import { PickleWriter } from '../pickle/writer.js';
import { isIndex } from './converter.js';
import { storageClass } from './dtypes.js';
import { Tuple } from './tuple.js';

/** Values as a pickle, and the storages whose bytes go beside it, in the order of their keys `0`, `1`, ... */
export interface Encoded {
  readonly pickle: Uint8Array;
  readonly storages: readonly Storage[];
}

/** How values are encoded. */
export interface EncodeOptions {
  /** For the old format, whose references to storages have one field more. */
  legacy?: boolean;
  /** What devices are called in the file. */
  mapLocation?: MapLocation | undefined;
  /** Whether objects of registered classes are written by name. */
  classes?: boolean | undefined;
}

/** Deeper nesting Python itself could not read. */
const maxDepth = 500;

/** By structure, a random generator. */
interface GeneratorLike {
  getState(): Uint8Array;
  setState(state: Uint8Array): unknown;
}

/**
 * Encodes values as `torch.save` pickles them. Everything but the elements of tensors is fixed when this returns.
 *
 * @throws FileError on what no file can hold, with the path to it.
 */
export function encodeTorch(value: unknown, options: EncodeOptions = {}): Encoded {
  return new Encoder(options).run(value);
}

class Encoder {
  readonly #out = new PickleWriter();
  readonly #options: EncodeOptions;
  readonly #known = new Map<object, number>();
  readonly #storages: Storage[] = [];
  readonly #keys = new Map<Storage, string>();
  readonly #path: string[] = [];

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  run(value: unknown): Encoded {
    this.#value(value);
    return { pickle: this.#out.finish(), storages: this.#storages };
  }

  #fault(why: string): FileError {
    return new FileError(`save: the value${this.#path.join('')} ${why}`);
  }

  #value(value: unknown) {
    const out = this.#out;
    if (value === null || value === undefined) return out.none();
    switch (typeof value) {
      case 'boolean':
        return out.bool(value);
      case 'number':
        return this.#number(value);
      case 'bigint':
        return out.int(value);
      case 'string':
        return out.text(value);
      case 'object':
      case 'function':
        return this.#shared(value);
      default:
        throw this.#fault(`is a ${typeof value}, which a file cannot hold`);
    }
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#out.int(value);
    else this.#out.float(value);
  }

  /** An object; one that came before is referred to. */
  #shared(value: object) {
    const known = this.#known.get(value);
    if (known !== undefined) return this.#out.recall(known);
    if (this.#path.length > maxDepth)
      throw new FileError(`save: values are nested more than ${maxDepth} deep`);
    this.#object(value);
  }

  #remember(value: object): void {
    this.#known.set(value, this.#out.remember());
  }

  #object(value: object) {
    const out = this.#out;
    if (value instanceof Tensor) return this.#tensor(value);
    if (value instanceof Float) return out.float(value.value);
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (value instanceof Tuple) return this.#tuple(value);
    if (Array.isArray(value)) return this.#list(value);
    if (isCounter(value)) return this.#counter(value);
    if (value instanceof Map) return this.#map(value);
    if (value instanceof Set) return this.#set(value);
    if (value instanceof Device) return this.#device(value);
    const registered = this.#options.classes ? registrationOf(value) : undefined;
    if (registered) return this.#registered(value, registered.name, registered.save(value));
    if (isStateful(value)) {
      this.#value(value.stateDict());
      return;
    }
    if (isGenerator(value)) return this.#generator(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#plain(value);
    throw this.#fault(this.#whatElse(value));
  }

  #whatElse(value: object): string {
    if (typeof value === 'function')
      return `is the function ${value.name || '(anonymous)'}, which a file cannot hold`;
    if (ArrayBuffer.isView(value)) return 'is a typed array; make it a tensor with fromTypedArray';
    const name = (value.constructor as { name?: string } | undefined)?.name ?? 'an unknown class';
    const way = registrationOf(value)
      ? 'pass { classes: true } to save it by the name it is registered under'
      : 'make the class known with registerClass and pass { classes: true }';
    return `is an object of class ${name}; ${way}, or save plain data of it`;
  }

  #at(step: string, value: unknown): void {
    this.#path.push(step);
    this.#value(value);
    this.#path.pop();
  }

  #list(items: readonly unknown[]): void {
    this.#out.emptyList();
    this.#remember(items);
    if (items.length === 0) return;
    this.#out.mark();
    // Holes count as undefined, so that places are kept.
    for (let i = 0; i < items.length; i++) this.#at(`[${i}]`, items[i]);
    this.#out.appends();
  }

  #tuple(items: readonly unknown[]) {
    if (items.length === 0) return this.#out.emptyTuple();
    this.#out.mark();
    items.forEach((item, i) => {
      this.#at(`[${i}]`, item);
    });
    this.#out.tuple();
    this.#remember(items);
  }

  #entries(entries: Iterable<readonly [unknown, unknown]>): void {
    const list = [...entries].filter(([, value]) => value !== undefined);
    if (list.length === 0) return;
    this.#out.mark();
    for (const [key, value] of list) {
      if (key !== null && typeof key === 'object' && !(key instanceof Tuple)) {
        throw this.#fault('has an object as a key, which a Python dictionary cannot');
      }
      this.#at('.key', key);
      this.#at(typeof key === 'string' ? `.${key}` : `[${String(key)}]`, value);
    }
    this.#out.setItems();
  }

  /** A dictionary; keys that are numbers as properties are numbers in the file. */
  #plain(object: object): void {
    this.#out.emptyDict();
    this.#remember(object);
    this.#entries(pythonEntries(object));
  }

  #counter(object: object): void {
    this.#out.global('collections', 'Counter');
    this.#out.emptyDict();
    this.#entries(object instanceof Map ? object : pythonEntries(object));
    this.#out.tupleOf(1);
    this.#out.reduce();
    this.#remember(object);
  }

  #orderedDict(): void {
    this.#out.global('collections', 'OrderedDict');
    this.#out.emptyTuple();
    this.#out.reduce();
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    this.#orderedDict();
    this.#remember(map);
    this.#entries(map);
  }

  #set(items: ReadonlySet<unknown>): void {
    const out = this.#out;
    out.global('__builtin__', 'set');
    out.emptyList();
    out.mark();
    for (const item of items) {
      if (item !== null && typeof item === 'object')
        throw this.#fault('is a Set with an object in it, which Python has not');
      this.#at('.item', item);
    }
    out.appends();
    out.tupleOf(1);
    out.reduce();
    this.#remember(items);
  }

  /** Bytes as protocol 2 has them: encoded from a text of the same codes. */
  #bytes(bytes: Uint8Array): void {
    let codes = '';
    for (let i = 0; i < bytes.length; i += 8192) {
      codes += String.fromCharCode(...bytes.subarray(i, i + 8192));
    }
    this.#out.global('_codecs', 'encode');
    this.#out.text(codes);
    this.#out.text('latin1');
    this.#out.tupleOf(2);
    this.#out.reduce();
    this.#remember(bytes);
  }

  #device(device: Device): void {
    const [type, index] = deviceName(device, undefined).split(':') as [string, string?];
    this.#out.global('torch', 'device');
    this.#out.text(type);
    if (index === undefined) this.#out.tupleOf(1);
    else {
      this.#out.int(Number(index));
      this.#out.tupleOf(2);
    }
    this.#out.reduce();
  }

  /** An object of a registered class, in the form of Python's own objects: the class by name, and its state. */
  #registered(object: object, name: string, state: unknown): void {
    const dot = name.lastIndexOf('.');
    this.#out.global(name.slice(0, dot), name.slice(dot + 1));
    this.#out.emptyTuple();
    this.#out.newObject();
    this.#remember(object);
    this.#at('', state);
    this.#out.build();
  }

  /** The state of a generator, as the tensor of bytes that PyTorch keeps. */
  #generator(generator: GeneratorLike): void {
    this.#value(byteTensor(generator.getState()));
  }

  #tensor(tensor: Tensor) {
    const out = this.#out;
    if (!isParameter(tensor)) return this.#rebuilt(tensor, tensor.requiresGrad);
    out.global('torch._utils', '_rebuild_parameter');
    out.mark();
    this.#path.push('');
    this.#rebuilt(tensor, false, false);
    this.#path.pop();
    out.bool(tensor.requiresGrad);
    this.#orderedDict();
    out.tuple();
    out.reduce();
    this.#remember(tensor);
  }

  #rebuilt(tensor: Tensor, requiresGrad: boolean, remember = true): void {
    const out = this.#out;
    if (tensor.dtype !== tensor.storage.dtype) {
      throw this.#fault(
        `is a tensor of ${tensor.dtype} on memory of ${tensor.storage.dtype}, which the format cannot express; clone() it first`,
      );
    }
    out.global('torch._utils', '_rebuild_tensor_v2');
    out.mark();
    this.#storage(tensor.storage);
    out.int(tensor.offset);
    this.#sizes(tensor.shape);
    this.#sizes(tensor.strides);
    out.bool(requiresGrad);
    this.#orderedDict();
    out.tuple();
    out.reduce();
    if (remember) this.#remember(tensor);
  }

  #sizes(sizes: readonly number[]) {
    if (sizes.length === 0) return this.#out.emptyTuple();
    this.#out.mark();
    for (const size of sizes) this.#out.int(size);
    this.#out.tuple();
  }

  #storage(storage: Storage): void {
    const out = this.#out;
    let key = this.#keys.get(storage);
    if (key === undefined) {
      key = String(this.#storages.length);
      this.#keys.set(storage, key);
      this.#storages.push(storage);
    }
    out.mark();
    out.text('storage');
    out.global('torch', storageClass[storage.dtype]);
    out.text(key);
    out.text(locationOf(storage.device, this.#options.mapLocation));
    out.int(storage.length);
    if (this.#options.legacy) out.none();
    out.tuple();
    out.persistentId();
  }
}

const pythonEntries = (object: object): [unknown, unknown][] =>
  Object.entries(object).map(([key, value]) => [isIndex(key) ? Number(key) : key, value]);

/** Counts tagged as what Python calls them, which PyTorch's MultiStepLR needs. */
const isCounter = (value: object): boolean => Reflect.get(value, Symbol.toStringTag) === 'Counter';

const isGenerator = (value: object): value is GeneratorLike =>
  typeof (value as Partial<GeneratorLike>).getState === 'function' &&
  typeof (value as Partial<GeneratorLike>).setState === 'function';

/** Bytes as a tensor of uint8 on the cpu. */
export const byteTensor = (bytes: Uint8Array): Tensor =>
  fromTypedArray(bytes, [bytes.length], { device: 'cpu' });
