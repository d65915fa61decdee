import type { Tensor } from '@sconce/core';
import { FileError } from '../errors.js';
import type { Contents } from '../io/contents.js';
import type { Meter } from '../io/progress.js';
import type { Sink } from '../io/sink.js';
import { denseContents } from '../numpy/write.js';
import { makeHeader } from './header.js';

/** A tensor as it goes into a safetensors file. */
export interface Entry {
  readonly name: string;
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
  readonly contents: Contents;
}

/** A safetensors file before it is written. */
export interface SafetensorsPlan {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What tells whether two tensors are the same view of the same memory. */
function viewKey(tensor: Tensor, ids: Map<object, number>): string {
  const id = ids.get(tensor.storage) ?? ids.size;
  ids.set(tensor.storage, id);
  return [id, tensor.offset, tensor.shape, tensor.strides].join('/');
}

/**
 * What a safetensors file of these tensors holds. The same view under several names is written once; the metadata says
 * which name stands for which. Other tensors that share memory are written each in full.
 */
export function planSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
  snapshot: boolean,
): SafetensorsPlan {
  const ids = new Map<object, number>();
  const first = new Map<string, string>();
  const second: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, tensor] of tensors) {
    if (name === '__metadata__')
      throw new FileError("save: a tensor may not be named '__metadata__'");
    const view = viewKey(tensor, ids);
    const known = first.get(view);
    if (known !== undefined && tensor.numel() > 0) {
      second[name] = known;
      continue;
    }
    first.set(view, name);
    entries.push({
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      contents: denseContents(tensor, snapshot),
    });
  }
  for (const name of Object.keys(second)) {
    if (name in metadata) throw new FileError(`save: metadata '${name}' has the name of a tensor`);
  }
  return { entries, metadata: { ...metadata, ...second } };
}

/** Bytes of all tensors of a plan. */
export const planBytes = ({ entries }: SafetensorsPlan): number =>
  entries.reduce((sum, { contents }) => sum + contents.bytes, 0);

/** Writes a safetensors file. */
export async function writeSafetensors(
  sink: Sink,
  plan: SafetensorsPlan,
  meter: Meter,
): Promise<void> {
  const { header, order } = makeHeader(plan.entries, plan.metadata);
  await sink.write(header);
  for (const { contents } of order) {
    await contents.forEach(async (piece) => {
      await sink.write(piece);
      meter.add(piece.length);
    });
  }
}
