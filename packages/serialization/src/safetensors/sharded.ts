import { removeAbandonedParts } from '@sconce/core';
import { FileError } from '../errors.js';
import { nodeFs, nodePath } from '../io/node.js';
import { openNodeSink } from '../io/node-sink.js';
import type { Meter } from '../io/progress.js';
import { writeWhole } from '../io/sink.js';
import { memorySource } from '../io/source.js';
import { headerBudget, readIndex } from './read.js';
import { type Entry, planBytes, type SafetensorsPlan, writeSafetensors } from './write.js';

/** Splits entries, in order, so that no part but one of a single tensor has more bytes than wanted. */
function split(entries: readonly Entry[], maxBytes: number): Entry[][] {
  const parts: Entry[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (size + entry.contents.bytes > maxBytes) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(entry);
    size += entry.contents.bytes;
  }
  return parts;
}

/**
 * Writes `NAME-00001-of-00003.safetensors`, ... and then `NAME.safetensors.index.json`, which makes them the file. Parts of an earlier
 * index are never overwritten, and removed when it is replaced: a crash leaves the old file or the new one whole.
 */
export async function writeSharded(
  path: string,
  plan: SafetensorsPlan,
  maxBytes: number,
  meter: Meter,
): Promise<void> {
  const fs = nodeFs();
  if (!fs || !path.endsWith('.safetensors')) {
    throw new FileError(
      'save: maxShardBytes is for safetensors on a disk; pass a path that ends in .safetensors',
    );
  }
  const { dirname, basename, join } = nodePath();
  const folder = dirname(path);
  const base = basename(path, '.safetensors');
  const index = `${path}.index.json`;
  const before = await oldParts(fs, index);
  const parts = split(plan.entries, maxBytes);
  const shard = /^(?:-[0-9a-z]+)?-\d{5}-of-\d{5}\.safetensors$/;
  await removeAbandonedParts(
    folder,
    (stem) => stem.startsWith(base) && shard.test(stem.slice(base.length)),
  );
  const stamp = before.length > 0 ? `-${Date.now().toString(36)}` : '';
  const digits = (n: number): string => String(n).padStart(5, '0');
  const weights: Record<string, string> = {};
  for (const [i, entries] of parts.entries()) {
    const name = `${base}${stamp}-${digits(i + 1)}-of-${digits(parts.length)}.safetensors`;
    const names = new Set(entries.map((entry) => entry.name));
    // The name of a tensor in another part stands in that part's metadata.
    const metadata = Object.entries(plan.metadata).filter(
      ([, target]) => names.has(target) || !plan.entries.some((entry) => entry.name === target),
    );
    for (const entry of entries) weights[entry.name] = name;
    const own = { entries, metadata: Object.fromEntries(metadata) };
    await writeWhole(await openNodeSink(join(folder, name)), (sink) =>
      writeSafetensors(sink, own, meter),
    );
  }
  const json = JSON.stringify(
    { metadata: { total_size: planBytes(plan) }, weight_map: weights },
    null,
    2,
  );
  await writeWhole(await openNodeSink(index), (sink) =>
    sink.write(new TextEncoder().encode(`${json}\n`)),
  );
  const kept = new Set(Object.values(weights));
  for (const name of before) if (!kept.has(name)) await fs.rm(join(folder, name), { force: true });
}

/** The parts that an index names now, if there is one. */
async function oldParts(
  fs: NonNullable<ReturnType<typeof nodeFs>>,
  index: string,
): Promise<string[]> {
  const bytes = await fs.readFile(index).catch(() => undefined);
  if (!bytes) return [];
  return [
    ...new Set(
      (
        await readIndex(memorySource(bytes, index), headerBudget(memorySource(bytes, index), {}))
      ).values(),
    ),
  ];
}
