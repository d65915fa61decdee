import { Float, RuntimeError, Tensor, tensor } from '@sconce/core';
import { ellipsis, Slice, Tuple, type Value } from '../corpus/value.js';
import { find } from './library.js';
import { MissingFeature } from './missing.js';

/** A Python index as the items that `at` and `setAt` take. */
export function indexItems(self: Tensor, index: Value): Value[] {
  const parts = isTuple(index) ? [...index] : [index];
  return parts.map((part) => indexItem(self, part));
}

/** A list that holds more than numbers and bools is taken for a tuple, as PyTorch did until 2.0. */
const isTuple = (index: Value): index is readonly Value[] =>
  index instanceof Tuple ||
  (Array.isArray(index) &&
    index.some(
      (x) => x === null || x === ellipsis || (typeof x === 'object' && !(x instanceof Float)),
    ));

function indexItem(self: Tensor, part: Value): Value {
  if (part === ellipsis) return '...';
  if (part instanceof Slice) return [part.start, part.stop, part.step];
  if (Array.isArray(part)) return listIndex(self, part);
  if (part === null || typeof part === 'number' || typeof part === 'boolean') return part;
  if (part instanceof Tensor) return part;
  throw new RuntimeError(`index: ${String(part)} is no index`);
}

/** A list of positions or bools is a tensor here, since an array is a range. */
function listIndex(self: Tensor, list: readonly Value[]): Tensor {
  const flat = list.flat(Infinity);
  const dtype = flat.length > 0 && flat.every((x) => typeof x === 'boolean') ? 'bool' : 'int64';
  return tensor(list as number[], { dtype, device: self.device });
}

/** `self[index]`. */
export function getItem(self: Tensor, index: Value): Value {
  const at = find('torch.Tensor', 'at');
  if (!at) throw new MissingFeature('Tensor.__getitem__: Sconce has no at');
  return at(self, ...indexItems(self, index));
}
