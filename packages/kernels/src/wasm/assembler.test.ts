import { describe, expect, it } from 'vitest';
import { ModuleBuilder } from './assembler.js';
import {
  control,
  f32,
  f32x4,
  f64,
  f64x2,
  i8x16,
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  v128,
} from './opcodes.js';

function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.build()), imports);
  return instance.exports as Record<string, (...args: (number | bigint)[]) => number | bigint>;
}

describe('assembler', () => {
  it('encodes integers of every size', () => {
    for (const n of [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, -8193, 2 ** 31 - 1, -(2 ** 31)]) {
      const module = new ModuleBuilder();
      module.function('f', [], ['i32']).i32(n);
      expect(instantiate(module).f?.()).toBe(n);
    }
    for (const n of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 1n << 40n]) {
      const module = new ModuleBuilder();
      module.function('f', [], ['i64']).i64(n);
      expect(instantiate(module).f?.()).toBe(n);
    }
  });

  it('runs loops, branches, locals and calls', () => {
    const module = new ModuleBuilder();
    const twice = module.function(undefined, ['i64'], ['i64']);
    twice.get(0).i64(2n).op(i64.mul);
    const sum = module.function('sum', ['i32'], ['i64']);
    const total = sum.local('i64');
    sum.block((done) => {
      sum.loop((again) => {
        sum.get(0).op(i32.eqz).brIf(done);
        sum.get(total).get(0).op(i64.extendI32S).call(twice).op(i64.add).set(total);
        sum.get(0).i32(1).op(i32.sub).set(0).br(again);
      });
    });
    sum.get(total);
    expect(instantiate(module).sum?.(1000)).toBe(1001000n);
  });

  it('imports memory, functions and globals, and has SIMD', () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { shared: true });
    const base = module.importGlobal('env', 'base', 'i32');
    const log = module.importFunction('env', 'log', ['f64'], ['f64']);
    const f = module.function('f', ['f64'], ['f64']);
    f.globalGet(base)
      .globalGet(base)
      .loadVector(16)
      .f32x4(1, 2, 3, 4)
      .op(f32x4.add)
      .memory(v128.store);
    f.get(0).call(log).f64(0.5).op(f64.add);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const floats = new Float32Array(memory.buffer);
    floats.set([10, 20, 30, 40], 20);
    const run = instantiate(module, {
      env: { memory, base: new WebAssembly.Global({ value: 'i32' }, 64), log: Math.log },
    });
    expect(run.f?.(Math.E)).toBe(1.5);
    expect([...floats.subarray(16, 20)]).toEqual([11, 22, 33, 44]);
  });

  it('knows only instructions that the engine has', () => {
    const tables = { control, i32, i64, f32, f64, v128, i8x16, i16x8, i32x4, i64x2, f32x4, f64x2 };
    const rejected: string[] = [];
    for (const [type, table] of Object.entries(tables)) {
      for (const [name, code] of Object.entries(table)) {
        if (name.startsWith('relaxed')) continue; // not in every engine
        const module = new ModuleBuilder();
        module.importMemory('env', 'memory', { shared: false });
        // After `unreachable` the stack holds whatever the next instruction wants.
        const f = module.function('f', []).op(control.unreachable);
        if (/^(load|store)\d*Lane/.test(name)) f.memoryLane(code, 0);
        else if (/^(load|store)/.test(name)) f.memory(code);
        else if (/Lane/.test(name)) f.lane(code, 1);
        else f.op(code);
        f.op(control.unreachable);
        if (!WebAssembly.validate(module.build())) rejected.push(`${type}.${name}`);
      }
    }
    expect(rejected).toEqual([]);
  });

  it('shuffles lanes', () => {
    const module = new ModuleBuilder();
    const f = module.function('f', [], ['i32']);
    f.i32x4(1, 2, 3, 4).i32x4(5, 6, 7, 8).shuffle32(7, 0, 2, 5).lane(i32x4.extractLane, 0);
    expect(instantiate(module).f?.()).toBe(8);
  });
});
