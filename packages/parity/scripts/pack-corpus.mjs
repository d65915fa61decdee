// Packs a folder in the corpus' format: `node scripts/pack-corpus.mjs FROM TO`. JSON files are compressed with brotli,
// everything else is copied.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error('usage: node scripts/pack-corpus.mjs FROM TO');
  process.exit(1);
}

rmSync(to, { recursive: true, force: true });
for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const source = join(entry.parentPath, entry.name);
  const target = join(to, source.slice(from.length));
  mkdirSync(dirname(target), { recursive: true });
  const raw = readFileSync(source);
  if (!entry.name.endsWith('.json')) {
    writeFileSync(target, raw);
    continue;
  }
  const packed = brotliCompressSync(raw, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  });
  writeFileSync(`${target}.br`, packed);
}
