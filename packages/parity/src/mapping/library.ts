import * as autograd from '@sconce/autograd';
import * as core from '@sconce/core';
import * as data from '@sconce/data';
import * as init from '@sconce/init';
import * as nn from '@sconce/nn';
import * as optim from '@sconce/optim';
import { MissingFeature } from './missing.js';

/** A namespace of ours, seen as the functions it holds. */
export type Namespace = Readonly<Record<string, unknown>>;

/** Our packages by the names the mapping uses. */
export const packages = {
  core: core as Namespace,
  autograd: autograd as Namespace,
  nn: nn as Namespace,
  init: init as Namespace,
  optim: optim as Namespace,
  data: data as Namespace,
};

const namespace = (holder: Namespace, name: string): Namespace =>
  (holder[name] as Namespace | undefined) ?? {};

const prefixed = (prefix: string, name: string): string =>
  `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`;

type Callable = (...args: unknown[]) => unknown;

/** Where our counterparts of the functions of one of PyTorch's modules are, by our name. */
const places: Record<string, (name: string) => unknown> = {
  torch: (name) => packages.core[name] ?? packages.autograd[name],
  'torch.Tensor': (name) =>
    name in core.Tensor.prototype
      ? (self: Namespace, ...rest: unknown[]) => (self[name] as Callable).apply(self, rest)
      : undefined,
  'torch.nn.functional': (name) =>
    namespace(packages.nn, 'functional')[name] ?? packages.core[name],
  'torch.nn.init': (name) => packages.init[name],
  'torch.nn.utils': (name) => namespace(packages.nn, 'utils')[name],
  'torch.nn.utils.rnn': (name) =>
    namespace(namespace(packages.nn, 'utils'), 'rnn')[name] ??
    namespace(packages.nn, 'utils')[name],
  'torch.nn.utils.parametrizations': (name) =>
    namespace(namespace(packages.nn, 'utils'), 'parametrizations')[name],
  'torch.autograd': (name) => packages.autograd[name],
  'torch.special': (name) =>
    namespace(packages.core, 'special')[name] ??
    packages.core[prefixed('special', name)] ??
    packages.core[name],
  'torch.linalg': (name) =>
    namespace(packages.core, 'linalg')[name] ?? packages.core[prefixed('linalg', name)],
  'torch.masked': (name) =>
    namespace(packages.core, 'masked')[name] ?? packages.core[prefixed('masked', name)],
  'torch.ops.aten': (name) => packages.core[name],
};

/** Our function of that name for a module of PyTorch's, or undefined. */
export function find(module: string, name: string): Callable | undefined {
  const found = places[module]?.(name);
  return typeof found === 'function' ? (found as Callable) : undefined;
}

type Constructor = new (...args: unknown[]) => unknown;

/**
 * A class of ours by its name in a package.
 *
 * @throws MissingFeature if there is none.
 */
export function classNamed(holder: keyof typeof packages, name: string): Constructor {
  const utilities = namespace(packages[holder], 'utils');
  const found = packages[holder][name] ?? utilities[name] ?? namespace(utilities, 'rnn')[name];
  if (typeof found !== 'function') throw new MissingFeature(`${holder}: Sconce has no ${name}`);
  return found as Constructor;
}
