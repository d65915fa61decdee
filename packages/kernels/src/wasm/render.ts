import type { LoopKernel } from '../kernel.js';
import { argumentLayout } from './arguments.js';
import { type Callable, ModuleBuilder } from './assembler.js';
import { Emitter } from './emitter.js';
import { renderMap } from './render-map.js';
import { renderReduce } from './render-reduce.js';
import { renderScan } from './render-scan.js';
import { renderScatter } from './render-scatter.js';

/** What the engine offers. */
export interface RenderOptions {
  /** Whether the memory is shared between threads. */
  readonly shared: boolean;
  /** Whether relaxed SIMD (fused multiply-add) may be used. */
  readonly relaxed: boolean;
}

/** The number of phases a kernel runs in: a split reduction has one for each stage and one for its outputs. */
export const phaseCount = (kernel: LoopKernel): number =>
  kernel.split ? kernel.program.stages.length + 1 : 1;

/** The name under which a phase is exported. */
export const phaseName = (phase: number): string => (phase === 0 ? 'run' : `run${phase}`);

/**
 * The WebAssembly module of a kernel. It imports `env.memory` and functions of `math`, and exports
 * `run(arguments, begin, end)` (and `run1`, ... for further phases), which does the work items `[begin, end)`.
 */
export function renderKernel(kernel: LoopKernel, options: RenderOptions): Uint8Array<ArrayBuffer> {
  // Which functions are imported is known only after writing the code: most kernels need none.
  const names = new Set<string>();
  const module = write(kernel, options, names, []);
  if (names.size === 0) return module.build();
  return write(kernel, options, names, [...names]).build();
}

function write(
  kernel: LoopKernel,
  options: RenderOptions,
  wanted: Set<string>,
  imported: readonly string[],
): ModuleBuilder {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { shared: options.shared });
  const functions = new Map<string, Callable>();
  for (const name of imported) {
    const parameters = binary.has(name) ? (['f64', 'f64'] as const) : (['f64'] as const);
    functions.set(name, module.importFunction('math', name, parameters, ['f64']));
  }
  const math = (name: string): Callable => {
    wanted.add(name);
    return functions.get(name) ?? { index: 0 };
  };
  for (let phase = 0; phase < phaseCount(kernel); phase++) {
    const code = module.function(phaseName(phase), ['i32', 'i32', 'i32']);
    const emitter = new Emitter(kernel, argumentLayout(kernel), code, options.relaxed, math);
    switch (kernel.kind) {
      case 'map':
        renderMap(emitter);
        break;
      case 'reduce':
        renderReduce(emitter, phase);
        break;
      case 'scan':
        renderScan(emitter);
        break;
      case 'scatter':
        renderScatter(emitter);
        break;
    }
  }
  return module;
}

const binary = new Set(['pow', 'atan2', 'fmod', 'logaddexp']);
