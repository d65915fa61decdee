import '@sconce/backend-cpu';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { memoryStats, resetPeakMemoryStats, SconceError, Tensor } from '@sconce/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeValue } from '../test/describe.js';
import { everything } from '../test/everything.js';
import { load, openTensors, serialize } from './index.js';

/** The corpus' files, which PyTorch and NumPy wrote, and ours. */
const folder = fileURLToPath(new URL('../../parity/corpus/files/', import.meta.url));
const files = new Map<string, Uint8Array>(
  readdirSync(folder)
    .filter((name) => !/^(large|[cf]_\w+\.npy)/.test(name) || name === 'f_int64.npy')
    .map((name) => [name, new Uint8Array(readFileSync(folder + name))]),
);

const newer = fileURLToPath(new URL('../test/torch/', import.meta.url));
for (const name of readdirSync(newer)) {
  if (/^(model|parallel|checkpoint|values)\b.*\.pt$/.test(name))
    files.set(`2.15 ${name}`, new Uint8Array(readFileSync(newer + name)));
}

/** Numbers that repeat: an xorshift. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const interesting = [0, 1, 0x7f, 0x80, 0xff];

/** The bytes with a few of them changed, cut, doubled or replaced by lengths that do not fit. */
function mutate(bytes: Uint8Array, pick: (below: number) => number): Uint8Array {
  let out = bytes.slice();
  for (let count = 1 + pick(3); count > 0; count--) {
    const at = pick(Math.max(1, out.length));
    switch (pick(7)) {
      case 0:
        out[at] = (out[at] as number) ^ (1 << pick(8));
        break;
      case 1:
        out[at] = interesting[pick(interesting.length)] as number;
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out.fill(0xff, at, at + [2, 4, 8][pick(3)]!);
        break;
      case 4: {
        const end = Math.min(out.length, at + 1 + pick(32));
        out = Uint8Array.from([...out.subarray(0, end), ...out.subarray(at)]);
        break;
      }
      case 5: {
        const end = Math.min(out.length, at + 1 + pick(32));
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(end)]);
        break;
      }
      default: {
        // A piece of the file over another.
        const from = pick(Math.max(1, out.length));
        out.set(
          out.slice(from, from + Math.min(16, out.length - at)).subarray(0, out.length - at),
          at,
        );
      }
    }
  }
  return out;
}

function dispose(value: unknown): void {
  if (value instanceof Tensor) value.dispose();
  else if (value instanceof Map) for (const item of value.values()) dispose(item);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) dispose(item);
  }
}

const rounds = Number(process.env.SCONCE_FUZZ_ROUNDS ?? 250);

describe('damaged files', () => {
  beforeAll(async () => {
    const { dtypes, views } = everything() as {
      dtypes: Map<string, Tensor>;
      views: Map<string, Tensor>;
    };
    files.set('ours.safetensors', await serialize(dtypes));
    dtypes.delete('bfloat16');
    files.set('ours.npz', await serialize(dtypes, { format: 'npz', compress: true }));
    files.set('ours.pt', await serialize(views, { format: 'torch' }));
    files.set('ours.legacy.pt', await serialize(views, { format: 'torch-legacy' }));
  });

  it('are refused, or are what they were: no crash, no hang, no memory out of proportion', async () => {
    let refused = 0;
    let loaded = 0;
    let slowest = 0;
    let seed = 1;
    resetPeakMemoryStats('cpu');
    const before = memoryStats('cpu').bytes;
    for (const [name, bytes] of files) {
      const original = JSON.stringify(describeValue(await load<unknown>(bytes)));
      const checked = bytes[0] === 0x50;
      for (let round = 0; round < rounds; round++) {
        const damaged = mutate(bytes, random(++seed * 2654435761));
        const begin = performance.now();
        let value: unknown;
        try {
          value = await load<unknown>(damaged);
        } catch (error) {
          refused++;
          // Anything else is a fault of the reader, not one that it found.
          if (!(error instanceof SconceError))
            throw new Error(`${name}, seed ${seed}`, { cause: error });
          expect(error.message.length).toBeLessThan(2000);
          slowest = Math.max(slowest, performance.now() - begin);
          continue;
        }
        loaded++;
        slowest = Math.max(slowest, performance.now() - begin);
        // Where a checksum goes over the contents, what is accepted is what was written.
        if (checked)
          expect(JSON.stringify(describeValue(value)), `${name}, seed ${seed}`).toBe(original);
        dispose(value);
      }
    }
    // No damage makes a file of a few kilobytes take long.
    expect(slowest).toBeLessThan(3000);
    expect(files.size).toBeGreaterThan(25);
    expect(refused).toBeGreaterThan(rounds * files.size * 0.5);
    expect(loaded).toBeGreaterThan(50);
    expect(memoryStats('cpu').peakBytes - before).toBeLessThan(64 * 2 ** 20);
  }, 120_000);

  it('are refused by openTensors too', async () => {
    let seed = 77;
    for (const name of ['ours.safetensors', 'ours.npz', 'ours.pt']) {
      for (let round = 0; round < rounds; round++) {
        const damaged = mutate(files.get(name) as Uint8Array, random(++seed * 2654435761));
        try {
          const file = await openTensors(damaged);
          dispose(await file.load());
        } catch (error) {
          if (!(error instanceof SconceError))
            throw new Error(`${name}, seed ${seed}`, { cause: error });
        }
      }
    }
  }, 60_000);
});
