import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { randn, type Tensor } from '@sconce/core';
import { load, save } from '@sconce/serialization';
import '@sconce/backend-cpu';
import { machine, median, medianRatio, table } from './measure.js';

/**
 * Reading a large file of tensors against `fs.readFile`: time, and memory beyond what the process had before. Each reading is a
 * process of its own, in turn, round by round; the file is in the system's cache for all of them.
 *
 * `node dist/files.js [--size MB] [--rounds N] [--folder DIR]`
 */
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    read: { type: 'string' },
    by: { type: 'string' },
  },
});

interface Reading {
  readonly ms: number;
  /** Bytes of memory at the peak beyond those at the start. */
  readonly memory: number;
}

const readers: Record<string, (path: string) => Promise<unknown>> = {
  readFile: promisify(readFile),
  load: (path) => load<unknown>(path),
};

/** What the process that reads does. */
async function readOnce(path: string, by: string): Promise<void> {
  const reader = readers[by] as (path: string) => Promise<unknown>;
  // The device opens, and its code is compiled, before the clock starts.
  randn([8]).add(1).dispose();
  const before = process.memoryUsage.rss();
  const begin = performance.now();
  const kept = await reader(path);
  const ms = performance.now() - begin;
  const memory = process.resourceUsage().maxRSS * 1024 - before;
  if (!kept) throw new Error('nothing was read');
  const reading: Reading = { ms, memory };
  console.log(JSON.stringify(reading));
  process.exit(0);
}

function inProcess(path: string, by: string): Reading {
  const args = [fileURLToPath(import.meta.url), '--read', path, '--by', by];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Reading;
}

/** Layers of 16 MB with their biases, as models have them. */
function state(megabytes: number): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const layers = Math.max(1, Math.round((megabytes * 2 ** 20) / (2048 * 2049 * 4)));
  for (let i = 0; i < layers; i++) {
    tensors.set(`layers.${i}.weight`, randn([2048, 2048]));
    tensors.set(`layers.${i}.bias`, randn([2048]));
  }
  return tensors;
}

async function compare(megabytes: number, rounds: number, parent: string): Promise<void> {
  const folder = await mkdtemp(join(parent, 'sconce-bench-'));
  try {
    const [plain, torch] = [join(folder, 'model.safetensors'), join(folder, 'model.pt')];
    const tensors = state(megabytes);
    await save(tensors, plain);
    await save(tensors, torch);
    for (const tensor of tensors.values()) tensor.dispose();
    const { size } = await stat(plain);
    const contenders = {
      'fs.readFile, .safetensors': [plain, 'readFile'],
      'load, .safetensors': [plain, 'load'],
      'fs.readFile, .pt': [torch, 'readFile'],
      'load, .pt': [torch, 'load'],
    } as const;
    const readings = new Map(Object.keys(contenders).map((name) => [name, [] as Reading[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, [path, by]] of Object.entries(contenders)) {
        const reading = inProcess(path, by);
        // The first round brings the files into the cache.
        if (round > 0) readings.get(name)?.push(reading);
      }
    }
    const times = (name: string): number[] => (readings.get(name) ?? []).map(({ ms }) => ms);
    const rows = [...readings].map(([name, list]) => {
      const own = times(name);
      const base = times(name.replace('load', 'fs.readFile'));
      return [
        name,
        (size / median(own) / 1e6).toFixed(2),
        name.startsWith('load') ? medianRatio(base, own).toFixed(2) : '-',
        (Math.max(...list.map(({ memory }) => memory)) / size).toFixed(2),
      ];
    });
    const title = `${(size / 2 ** 30).toFixed(2)} GiB of tensors from a file`;
    console.log(`### ${title} (targets: 0.8 of readFile's speed, 0.6 for .pt; memory under 1.2)\n`);
    console.log(table(['', 'GB/s', 'of readFile', 'peak memory over size'], rows));
    console.log(`\n${machine()}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (values.read !== undefined) await readOnce(values.read, values.by ?? 'load');
else await compare(Number(values.size), Number(values.rounds), values.folder);
