import type { Tensor } from '@sconce/core';
import { takes } from '@sconce/core';
import * as signatures from './signatures.js';

/** Tensors by name, as a Map or an object. */
export type StateLike = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

const entriesOf = (state: StateLike): Iterable<[string, Tensor]> =>
  state instanceof Map ? state : Object.entries(state);

/**
 * The tensors whose names begin with `prefix`, without it: one model of several in a file.
 *
 * @example generator.loadStateDict(withPrefix(await load('gan.safetensors'), 'generator.'));
 */
export function withPrefix(state: StateLike, prefix: string): Map<string, Tensor> {
  takes('withPrefix', signatures.withPrefix, arguments);
  return new Map(
    [...entriesOf(state)]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

/**
 * The same tensors with `prefix` before every name: `'module.'` is how PyTorch's DataParallel and DistributedDataParallel
 * name what their model calls `weight`.
 *
 * @example await save(addPrefix(model.stateDict()), 'for-data-parallel.pt');
 */
export function addPrefix(state: StateLike, prefix = 'module.'): Map<string, Tensor> {
  takes('addPrefix', signatures.addPrefix, arguments);
  return new Map([...entriesOf(state)].map(([name, tensor]) => [prefix + name, tensor]));
}

/**
 * The same tensors without `prefix`, where their names begin with it: loads a data-parallel checkpoint into the
 * model alone, and does nothing to others.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.modules.utils.consume_prefix_in_state_dict_if_present.html
 * @example model.loadStateDict(stripPrefix(await load('data-parallel.pt')));
 */
export function stripPrefix(state: StateLike, prefix = 'module.'): Map<string, Tensor> {
  takes('stripPrefix', signatures.stripPrefix, arguments);
  return new Map(
    [...entriesOf(state)].map(([name, tensor]) => [
      name.startsWith(prefix) ? name.slice(prefix.length) : name,
      tensor,
    ]),
  );
}
