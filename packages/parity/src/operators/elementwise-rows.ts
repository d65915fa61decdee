import { type Elementwise, elementwise, polygamma, Tensor } from '@sconce/core';
import type { Draw } from './draw.js';
import type { OperatorRow } from './row.js';
import { rounding, show } from './row.js';

/** Those that compute nothing: their results are elements of the operands, or say how these compare. */
const exactOnes: ReadonlySet<string> = new Set(
  `abs neg sign sgn floor ceil trunc relu clamp clampMin clampMax where fill maskedFill maximum minimum fmax fmin copysign
  eq ne lt le gt ge logicalAnd logicalOr logicalXor logicalNot bitwiseAnd bitwiseOr bitwiseXor bitwiseNot isnan isinf isfinite isposinf
  isneginf signbit gcd lcm nearestInteger isreal bothNaN hardshrink threshold`.split(/\s+/),
);

/** Counts of shifted bits are below the width of the narrowest dtype. */
const shifts: ReadonlySet<string> = new Set(['bitwiseLeftShift', 'bitwiseRightShift']);

/** Random calls of one elementwise operation of the registry: any dtypes, shapes that broadcast, numbers for operands. */
function rowOf(name: string, op: Elementwise): OperatorRow {
  const params = op.row.params.split(' ');
  const numbers = op.row.numbers ?? 0;
  return {
    name,
    draw(d) {
      const shape = d.shape();
      const kind = checkedBefore.has(name) || d.chance(0.97) ? d.pick(kindsOf(op)) : 'any';
      const args = params.map((_, i) =>
        drawOperand(d, op, i, params.length - numbers, shape, kind),
      );
      const asText = args.map((a) => ('operand' in a ? `t${a.operand}` : show(a.number)));
      return {
        text: `${name}(${asText.join(', ')})`,
        exact: exactOnes.has(name),
        run: (t) => op.call(args.map((a) => ('operand' in a ? t(a.operand) : a.number))),
      };
    },
  };
}

type Kind = 'float' | 'integer' | 'numeric' | 'any';

/** Of floats alone, which their functions check before they come to the row. */
const checkedBefore: ReadonlySet<string> = new Set(['lerp']);

/** The kinds of dtypes that an operation takes. */
function kindsOf({ row }: Elementwise): readonly Kind[] {
  if (row.refuse?.('float32')) return ['integer'];
  if (row.refuse?.('int64') || checkedBefore.has(row.name)) return ['float'];
  return row.refuse?.('bool') ? ['float', 'numeric'] : ['float', 'numeric', 'any'];
}

type Argument = { readonly operand: number } | { readonly number: number };

function drawOperand(
  d: Draw,
  op: Elementwise,
  i: number,
  operands: number,
  shape: readonly number[],
  kind: Kind,
): Argument {
  const { condition, name } = op.row;
  if (i >= operands) return { number: d.pick([0.5, 1, 2, -1, 0.25]) };
  if (i === condition) return { operand: d.broadcasting('bool', shape) };
  if (i > 0 && shifts.has(name)) return { operand: d.broadcasting('int64', shape, { below: 7 }) };
  const number = op.row.params.split(' ')[i]?.endsWith('~') ?? false;
  if (i > 0 && number && d.chance(0.2)) return { number: d.pick([2, 0.5, -3, 1, 0]) };
  const dtype = d.dtype(kind);
  return { operand: i === 0 ? d.tensor(dtype, shape) : d.broadcasting(dtype, shape) };
}

/** Called with an order that is a whole number, and a factor made from it: no operands of its own to draw. */
const ofOrder = 'polygamma';

/** Every elementwise operation. */
export const elementwiseRows: readonly OperatorRow[] = [
  ...[...elementwise].flatMap(([name, op]) => (name === ofOrder ? [] : [rowOf(name, op)])),
  rounding(ofOrder, (d) => {
    const n = d.int(0, 4);
    const x = d.tensor(d.dtype('float'), d.shape(), 'positive');
    return [`${n}, t${x}`, (t) => polygamma(n, t(x))];
  }),
];

/** Methods that write into their tensor: the name without `_`, and how many operands follow. */
export const inplaceMethods: readonly { readonly name: string; readonly others: number }[] = [
  ...elementwise,
].flatMap(([name, op]) => {
  const others = op.row.params.split(' ').length - 1 - (op.row.numbers ?? 0);
  const usable = `${name}_` in Tensor.prototype && op.row.numbers === undefined;
  return usable && op.row.condition === undefined ? [{ name, others }] : [];
});
