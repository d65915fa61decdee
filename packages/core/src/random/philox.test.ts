import { describe, expect, it } from 'vitest';
import {
  type PhiloxBlock,
  philox4x32,
  philoxBlock,
  philoxBlocks,
  philoxInt,
  philoxNormal,
  philoxUniform,
  philoxWords,
} from './philox.js';

const words = (text: string): number[] => text.split(' ').map((w) => Number.parseInt(w, 16));

describe('philox4x32', () => {
  // The known answers of Random123 for ten rounds.
  it.each([
    [
      '00000000 00000000 00000000 00000000',
      '00000000 00000000',
      '6627e8d5 e169c58d bc57ac4c 9b00dbd8',
    ],
    [
      'ffffffff ffffffff ffffffff ffffffff',
      'ffffffff ffffffff',
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      '243f6a88 85a308d3 13198a2e 03707344',
      'a4093822 299f31d0',
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('of counter %s under key %s is %s', (counter, key, expected) => {
    const block = philox4x32(
      words(counter) as unknown as PhiloxBlock,
      words(key) as unknown as readonly [number, number],
    );
    expect(block).toEqual(words(expected));
  });
});

describe('a Philox stream', () => {
  const position = { seed: (5n << 32n) | 3n, offset: 2n ** 32n - 1n };

  it('counts blocks in 64 bits, the seed as key, low halves first', () => {
    expect(philoxBlock(position, 0)).toEqual(philox4x32([0xffffffff, 0, 0, 0], [3, 5]));
    expect(philoxBlock(position, 2)).toEqual(philox4x32([1, 1, 0, 0], [3, 5]));
  });

  it('lays out words block after block, and counts the blocks they take', () => {
    const out = new Uint32Array(6);
    philoxWords(out, position);
    expect(Array.from(out)).toEqual([
      ...philoxBlock(position, 0),
      ...philoxBlock(position, 1).slice(0, 2),
    ]);
    expect([philoxBlocks(6, 1), philoxBlocks(6, 2), philoxBlocks(0, 1)]).toEqual([2, 3, 0]);
  });

  it('maps words to uniforms and integers as the CPU does', () => {
    const block = philoxBlock(position, 0);
    const single = new Float32Array(3);
    philoxUniform(single, position, -1, 3);
    expect(Array.from(single)).toEqual(
      block.slice(0, 3).map((w) => Math.fround((w & 0xffffff) * 2 ** -22 - 1)),
    );
    const double = new Float64Array(1);
    philoxUniform(double, position);
    const all = (BigInt(block[0]) << 32n) | BigInt(block[1]);
    expect(double[0]).toBe(Number(all & (2n ** 53n - 1n)) * 2 ** -53);
    const ints = new Int32Array(4);
    philoxInt(ints, position, -7, 1000);
    expect(Array.from(ints)).toEqual(block.map((w) => (w % 1000) - 7));
  });

  it('pairs words into normals', () => {
    const unit = new Float32Array(6);
    philoxUniform(unit, position);
    const out = new Float32Array(5);
    philoxNormal(out, position, 10, 2);
    const radius = Math.sqrt(-2 * Math.log(1 - (unit[2] as number)));
    const angle = 2 * Math.PI * (unit[3] as number);
    expect(out[2]).toBe(Math.fround(10 + 2 * radius * Math.cos(angle)));
    expect(out[3]).toBe(Math.fround(10 + 2 * radius * Math.sin(angle)));
  });

  it('makes normals of the right moments', () => {
    const out = new Float64Array(40000);
    philoxNormal(out, { seed: 1n, offset: 0n });
    const mean = out.reduce((a, b) => a + b) / out.length;
    const variance = out.reduce((a, b) => a + (b - mean) ** 2, 0) / out.length;
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(out.length));
    expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / out.length));
  });
});
