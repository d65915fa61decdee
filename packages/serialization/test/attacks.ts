// Files that are small and valid, and would take memory or time out of proportion. Each grows with `size`, in bytes about.

import { MemorySink } from '../src/io/sink.js';
import { PickleWriter } from '../src/pickle/writer.js';
import { ZipWriter } from '../src/zip/writer.js';
import { opcodes, torchFile } from './pickles.js';

type Piece = string | number | Uint8Array;

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const recall = (index: number): Piece[] => ['j', u32(index)];
const binText = (text: string): Piece[] => ['X', u32(text.length), text];

/** A list of many references to what `make` writes of a memoised value 0. */
function repeated(value: Piece[], use: Piece[], size: number, width: number): Uint8Array {
  const body = [...value, 'q', 0, '0', ']('];
  const each = opcodes(...use);
  const count = Math.floor((size - opcodes(...body).length) / width);
  const uses = new Uint8Array(count * each.length);
  for (let i = 0; i < count; i++) uses.set(each, i * each.length);
  return opcodes(...body, uses, 'e.');
}

/** A list of `count` small numbers. */
const numbers = (count: number): Piece[] => [']', '(', 'K\x01'.repeat(count), 'e'];
/** A list of pairs for a dictionary. */
const pairs = (count: number): Piece[] => {
  const parts: Piece[] = [']('];
  for (let i = 0; i < count; i++) parts.push('J', u32(i), 'N', 0x86);
  return [...parts, 'e'];
};

/** A call with the memoised value 0 as its only argument; the function is memoised as 1. */
const calling = (module: string, name: string): { first: Piece[]; each: Piece[] } => ({
  first: [`c${module}\n${name}\n`, 'q', 1, '0'],
  each: ['h', 1, 'h', 0, 0x85, 'R'],
});

function calls(module: string, name: string, value: (size: number) => Piece[]) {
  return (size: number): Uint8Array => {
    const { first, each } = calling(module, name);
    return opcodes(...first, repeated(value(size / 2), each, size, 6));
  };
}

const numpyType: Piece[] = ["cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR", 'q', 3, '0'];

/** A module that holds the module 0 twice, on and on: 2^n names. */
function modules(size: number): Uint8Array {
  const part = (name: string, write: Piece[]): Piece[] => [...binText(name), '}(', ...write, 'u'];
  const one = (inside: Piece[], index: number): Piece[] => [
    'capp\nNet\n)\x81}(',
    ...part('_parameters', []),
    ...part('_buffers', []),
    ...part('_modules', inside),
    'ubr',
    u32(index),
  ];
  const parts: Piece[] = [...one([], 0)];
  for (let i = 1; i < Math.min(900, size / 200); i++) {
    parts.push(
      '0',
      ...one([...binText('a'), ...recall(i - 1), ...binText('b'), ...recall(i - 1)], i),
    );
  }
  return opcodes(...parts, '.');
}

/** Pickles by what they do; `size` is how many bytes they may have. */
export const pickleAttacks: Readonly<Record<string, (size: number) => Uint8Array>> = {
  'torch.Size of one list': calls('torch', 'Size', (n) => numbers(n / 2)),
  'tuple of one list': calls('__builtin__', 'tuple', (n) => numbers(n / 2)),
  'set of one list': calls('__builtin__', 'set', (n) => numbers(n / 2)),
  'frozenset of one list': calls('__builtin__', 'frozenset', (n) => numbers(n / 2)),
  'list of one list': calls('__builtin__', 'list', (n) => numbers(n / 2)),
  'OrderedDict of one list': calls('collections', 'OrderedDict', (n) => pairs(n / 7)),
  'dict of one list': calls('__builtin__', 'dict', (n) => pairs(n / 7)),
  'Counter of one list': calls('collections', 'Counter', (n) => pairs(n / 7)),
  'bytes of one text': calls('__builtin__', 'bytearray', (n) => binText('x'.repeat(n))),
  'encode of one text': (size) =>
    opcodes(
      'c_codecs\nencode\n',
      'q',
      1,
      '0',
      ...binText('latin1'),
      'q',
      2,
      '0',
      repeated(binText('x'.repeat(size / 2)), ['h', 1, 'h', 0, 'h', 2, 0x86, 'R'], size, 8),
    ),
  'arrays of one buffer': (size) =>
    opcodes(
      ...numpyType,
      'cnumpy.core.numeric\n_frombuffer\n',
      'q',
      1,
      '0',
      'J',
      u32(size / 2),
      0x85,
      'q',
      4,
      '0',
      repeated(
        ['B', u32(size / 2), new Uint8Array(size / 2)],
        ['h', 1, '(h', 0, 'h', 3, 'h', 4, 'NtR'],
        size,
        12,
      ),
    ),
  'tensors of one shape': (size) =>
    opcodes(
      'ctorch._utils\n_rebuild_tensor_v2\n',
      'q',
      1,
      '0((',
      ...binText('storage'),
      'ctorch\nFloatStorage\n',
      ...binText('0'),
      ...binText('cpu'),
      'K\x04tQq',
      2,
      '0',
      repeated(numbers(size / 4), ['h', 1, '(h', 2, 'K\0h', 0, 'h', 0, 0x89, 'NtR'], size, 13),
    ),
  'many tensors': (size) =>
    opcodes(
      'ctorch._utils\n_rebuild_tensor_v2\n',
      'q',
      1,
      '0((',
      ...binText('storage'),
      'ctorch\nFloatStorage\n',
      ...binText('0'),
      ...binText('cpu'),
      'K\x04tQq',
      2,
      '0',
      repeated([')'], ['h', 1, '(h', 2, 'K\0h', 0, 'h', 0, 0x89, 'NtR'], size, 13),
    ),
  'empty lists': (size) => opcodes('(', ']'.repeat(size), 'l.'),
  'empty dictionaries': (size) => opcodes('(', '}'.repeat(size), 'l.'),
  'empty sets': (size) => opcodes('(', '\x8f'.repeat(size), 'l.'),
  'empty tuples in tuples': (size) => opcodes('(', ')\x85'.repeat(size / 2), 't.'),
  'empty objects': (size) => {
    const { first } = calling('collections', 'OrderedDict');
    return opcodes(...first, '(', 'h\x01)R'.repeat(size / 4), 'l.');
  },
  'empty lists in a set': (size) => opcodes('\x8f(', ']'.repeat(size), '\x90.'),
  'one dictionary as many states': (size) => {
    const { first } = calling('app', 'Net');
    return opcodes(
      ...first,
      repeated(['}(', 'K\x01N'.repeat(size / 6), 'u'], ['h', 1, ')\x81h', 0, 'b'], size, 7),
    );
  },
  'modules in modules twice': modules,
  'tuples as keys, twice in each': (size) => {
    const parts: Piece[] = ['K\x01r', u32(0)];
    const depth = Math.min(900, size / 20);
    for (let i = 1; i < depth; i++)
      parts.push('0', ...recall(i - 1), ...recall(i - 1), '\x86r', u32(i));
    return opcodes(...parts, '0}', ...recall(depth - 1), 'Ns.');
  },
  'long integers': (size) =>
    opcodes(
      '(',
      ...Array<Piece>(Math.floor(size / 4100)).fill(
        opcodes('\x8b', u32(4096), '\x7f'.repeat(4096)),
      ),
      'l.',
    ),
  'long integers written out': (size) =>
    opcodes('(', ...Array<Piece>(Math.floor(size / 4002)).fill(`L${'9'.repeat(4000)}\n`), 'l.'),
  'floats written out without end': (size) => opcodes(`F${'1'.repeat(Math.min(size, 1e6))}x\n.`),
};

/** As above, each in the format that its key begins with. */
export async function attackFiles(size: number): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const storages = { 0: new Uint8Array(16) };
  for (const [name, make] of Object.entries(pickleAttacks)) {
    const pickle = make(size);
    files.set(`zip: ${name}`, await torchFile(pickle, storages));
    const sink = new MemorySink();
    const zip = new ZipWriter(sink);
    await zip.add('a/data.pkl', pickle, { compress: true });
    await zip.add('a/data/0', storages[0]);
    await zip.finish();
    files.set(`deflated: ${name}`, sink.bytes());
    files.set(`legacy: ${name}`, legacy(pickle, name.includes('tensors')));
  }
  for (const [name, entry] of Object.entries({
    'bogus keys': (i: number) => `"${i.toString(36)}":0`,
    'empty tensors': (i: number) =>
      `"${i.toString(36)}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
    'large entries': (i: number) =>
      `"${i.toString(36)}":{"dtype":"U8","shape":[${'[],'.repeat(9000)}0]}`,
  })) {
    files.set(`safetensors: ${name}`, safetensors(entry, size));
  }
  const metadata = safetensors((i) => `"${i.toString(36)}":"x"`, size, '{"__metadata__":{', '}}');
  files.set('safetensors: metadata', metadata);
  const text = (entry: (i: number) => string, start: string, end: string): Uint8Array =>
    safetensors(entry, size, start, end).subarray(8);
  files.set(
    'index: bogus keys',
    text((i) => `"${i.toString(36)}":[]`, '{"weight_map":{', '}}'),
  );
  files.set(
    'index: other keys',
    text((i) => `"${i.toString(36)}":[]`, '{', '}'),
  );
  files.set('npz: long headers', await npz(size));
  return files;
}

function safetensors(
  entry: (i: number) => string,
  size: number,
  start = '{',
  end = '}',
): Uint8Array {
  const parts: string[] = [];
  for (let i = 0, length = 0; length < size; i++) {
    const part = entry(i);
    parts.push(part);
    length += part.length + 1;
  }
  const json = Buffer.from(`${start}${parts.join(',')}${end}`);
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** Arrays whose headers unpack to 64 KB each. */
async function npz(size: number): Promise<Uint8Array> {
  const sink = new MemorySink();
  const zip = new ZipWriter(sink);
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${'0,'.repeat(32_000)})}`;
  const header = opcodes('\x93NUMPY', 2, 0, u32(text.length), text);
  const blank = opcodes(
    '\x93NUMPY',
    2,
    0,
    u32(65_000),
    "{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}".padEnd(65_000),
  );
  for (let i = 0; i < size / 300; i++) await zip.add(`${i}.npy`, blank, { compress: true });
  await zip.add('last.npy', header, { compress: true });
  await zip.finish();
  return sink.bytes();
}

/** A pickle in PyTorch's old format, with a storage of four elements if it has tensors. */
function legacy(pickle: Uint8Array, storage: boolean): Uint8Array {
  const part = (write: (out: PickleWriter) => void): Uint8Array => {
    const out = new PickleWriter();
    write(out);
    return out.finish();
  };
  return opcodes(
    part((out) => out.int(0x1950a86a20f9469cfc6cn)),
    part((out) => out.int(1001)),
    part((out) => out.emptyDict()),
    pickle,
    storage
      ? opcodes(']', ...binText('0'), 'a.', u32(4), u32(0), new Uint8Array(16))
      : opcodes('].'),
  );
}
