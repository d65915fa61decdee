import type { ComputeType, Expr } from '@sconce/core';
import { type Combine, combineValues, identity } from './combine.js';
import type { Emitter } from './emitter.js';
import { comparison } from './functions.js';
import { i32, i32x4 } from './opcodes.js';
import { convert, fromLanes, literal, pushLane, select, type Value } from './values.js';

/** Prefix combinations: lanes are neighbouring rows; items are rows. */
export function renderScan(m: Emitter): void {
  const { kernel, code, v } = m;
  const { combine, reverse } = kernel.scan as NonNullable<typeof kernel.scan>;
  const element = kernel.program.values[0]?.dtype as ComputeType;
  const carry = carryType(combine, element);
  const best = combine === 'max' || combine === 'min';
  const axis = kernel.kept;
  const kept = Array.from({ length: kernel.kept }, (_, d) => d);
  const operands = [0, ...kernel.outputs.map((_, i) => m.outputBase + i)];
  const running = m.variable(carry);
  const winners = m.variable('int32');
  const at = code.local('i32');
  m.walk(
    kept,
    1,
    2,
    operands,
    (o) => m.base(o),
    (count, group) => {
      m.vectors(count, group, { light: false }, () => {
        const position = m.position;
        const how: Combine = combine === 'logaddexp' ? 'max' : combine;
        m.assign(running, identity(v, how, carry));
        m.assign(winners, literal(v, 'int32', 0));
        if (reverse) code.get(m.size(axis)).i32(1).op(i32.sub).set(at);
        else code.i32(0).set(at);
        m.forget(1);
        m.position = { ...position, level: 1 };
        m.prepare(1, kernel.program.values, group);
        m.nest([axis], operands, group, (pointers) => {
          m.position = { ...position, pointers, level: 3 };
          m.forget(3);
          v.scope(() => {
            const x = m.value(kernel.program.values[0] as Expr);
            const next = convert(v, x, carry);
            if (best) {
              // Ties go to the later element, and NaN stays once it has come.
              const better = comparison(v, combine === 'max' ? 'ge' : 'le', next, running);
              const isFloat = carry === 'float32' || carry === 'float64';
              let mask = better.parts[0] as number;
              if (isFloat) {
                const nan = comparison(v, 'ne', next, next).parts[0] as number;
                mask = v.or(mask, nan);
              }
              const takes: Value = { type: 'bool', parts: [mask] };
              m.assign(running, select(v, takes, next, running));
              code.get(at).op(i32x4.splat);
              const here: Value = { type: 'int32', parts: [v.take()] };
              m.assign(winners, select(v, takes, here, winners));
            } else if (combine === 'logaddexp') {
              m.assign(running, logAddExp(m, running, next));
            } else {
              m.assign(running, combineValues(v, how, running, next));
            }
            m.store(0, convert(v, running, element));
            if (kernel.outputs.length > 1) {
              m.store(
                1,
                convert(
                  v,
                  winners,
                  m.operand(m.outputBase + 1).dtype === 'int64' ? 'int64' : 'int32',
                ),
              );
            }
            return [];
          });
          m.forget(3);
          code
            .get(at)
            .i32(reverse ? -1 : 1)
            .op(i32.add)
            .set(at);
        });
        m.position = position;
      });
    },
  );
}

/** Long sums and products of float32 are carried in float64, as PyTorch does on CPU. */
function carryType(combine: string, element: ComputeType): ComputeType {
  if (element === 'float32' && combine !== 'max' && combine !== 'min') return 'float64';
  if (element === 'bool') return 'int32';
  return element;
}

function logAddExp(m: Emitter, a: Value, b: Value): Value {
  const { v } = m;
  return fromLanes(v, 'float64', (lane) => {
    pushLane(v, a, lane);
    pushLane(v, b, lane);
    v.code.call(m.math('logaddexp'));
  });
}
