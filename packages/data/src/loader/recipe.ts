import { Tensor, ValueError } from '@sconce/core';
import {
  ConcatDataset,
  type Dataset,
  type DatasetLike,
  hasGet,
  MappedDataset,
} from '../dataset.js';
import { hostView } from '../host.js';
import { ChainDataset, IterableDataset } from '../iterable-dataset.js';
import { StackDataset, Subset } from '../subset.js';
import { TensorDataset } from '../tensor-dataset.js';
import {
  type DatasetOrigin,
  definitionOf,
  type FunctionName,
  functionName,
  madeDataset,
  namedFunction,
} from './define-dataset.js';
import { type HostTensor, SharedTensorDataset } from './shared-tensors.js';

/** How a worker makes a dataset for itself: what `defineDataset` made by its module, the rest from its parts. */
export type Recipe =
  | { kind: 'defined'; url: string | undefined; name: string; args: readonly unknown[] }
  | { kind: 'tensors'; tensors: readonly HostTensor[] }
  | { kind: 'values'; values: readonly unknown[] }
  | { kind: 'subset'; of: Recipe; indices: readonly number[] }
  | { kind: 'map'; of: Recipe; transform: FunctionName }
  | { kind: 'concat' | 'chain'; of: readonly Recipe[] }
  | { kind: 'stack'; of: readonly Recipe[] | Readonly<Record<string, Recipe>> };

/** A recipe, and the modules that it names. */
export interface Plan {
  readonly recipe: Recipe;
  readonly origins: readonly DatasetOrigin[];
  /** What must live as long as workers read its memory. */
  readonly owners: readonly Tensor[];
}

/**
 * How workers can make a dataset.
 *
 * @throws ValueError if a part of it is of a class of the user's that no `defineDataset` made.
 */
export function planOf(dataset: unknown): Plan {
  const origins: DatasetOrigin[] = [];
  const owners: Tensor[] = [];
  const visit = (d: unknown): Recipe => {
    const made = definitionOf(d as object);
    if (made) {
      origins.push(made.origin);
      checkPlain(made.args, `an argument of the dataset '${made.name}'`);
      return { kind: 'defined', url: made.url, name: made.name, args: made.args };
    }
    if (d instanceof Subset)
      return { kind: 'subset', of: visit(d.dataset), indices: [...d.indices] };
    if (d instanceof ConcatDataset) return { kind: 'concat', of: d.datasets.map(visit) };
    if (d instanceof ChainDataset) return { kind: 'chain', of: d.datasets.map(visit) };
    if (d instanceof StackDataset) {
      const { datasets } = d as { datasets: readonly unknown[] | Record<string, unknown> };
      const of = Array.isArray(datasets)
        ? datasets.map(visit)
        : Object.fromEntries(Object.entries(datasets).map(([key, part]) => [key, visit(part)]));
      return { kind: 'stack', of };
    }
    if (d instanceof MappedDataset) {
      const transform = functionName(d.transform);
      if (transform) return { kind: 'map', of: visit(d.dataset), transform };
      throw cannot('the function given to map() cannot be sent to them');
    }
    if (d instanceof TensorDataset) {
      const tensors = (d.tensors as readonly Tensor[]).map((t) => {
        const dense = t.contiguous().detach();
        const data = hostView(dense);
        if (!data) throw cannot(`they cannot read tensors on ${t.device}`);
        owners.push(dense);
        // A view of memory that is not shared would take the whole of it along.
        const shared =
          typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer;
        return { data: shared ? data : data.slice(), dtype: dense.dtype, shape: dense.shape };
      });
      return { kind: 'tensors', tensors };
    }
    if (d instanceof IterableDataset || hasGet(d as DatasetLike<unknown>)) {
      const { name } = (d as object).constructor;
      throw cannot(
        `${name === 'Object' ? 'an object with get()' : `a ${name}`} cannot be sent to them`,
      );
    }
    const values = Array.from(d as ArrayLike<unknown>);
    checkPlain(values, 'an element of the array');
    return { kind: 'values', values };
  };
  return { recipe: visit(dataset), origins, owners };
}

/** @throws ValueError if a value holds what does not survive being sent: tensors, functions. */
function checkPlain(value: unknown, what: string): void {
  if (value instanceof Tensor)
    throw cannot(`${what} is a tensor (give TensorDataset, or typed arrays)`);
  if (typeof value === 'function' || typeof value === 'symbol')
    throw cannot(`${what} is a ${typeof value}`);
  if (Array.isArray(value)) for (const x of value) checkPlain(x, what);
  else if (value !== null && typeof value === 'object') {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null)
      for (const x of Object.values(value)) checkPlain(x, what);
  }
}

const cannot = (why: string): ValueError =>
  new ValueError(
    `DataLoader: workers make datasets for themselves, and ${why}; make the dataset in a module of its own with defineDataset(import.meta.url, ...), or use numWorkers: 0`,
  );

/** Makes, in a worker, the dataset a recipe tells. */
export async function cook(recipe: Recipe): Promise<unknown> {
  switch (recipe.kind) {
    case 'defined':
      return madeDataset(recipe.url, recipe.name, recipe.args);
    case 'tensors':
      return new SharedTensorDataset(recipe.tensors);
    case 'values':
      return recipe.values;
    case 'subset':
      return new Subset((await cook(recipe.of)) as Dataset<unknown>, recipe.indices);
    case 'map':
      return new MappedDataset(
        (await cook(recipe.of)) as Dataset<unknown>,
        await namedFunction<(sample: unknown, index: number) => unknown>(recipe.transform),
      );
    case 'concat':
      return new ConcatDataset((await cookAll(recipe.of)) as Dataset<unknown>[]);
    case 'chain':
      return new ChainDataset((await cookAll(recipe.of)) as IterableDataset<unknown>[]);
    case 'stack': {
      if (Array.isArray(recipe.of))
        return new StackDataset((await cookAll(recipe.of)) as Dataset<unknown>[]);
      const parts = await cookAll(Object.values(recipe.of));
      const keys = Object.keys(recipe.of);
      return new StackDataset(
        Object.fromEntries(keys.map((key, i) => [key, parts[i] as Dataset<unknown>])),
      );
    }
  }
}

async function cookAll(recipes: readonly Recipe[]): Promise<unknown[]> {
  const made: unknown[] = [];
  for (const recipe of recipes) made.push(await cook(recipe));
  return made;
}
