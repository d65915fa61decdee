import { RuntimeError, Tensor } from '@sconce/core';
import { ModuleValue, type Value } from '../corpus/value.js';
import { find } from './library.js';
import { MissingFeature } from './missing.js';
import { buildModule, packed } from './modules.js';
import { camelCase } from './names.js';
import { buildOptimizer } from './optimizers.js';
import { bind, parseSignature, type Signature } from './signature.js';
import { signatures } from './signatures.js';
import { specials } from './specials.js';

const parsed = new Map<string, Signature | undefined>();

function signatureOf(key: string): Signature | undefined {
  if (!parsed.has(key)) {
    const text = signatures[key];
    parsed.set(key, text === undefined ? undefined : parseSignature(text));
  }
  return parsed.get(key);
}

/** A callable's path in two: the module that holds it, and its name there. */
function split(path: string): [module: string, name: string] {
  const dot = path.lastIndexOf('.');
  return [path.slice(0, dot), path.slice(dot + 1)];
}

/** The names under which the tables may know a callable: without `torch.`, and methods also as functions. */
function keysOf(module: string, name: string): string[] {
  const short = module === 'torch' ? name : `${module.slice('torch.'.length)}.${name}`;
  if (module !== 'torch.Tensor') return [short];
  const base = name.endsWith('_') && !name.endsWith('__') ? name.slice(0, -1) : name;
  return [short, `Tensor.${base}`, base];
}

/**
 * Calls our counterpart of a callable of PyTorch's.
 *
 * @param path its dotted path, such as `torch.nn.functional.relu` or `torch.Tensor.add_`.
 * @throws MissingFeature if there is none.
 */
export function callTorch(path: string, args: Value[], kwargs: Map<string, Value>): Value {
  const [module, name] = split(path);
  const keys = keysOf(module, name);
  const special = specials[keys[0] as string];
  if (special) return special(args, kwargs);
  if (module === 'torch.nn' && /^[A-Z]/.test(name)) {
    return buildModule(new ModuleValue(`nn.${name}`, args, kwargs));
  }
  if (module === 'torch.optim') return buildOptimizer(name, args[0], kwargs);
  const key = keys.find((k) => k in signatures);
  const signature = key === undefined ? undefined : signatureOf(key);
  const target = ours(module, name, signature?.target);
  if (!target) {
    throw new MissingFeature(`${path}: Sconce has no ${signature?.target ?? camelCase(name)}`);
  }
  checkSelf(path, module, args);
  return target(...bind(path, signature, args.map(packed), kwargs));
}

/** Whether there is a counterpart of a callable of PyTorch's, by its dotted path. */
export function hasTorch(path: string): boolean {
  const [module, name] = split(path);
  const keys = keysOf(module, name);
  if (specials[keys[0] as string]) return true;
  const key = keys.find((k) => k in signatures);
  return ours(module, name, key === undefined ? undefined : signatureOf(key)?.target) !== undefined;
}

function ours(module: string, name: string, target: string | undefined) {
  // The in-place form of a method goes by the name of the method, whatever the function is called.
  const inplace = module === 'torch.Tensor' && name.endsWith('_') && !name.endsWith('__');
  const base = inplace ? name.slice(0, -1) : name;
  const own = `${target ?? camelCase(base)}${inplace ? '_' : ''}`;
  const found = find(module, own);
  if (found || (module !== 'torch.Tensor' && target === undefined)) return found;
  return find('torch', own) ?? find('torch.nn.functional', own);
}

function checkSelf(path: string, module: string, args: readonly Value[]): void {
  if (module === 'torch.Tensor' && !(args[0] instanceof Tensor)) {
    throw new TypeError(`${path}: descriptor doesn't apply to a '${typeof args[0]}' object`);
  }
}

/** Whether an error says that a feature is absent, rather than that it is wrong. */
export const isMissing = (error: unknown): boolean =>
  error instanceof MissingFeature ||
  (error instanceof RuntimeError &&
    /gradients need the engine|derivative is not implemented|which are not implemented|has no float64|only give asynchronously|(be read|read) at once|only be read asynchronously/i.test(
      error.message,
    ));
