import { BROADCAST, STRIDED } from '../layout.js';
import { type Emitter, LIGHT } from './emitter.js';

/** Elementwise: items are elements. */
export function renderMap(m: Emitter): void {
  const { kernel } = m;
  const roots = kernel.program.values;
  m.prepare(1, roots, new Map());
  const outputs = kernel.outputs.map((_, i) => m.outputBase + i);
  const operands = [...m.operandsOf(roots), ...outputs];
  const weight = m.weight(roots);
  const regular = operands.every((o) => m.access(o) !== STRIDED);
  const dimensions = Array.from({ length: kernel.kept }, (_, d) => d);
  m.walk(
    dimensions,
    1,
    2,
    operands,
    (o) => m.base(o),
    (count, pointers) => {
      m.forget(2);
      m.prepare(2, roots, pointers);
      const moving = new Map([...pointers].filter(([o]) => m.access(o) !== BROADCAST));
      m.vectors(
        count,
        moving,
        { light: weight <= LIGHT, unroll: regular && weight <= LIGHT / 4 ? 2 : 1 },
        () => {
          const values = roots.map((e) => m.value(e));
          values.forEach((value, i) => {
            m.store(i, value);
          });
        },
      );
    },
  );
}
