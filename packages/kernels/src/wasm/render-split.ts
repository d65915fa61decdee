import type { Stage } from '../program.js';
import { Accumulator } from './accumulator.js';
import type { Emitter, Pointers } from './emitter.js';
import { i32 } from './opcodes.js';
import {
  allOperands,
  defineStage,
  keptDimensions,
  reduceRow,
  setRow,
  storeElements,
  storeRow,
} from './rows.js';

/** Bytes of a partial result: the value and, for argmax and argmin, its position. */
export const PARTIAL_BYTES = 16;

/**
 * One phase of a reduction whose rows are divided into chunks: items are chunks (of all rows, row by row). Phase p
 * combines each chunk for stage p into the workspace; each later phase first combines those partial results.
 */
export function renderSplit(m: Emitter, phase: number): void {
  const { kernel, code } = m;
  const { stages } = kernel.program;
  const { layout } = m;
  const chunks = m.argument(layout.chunks);
  const chunkSize = m.argument(layout.chunkSize);
  const total = m.argument(layout.reducedCount);
  const last = phase === stages.length;
  const byRow = last && kernel.outputs.every((o) => o.per === 'row');
  const item = code.local('i32');
  const rowNumber = code.local('i32');
  const chunk = code.local('i32');
  const begin = code.local('i32');
  const end = code.local('i32');
  const dimensions = keptDimensions(m);
  const coordinates = new Map(dimensions.map((d) => [d, code.local('i32')]));
  const coordinate = (d: number): number => coordinates.get(d) as number;
  const row: Pointers = new Map(allOperands(m).map((o) => [o, code.local('i32')]));
  const partial = (s: number, ofRow: number, pushChunk: () => void): void => {
    // workspace + ((s * rows + row) * chunks + chunk) * bytes
    code.get(m.argument(layout.workspace));
    code.i32(s).get(m.argument(layout.rows)).op(i32.mul).get(ofRow).op(i32.add);
    code.get(chunks).op(i32.mul);
    pushChunk();
    code.op(i32.add).i32(PARTIAL_BYTES).op(i32.mul).op(i32.add);
  };
  code.get(1).set(item);
  m.while(
    () => code.get(item).get(2).op(i32.ltU),
    () => {
      if (byRow) {
        code.get(item).set(rowNumber);
      } else {
        code.get(item).get(chunks).op(i32.divU).set(rowNumber);
        code.get(item).get(chunks).op(i32.remU).set(chunk);
        code.get(chunk).get(chunkSize).op(i32.mul).set(begin);
        code.get(begin).get(chunkSize).op(i32.add).set(end);
        code.get(end).get(total).op(i32.gtU);
        code.if(() => code.get(total).set(end));
      }
      m.unravel(dimensions, rowNumber, coordinate);
      setRow(m, row, coordinate);
      m.forget(1);
      for (let s = 0; s < phase; s++) {
        const stage = stages[s] as Stage;
        const whole = new Accumulator(m, stage.combine, stage.value.dtype, 1);
        whole.start(undefined);
        const k = code.local('i32');
        const at = code.local('i32');
        code.i32(0).set(k);
        m.while(
          () => code.get(k).get(chunks).op(i32.ltU),
          () => {
            partial(s, rowNumber, () => code.get(k));
            code.set(at);
            whole.mergeFrom(at);
            code.get(k).i32(1).op(i32.add).set(k);
          },
        );
        defineStage(m, s, whole.finish());
      }
      if (!last) {
        const stage = stages[phase] as Stage;
        const result = reduceRow(m, stage, row, begin, end);
        const at = code.local('i32');
        partial(phase, rowNumber, () => code.get(chunk));
        code.set(at);
        result.saveTo(at);
      } else {
        // What a branch evaluates is not known after it: evaluate it here.
        m.prepare(1, kernel.program.values, row);
        if (byRow) storeRow(m, row);
        else {
          code.get(chunk).op(i32.eqz);
          code.if(() => storeRow(m, row));
          storeElements(m, row, begin, end);
        }
      }
      code.get(item).i32(1).op(i32.add).set(item);
    },
  );
}
