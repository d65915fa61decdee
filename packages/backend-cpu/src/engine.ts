import { builtinModule } from '@sconce/core';
import { ModuleBuilder, opcodes } from '@sconce/kernels';

/** Whether the engine accepts a relaxed-SIMD instruction. */
function acceptsRelaxed(): boolean {
  const builder = new ModuleBuilder();
  const f = builder.function('probe', ['v128', 'v128', 'v128'], ['v128']);
  f.get(0).get(1).get(2).op(opcodes.f32x4.relaxedMadd);
  return WebAssembly.validate(builder.build());
}

/** Whether the engine accepts 128-bit SIMD at all. */
export function hasSimd(): boolean {
  if (typeof WebAssembly === 'undefined') return false;
  const builder = new ModuleBuilder();
  const f = builder.function('probe', ['i32'], ['v128']);
  f.get(0).op(opcodes.i32x4.splat);
  return WebAssembly.validate(builder.build());
}

let relaxed: boolean | undefined;

/** Whether kernels may use relaxed SIMD (fused multiply-add). Node 20 has it behind a flag that can be set at run time. */
export function hasRelaxedSimd(): boolean {
  if (relaxed !== undefined) return relaxed;
  relaxed = acceptsRelaxed();
  if (!relaxed) {
    try {
      builtinModule<typeof import('node:v8')>('node:v8')?.setFlagsFromString(
        '--experimental-wasm-relaxed-simd',
      );
      relaxed = acceptsRelaxed();
    } catch {
      // an engine without that flag
    }
  }
  return relaxed;
}
