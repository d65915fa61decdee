import { noGrad } from '@sconce/autograd';
import {
  formatShape,
  NotImplementedError,
  RuntimeError,
  sameShape,
  Tensor,
  takes,
  ValueError,
} from '@sconce/core';
import { Module } from '../module.js';
import { ModuleDict } from '../modules/container.js';
import { Parameter } from '../parameter.js';
import { propertyNamed, registry, stateKey } from '../registry.js';
import * as signatures from '../signatures.js';
import { properties } from './reparametrize.js';

/** A module that computes a tensor from one or several others. */
export interface Parametrization extends Module {
  forward(...originals: Tensor[]): Tensor;
  /** The tensor or tensors from which `forward` computes `value`, or one near it. */
  rightInverse?(value: Tensor): Tensor | readonly Tensor[];
}

/** Options of `registerParametrization`. */
export interface RegisterOptions {
  /** Allow the parametrization to change the shape and dtype, and do not try it out; default false. */
  unsafe?: boolean;
}

/** Values of parametrized tensors while `cached` runs. */
let cache: WeakMap<Module, Tensor> | undefined;

/**
 * The parametrizations of one tensor, applied one after another to `original` (or `original0`, `original1`, …).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.ParametrizationList.html
 */
export class ParametrizationList extends Module implements Iterable<Parametrization> {
  unsafe: boolean;
  /** Whether the first parametrization takes one tensor. */
  readonly isTensor: boolean;

  /** @internal Made by `registerParametrization`. */
  constructor(parametrization: Parametrization, original: Tensor, unsafe: boolean) {
    super();
    this.unsafe = unsafe;
    const { shape, dtype } = original;
    const given = inverseOf(parametrization, original) ?? original;
    this.isTensor = given instanceof Tensor;
    if (given instanceof Tensor) {
      checkDtype('the right inverse', given, dtype);
      if (given !== original) original.data = given.detach();
      own(this, 'original', original, original);
    } else {
      for (const [i, part] of given.entries()) own(this, `original${i}`, part, original);
    }
    this.addModule('0', parametrization);
    if (!unsafe)
      checkLike(
        'a parametrization',
        noGrad(() => this.forward()),
        shape,
        dtype,
      );
  }

  /** The tensors that are parametrized. */
  get originals(): readonly Tensor[] {
    const { parameters, buffers } = registry(this);
    return [...parameters.present(), ...buffers.present()].flatMap(([name, value]) =>
      /^original\d*$/.test(name) ? [value] : [],
    );
  }

  /** The parametrized tensor. */
  override forward(): Tensor {
    const [first, ...rest] = [...this] as [Parametrization, ...Parametrization[]];
    const value: unknown = first(...this.originals);
    if (!(value instanceof Tensor)) {
      throw new ValueError(
        `parametrize: A parametrization must return a tensor. Got ${typeof value}.`,
      );
    }
    return rest.reduce((x, next) => next(x), value);
  }

  /** Adds one at the end. */
  append(parametrization: Parametrization): void {
    this.addModule(String([...this].length), parametrization);
  }

  /**
   * Sets the originals so that the parametrized tensor becomes `value`.
   *
   * @throws RuntimeError if a parametrization has no `rightInverse`.
   */
  rightInverse(value: Tensor): void {
    noGrad(() => {
      let result: Tensor | readonly Tensor[] = value;
      for (const each of [...this].reverse()) {
        if (!each.rightInverse) {
          throw new RuntimeError(
            `parametrize: parametrization ${each.getName()} does not implement rightInverse`,
          );
        }
        result = each.rightInverse(result as Tensor);
      }
      const values = result instanceof Tensor ? [result] : result;
      const { originals } = this;
      if (values.length !== originals.length) {
        throw new ValueError(
          `parametrize: 'rightInverse' must return ${originals.length} tensors, got ${values.length}`,
        );
      }
      for (const [i, original] of originals.entries()) {
        const own = values[i] as Tensor;
        checkDtype('the right inverse', own, original.dtype);
        original.data = own.detach();
      }
    });
  }

  [Symbol.iterator](): Iterator<Parametrization> {
    return [...registry(this).modules.present()]
      .map(([, module]) => module as Parametrization)
      [Symbol.iterator]();
  }
}

/** Holds a tensor as what the parametrized one was. */
function own(list: ParametrizationList, name: string, value: Tensor, like: Tensor): void {
  if (!(like instanceof Parameter)) list.registerBuffer(name, value);
  else {
    const parameter =
      value instanceof Parameter ? value : new Parameter(value.detach(), like.requiresGrad);
    list.registerParameter(name, parameter);
  }
}

/** What a tensor's originals are to be; undefined where a parametrization cannot say. */
function inverseOf(
  parametrization: Parametrization,
  value: Tensor,
): Tensor | readonly Tensor[] | undefined {
  try {
    return noGrad(() => parametrization.rightInverse?.(value.detach()));
  } catch (error) {
    if (error instanceof NotImplementedError) return undefined;
    throw error;
  }
}

function checkDtype(what: string, { dtype }: Tensor, expected: string): void {
  if (dtype !== expected) {
    throw new ValueError(
      `parametrize: ${what} may not change the dtype of the tensor: ${expected} became ${dtype}`,
    );
  }
}

function checkLike(what: string, value: Tensor, shape: readonly number[], dtype: string): void {
  checkDtype(what, value, dtype);
  if (!sameShape(value.shape, shape)) {
    throw new ValueError(
      `parametrize: ${what} may not change the shape of the tensor, unless 'unsafe' is set: ${formatShape(shape)} became ${formatShape(value.shape)}`,
    );
  }
}

const listsOf = (module: Module): ModuleDict<ParametrizationList> | undefined => {
  const found = properties(module).parametrizations;
  return found instanceof ModuleDict ? (found as ModuleDict<ParametrizationList>) : undefined;
};

/**
 * Whether a module has parametrizations, of one tensor or at all.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.is_parametrized.html
 */
export function isParametrized(module: Module, name?: string): boolean {
  takes('isParametrized', signatures.isParametrized, arguments);
  const lists = listsOf(module);
  if (!lists) return false;
  return name === undefined ? [...lists].length > 0 : lists.has(stateKey(module, name));
}

/**
 * Computes a parameter or buffer by a module: `module[name]` becomes what `parametrization` gives of it. Optimizers
 * train the tensor that it is computed from, `module.parametrizations[name].original`. Several
 * parametrizations of one tensor follow each other. Returns the module.
 *
 * @throws ValueError if there is no such parameter or buffer, or the parametrization changes shape or dtype.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.register_parametrization.html
 * @example
 * class Symmetric extends nn.Module {
 *   forward(x: Tensor): Tensor {
 *     return x.triu().add(x.triu(1).t());
 *   }
 * }
 * nn.utils.parametrize.registerParametrization(new nn.Linear(4, 4), 'weight', new Symmetric());
 */
export function registerParametrization<M extends Module>(
  module: M,
  name: string,
  parametrization: Parametrization,
  options: RegisterOptions = {},
): M {
  takes('registerParametrization', signatures.registerParametrization, arguments);
  const { unsafe = false } = options;
  parametrization.train(module.training);
  const known = listsOf(module)?.get(stateKey(module, name));
  if (known) {
    if (!unsafe) {
      const before = noGrad(() => known());
      const after = noGrad(() => parametrization(before));
      checkLike('a parametrization', after, before.shape, before.dtype);
    }
    known.append(parametrization);
    known.unsafe ||= unsafe;
    return module;
  }
  const property = propertyNamed(module, name);
  const original = property === undefined ? undefined : properties(module)[property];
  if (property === undefined || !(original instanceof Tensor)) {
    throw new ValueError(
      `parametrize: ${module.getName()} does not have a parameter, a buffer, or a parametrized element with name '${name}'`,
    );
  }
  const list = new ParametrizationList(parametrization, original, unsafe);
  list.train(module.training);
  Reflect.deleteProperty(module, property);
  let lists = listsOf(module);
  if (!lists) {
    lists = new ModuleDict<ParametrizationList>();
    module.addModule('parametrizations', lists);
    const own = module.getName();
    Object.defineProperty(module, 'getName', {
      value: () => `Parametrized${own}`,
      configurable: true,
      enumerable: false,
    });
  }
  const key = stateKey(module, property);
  lists.set(key, list);
  Object.defineProperty(module, property, {
    get(this: Module) {
      return computed(
        (listsOf(this) as ModuleDict<ParametrizationList>).get(key) as ParametrizationList,
      );
    },
    set(this: Module, value: Tensor) {
      listsOf(this)?.get(key)?.rightInverse(value);
    },
    configurable: true,
    enumerable: false,
  });
  return module;
}

function computed(list: ParametrizationList): Tensor {
  const known = cache?.get(list);
  if (known) return known;
  const value = list();
  cache?.set(list, value);
  return value;
}

/**
 * Computes each parametrized tensor once while `fn` runs, however often it is read.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.cached.html
 * @example const y = nn.utils.parametrize.cached(() => rnn(x));
 */
export function cached<T>(fn: () => T): T {
  takes('cached', signatures.cached, arguments);
  const outer = cache;
  cache ??= new WeakMap();
  try {
    return fn();
  } finally {
    cache = outer;
  }
}

/** Options of `removeParametrizations`. */
export interface RemoveOptions {
  /** Keep the present value, rather than the original; default true. */
  leaveParametrized?: boolean;
}

/**
 * Undoes all parametrizations of a tensor. Returns the module.
 *
 * @throws ValueError if it has none, or if the original is asked for and there are several.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrize.remove_parametrizations.html
 */
export function removeParametrizations<M extends Module>(
  module: M,
  name: string,
  options: RemoveOptions = {},
): M {
  takes('removeParametrizations', signatures.removeParametrizations, arguments);
  const { leaveParametrized = true } = options;
  const key = stateKey(module, name);
  const lists = listsOf(module);
  const list = lists?.get(key);
  if (!lists || !list) {
    throw new ValueError(
      `parametrize: ${module.getName()} does not have a parametrization on '${name}'`,
    );
  }
  let [original] = list.originals as [Tensor];
  if (!list.isTensor && !leaveParametrized) {
    throw new ValueError(
      'parametrize: Cannot leave unparametrized (leaveParametrized: false) a tensor that is parametrized in terms of a sequence of tensors',
    );
  }
  if (leaveParametrized) {
    const value = noGrad(() => list()).detach();
    if (list.isTensor) original.data = value;
    else original = original instanceof Parameter ? new Parameter(value) : value;
  }
  const property = Object.getOwnPropertyNames(module).find(
    (p) => p === name || stateKey(module, p) === key,
  ) as string;
  Reflect.deleteProperty(module, property);
  if (original instanceof Parameter) module.registerParameter(property, original);
  else module.registerBuffer(property, original);
  lists.delete(key);
  if (!isParametrized(module)) {
    Reflect.deleteProperty(module, 'parametrizations');
    Reflect.deleteProperty(module, 'getName');
  }
  return module;
}
