import '@sconce/backend-cpu';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { claims, opcodes, torchFile } from '../test/pickles.js';
import { load, Tuple } from './index.js';
import { MemorySink } from './io/sink.js';
import { ZipWriter } from './zip/writer.js';

const loadPickle = async (...parts: (string | number | Uint8Array)[]): Promise<unknown> =>
  load<unknown>(await torchFile(opcodes(...parts)));

describe('plain values of every protocol', () => {
  it.each<[string, (string | number | Uint8Array)[], unknown]>([
    ['None, true, false of protocol 0', ['(lp0\nNaI01\naI00\na.'], [null, true, false]],
    [
      'ints of protocol 0',
      ['(I42\nI-7\nL12345678901234567890L\nl.'],
      [42, -7, 12345678901234567890n],
    ],
    ['floats of protocol 0', ['(F0.5\nFinf\nF-1e-300\nl.'], [0.5, Infinity, -1e-300]],
    ['texts of protocol 0', ["(S'a\\n\\x41\\''\nVb\\u00fc\\U0001f525\nl."], ["a\nA'", 'bü🔥']],
    ['a dictionary of protocol 0', ["(dS'k'\nI1\ns."], { k: 1 }],
    ['a tuple of protocol 0', ['(I1\nI2\nt.'], Tuple.of(1, 2)],
    [
      'ints of protocol 1',
      ['(K', 255, 'M', 1, 2, 'J', 254, 255, 255, 255, 't.'],
      Tuple.of(255, 513, -2),
    ],
    ['texts of protocol 1', ['X', 2, 0, 0, 0, 0xc3, 0xbc, '.'], 'ü'],
    ['strings of Python 2', ['U', 1, 0xe9, '.'], 'é'],
    ['long ints of protocol 2', [0x80, 2, 0x8a, 2, 0, 0x80, '.'], -32768],
    ['bytes of protocol 3', [0x80, 3, 'C', 2, 1, 2, '.'], Uint8Array.of(1, 2)],
    ['sets of protocol 4', [0x80, 4, 0x8f, '(K', 1, 'K', 2, 0x90, '.'], new Set([1, 2])],
    ['frozen sets of protocol 4', [0x80, 4, '(K', 1, 0x91, '.'], new Set([1])],
    [
      'memoised texts of protocol 4',
      [0x80, 4, '(', 0x8c, 1, 'x', 0x94, 'h', 0, 't.'],
      Tuple.of('x', 'x'),
    ],
    ['bytearrays of protocol 5', [0x80, 5, 0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9, '.'], Uint8Array.of(9)],
    ['popped and duplicated values', ['(I1\nI2\n0', '2', 't.'], Tuple.of(1, 1)],
    [
      'an OrderedDict',
      [0x80, 2, 'ccollections\nOrderedDict\n)R(U', 1, 'b', 'K', 1, 'U', 1, 'a', 'K', 2, 'u.'],
      new Map([
        ['b', 1],
        ['a', 2],
      ]),
    ],
    [
      'an OrderedDict of Python 2',
      ["ccollections\nOrderedDict\n((l(lS'a'\naI1\naatR."],
      new Map([['a', 1]]),
    ],
    ['a torch.Size', ['ctorch\nSize\n((I2\nI3\nttR.'], Tuple.of(2, 3)],
    ['a dtype', ['ctorch\nfloat16\n.'], 'float16'],
  ])('%s', async (_, parts, expected) => {
    expect(await loadPickle(...parts)).toStrictEqual(expected);
  });

  it('makes objects of dictionaries only where no key is lost by it', async () => {
    expect(await loadPickle('(dK', 0, 'K', 1, 's.')).toEqual({ 0: 1 });
    expect(await loadPickle("(dS'0'\nK", 1, 's.')).toEqual(new Map([['0', 1]]));
    expect(await loadPickle("(dS'a'\nK", 1, 'sK', 2, 'K', 3, 's.')).toEqual(
      new Map<unknown, unknown>([
        ['a', 1],
        [2, 3],
      ]),
    );
    const proto = await loadPickle("(dS'__proto__'\n(dS'polluted'\nI1\nss.");
    expect(proto).toBeInstanceOf(Map);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const maps = await load<unknown>(await torchFile(opcodes("(dS'a'\nK", 1, 's.')), {
      maps: true,
    });
    expect(maps).toEqual(new Map([['a', 1]]));
  });
});

describe('what a pickle may not do', () => {
  it.each([
    ['os.system', "cos\nsystem\n(S'touch /tmp/owned'\ntR.", 'os.system'],
    ['eval', "c__builtin__\neval\n(S'1'\ntR.", 'builtins.eval'],
    ['getattr', "c__builtin__\ngetattr\n(ctorch\nSize\nS'x'\ntR.", 'builtins.getattr'],
    ['a class by two texts', "\x80\x04S'posix'\nS'system'\n\x93.", 'posix.system'],
    ['an instance of protocol 0', "(S'x'\nios\nsystem\n.", 'os.system'],
    ['an unknown class', 'cargparse\nNamespace\n)\x81.', 'argparse.Namespace'],
    ['a property of every object', 'cconstructor\nconstructor\n)R.', 'constructor.constructor'],
    ['torch.load itself', "ctorch\nload\n(S'x'\ntR.", 'torch.load'],
  ])('name %s', async (_, pickle, name) => {
    await expect(loadPickle(pickle)).rejects.toThrow(
      new RegExp(
        `the file names '${name.replace('.', '\\.')}', which is not among the classes that files may name; nothing was run\\. .*classes: \\{ '${name}'`,
      ),
    );
  });

  it('unless the caller says what to make of it', async () => {
    const file = await torchFile(opcodes("cargparse\nNamespace\n)\x81}S'lr'\nF0.1\nsb."));
    expect(await load(file, { classes: { 'argparse.Namespace': ({ state }) => state } })).toEqual({
      lr: 0.1,
    });
  });

  it.each<[string, (string | number)[], RegExp]>([
    ['an unknown opcode', [0xff], /opcode 0xff is unknown/],
    ['an extension registry', [0x82, 1, '.'], /opcode 0x82 is unknown or not allowed/],
    ['protocol 6', [0x80, 6, 'N.'], /protocol 6 is not known/],
    ['an empty stack', ['.'], /a value is missing/],
    ['a missing mark', ['t.'], /a mark is missing/],
    ['a memo that is empty', ['h', 3, '.'], /nothing is remembered as 3/],
    [
      'a text longer than the file',
      ['X', 255, 255, 255, 127, 'a'],
      /truncated: 2147483647 more bytes are needed/,
    ],
    ['a text of 2^64 bytes', [0x8d, 255, 255, 255, 255, 255, 255, 255, 255], /truncated/],
    ['no end', ['N'], /truncated/],
    [
      'a long integer',
      [0x8b, 0, 0, 1, 0, 'x'.repeat(65536), '.'],
      /an integer of 65536 bytes is too long/,
    ],
    ['a line without end', ['I12345'], /truncated: a line does not end/],
    ['a number that is none', ['I12x\n.'], /a number is malformed/],
    ['bad UTF-8', ['X', 1, 0, 0, 0, 0xff, '.'], /not valid UTF-8/],
    ['appending to None', ['NNa.'], /appended to what is no list/],
    ['setting in a list', [']NNs.'], /set in what is no dictionary/],
    ['a state for a list', [']}b.'], /a state is set on what is no object/],
    ['calling a text', ["S'x'\n)R."], /what is called is no class or function/],
    [
      'calling a storage class',
      ['ctorch\nFloatStorage\n)R.'],
      /'torch.FloatStorage' cannot be called/,
    ],
    ['an odd dictionary', ['(Nd.'], /a key has no value/],
  ])('hold %s', async (_, parts, message) => {
    await expect(loadPickle(...parts)).rejects.toThrow(message);
  });

  it('nest without end', async () => {
    const deep = (n: number) => loadPickle(']'.repeat(n), 'a'.repeat(n - 1), '.');
    await expect(deep(100_000)).rejects.toThrow(/nested more than 1000 deep/);
    expect(await deep(900)).toBeInstanceOf(Array);
    const tuples = opcodes(')', new Uint8Array(50_000).fill(0x85), '.');
    await expect(load(await torchFile(tuples))).rejects.toThrow(/nested more than 1000 deep/);
  });

  it('multiply by references', async () => {
    // A list of two references to a list of two references ...: 2^100 leaves in 300 bytes.
    const parts: (string | number)[] = [']q', 0];
    for (let i = 0; i < 100; i++) parts.push('0', '](h', i, 'h', i, 'eq', i + 1);
    const value = (await loadPickle(...parts, '.')) as unknown[];
    expect(value[0]).toBe(value[1]);
  });

  it('unpack to more nodes than a file of its size should have', async () => {
    const sink = new MemorySink();
    const zip = new ZipWriter(sink);
    await zip.add('a/data.pkl', opcodes(']'.repeat(9_000_000), '.'), { compress: true });
    await zip.finish();
    expect(sink.bytes().length).toBeLessThan(20_000);
    await expect(load(sink.bytes())).rejects.toThrow(
      /takes far more work and memory than a file of its size/,
    );
  });

  it('take operations without end', async () => {
    const { readPickle } = await import('./pickle/reader.js');
    const { Budget } = await import('./io/budget.js');
    const many = opcodes('N0'.repeat(2_000_000), 'N.');
    const small = new Budget('x', 10, 64);
    expect(() => readPickle(many, 0, { title: 'x', budget: small })).toThrow(
      /^x: reading it takes far more work and memory .*; pass \{ maxExpansion \} of more than 64/,
    );
    const given = new Budget('x', many.length, 64);
    expect(readPickle(many, 0, { title: 'x', budget: given }).root).toBe(null);
  });
});

describe('tensors may not claim', () => {
  const sixteen = { 0: new Uint8Array(16) };
  it.each<[string, Parameters<typeof claims>[0], RegExp]>([
    [
      'more than their storage',
      [{ shape: [5] }],
      /a tensor of shape \[5\], strides \[1\] and offset 0 does not fit its storage of 4 elements/,
    ],
    ['what lies beyond', [{ offset: 1 }], /does not fit its storage/],
    ['what lies before', [{ offset: -1 }], /negative or no whole number/],
    ['negative strides', [{ strides: [-1], offset: 3 }], /negative/],
    ['strides that leave', [{ shape: [2], strides: [4] }], /does not fit/],
    ['a negative shape', [{ shape: [-4] }], /negative/],
    [
      'more elements than can be counted',
      [{ shape: [2 ** 30, 2 ** 30], strides: [0, 0] }],
      /more elements than can be counted/,
    ],
    ['fewer strides than sizes', [{ shape: [2, 2] }], /not as many strides as sizes/],
    [
      '100 dimensions',
      [{ shape: Array(100).fill(1), strides: Array(100).fill(0) }],
      /100 dimensions, more than 64/,
    ],
    ['a storage that is not there', [{ key: '7' }], /the file has no storage '7'/],
    ['a storage elsewhere', [{ key: '../version' }], /the file has no storage '..\/version'/],
    [
      'more bytes than the file has',
      [{ length: 2 ** 40 }],
      /is to have 1099511627776 elements of float32, the file holds 16 bytes for it/,
    ],
    ['a negative length', [{ length: -4 }], /its length is -4/],
    [
      'two dtypes of one memory',
      [{}, { type: 'IntStorage' }],
      /in two ways that contradict each other/,
    ],
    [
      'two lengths of one memory',
      [{}, { length: 2, shape: [2] }],
      /in two ways that contradict each other/,
    ],
    [
      'a dtype we lack',
      [{ type: 'ComplexFloatStorage', length: 2, shape: [2] }],
      /storages of class 'torch.ComplexFloatStorage' have no dtype here/,
    ],
    ['a device that is none', [{ location: '../../etc' }], /is no device/],
    [
      'a device we lack',
      [{ location: 'cuda:0' }],
      /saved on 'cuda:0', and no 'cuda' is registered here; pass \{ mapLocation: 'cpu' \}/,
    ],
  ])('%s', async (_, list, message) => {
    await expect(load(await torchFile(claims(list), sixteen))).rejects.toThrow(message);
  });

  it('but may be expanded, empty, or lie inside', async () => {
    const file = await torchFile(
      claims([
        { shape: [1000, 4], strides: [0, 1] },
        { shape: [0], offset: 4 },
        { shape: [2, 2], strides: [1, 2] },
      ]),
      sixteen,
    );
    const shapes = (await load<{ shape: number[] }[]>(file)).map(({ shape }) => shape);
    expect(shapes).toEqual([[1000, 4], [0], [2, 2]]);
  });
});

const python = '/usr/bin/python3';
const exec = promisify(execFile);

describe.skipIf(!existsSync(python))('pickles that Python writes', () => {
  it('read alike in all protocols', async () => {
    const script = `
import pickle, collections, base64
value = [None, True, 0, -1, 255, 256, 65536, -2**31, 2**31, 2**63, -2**63, 0.1, float('inf'), 'ü\\n🔥', b'\\x00\\xff', bytearray(b'ab'),
  (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {'a': {'b': [1]}}, collections.OrderedDict([('z', 1), ('y', 2)]), {1, 2}, 'same', 'same', list(range(3000)),
  collections.defaultdict(int, {'n': 1}), collections.Counter('aab')]
for protocol in range(6): print(base64.b64encode(pickle.dumps(value, protocol)).decode())
`;
    const { stdout } = await exec(python, ['-c', script], { maxBuffer: 1 << 26 });
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(6);
    for (const line of lines) {
      const value = await load<unknown>(await torchFile(Buffer.from(line, 'base64')));
      expect(value).toStrictEqual([
        null,
        true,
        0,
        -1,
        255,
        256,
        65536,
        -(2 ** 31),
        2 ** 31,
        2n ** 63n,
        -(2n ** 63n),
        0.1,
        Infinity,
        'ü\n🔥',
        Uint8Array.of(0, 255),
        Uint8Array.of(97, 98),
        Tuple.of(),
        Tuple.of(1),
        Tuple.of(1, 2),
        Tuple.of(1, 2, 3),
        Tuple.of(1, 2, 3, 4),
        { a: { b: [1] } },
        new Map([
          ['z', 1],
          ['y', 2],
        ]),
        new Set([1, 2]),
        'same',
        'same',
        Array.from({ length: 3000 }, (_, i) => i),
        { n: 1 },
        Object.defineProperty({ a: 2, b: 1 }, Symbol.toStringTag, { value: 'Counter' }),
      ]);
    }
  }, 120_000);
});
