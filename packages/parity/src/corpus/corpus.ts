import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** One case of the corpus: `id`, and what its group defines. */
export interface Case {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** The groups, most important first. */
export const groupNames = [
  'ops',
  'ops_ref',
  'ops_extra',
  'rng',
  'modules',
  'train',
  'optim',
  'sched',
  'print',
  'indexing',
  'views',
  'autograd_errors',
  'ops_errors',
  'serialization',
] as const;

export type GroupName = (typeof groupNames)[number];

/** The public corpus inside this package. */
export const publicCorpus = fileURLToPath(new URL('../../corpus', import.meta.url));

/** A folder in the corpus' format; each file plain, or compressed with brotli (`.br`) or gzip (`.gz`). */
export class Corpus {
  readonly folder: string;

  /** @throws Error if the folder is missing or holds no cases. */
  constructor(folder: string = publicCorpus) {
    this.folder = folder;
    if (!existsSync(folder)) throw new Error(`corpus: there is no folder ${folder}`);
    if (this.groups().length === 0) {
      throw new Error(
        `corpus: ${folder} holds no file such as ops-00.json (or .json.br, .json.gz) of a known group`,
      );
    }
  }

  /** The groups of which there are cases. */
  groups(): GroupName[] {
    return groupNames.filter((group) => this.#filesOf(group).length > 0);
  }

  /** All cases of a group, in order. */
  cases(group: GroupName): Case[] {
    return this.#filesOf(group).flatMap((file) => {
      const parsed = JSON.parse(this.read(file).toString('utf8')) as {
        format: number;
        cases: Case[];
      };
      if (parsed.format !== 1) {
        throw new Error(`corpus: ${file} has format ${parsed.format}; this runner reads format 1`);
      }
      return parsed.cases;
    });
  }

  /** A file of the corpus by its path in it, decompressed. */
  read(path: string): Buffer {
    const plain = join(this.folder, path);
    if (existsSync(plain)) return decompress(plain);
    if (existsSync(`${plain}.br`)) return decompress(`${plain}.br`);
    return decompress(`${plain}.gz`);
  }

  #filesOf(group: GroupName): string[] {
    const pattern = new RegExp(`^${group}-\\d+\\.json(\\.br|\\.gz)?$`);
    const names = readdirSync(this.folder).filter((name) => pattern.test(name));
    // A folder that holds a file both plain and compressed holds it once.
    return [...new Set(names.map((name) => name.replace(/\.(br|gz)$/, '')))].sort();
  }
}

function decompress(path: string): Buffer {
  const raw = readFileSync(path);
  if (path.endsWith('.br')) return brotliDecompressSync(raw);
  if (path.endsWith('.gz')) return gunzipSync(raw);
  return raw;
}
