import { type Expr, stage } from '@sconce/core';
import { type Contraction, type Extents, group, nestOf } from './contraction-space.js';
import { Block, wgslType } from './expression.js';
import { Frame, type KernelText } from './frame.js';
import { usesOf } from './leaves.js';
import { positions } from './map.js';
import type { Operand, WgslDispatch } from './plan.js';

const size = 64;

/**
 * Steps of the innermost loop that are done at once: keeping sums from step to step costs as much as several
 * products where registers are few. Small work is not worth the longer compilation.
 */
function unrolling(extent: number, products: number): number {
  if (products < compensatedBelow) return 1;
  return [5, 4, 3, 2].find((steps) => extent % steps === 0) ?? 1;
}

/** How many rows or columns of a result with `extent` of them an invocation takes. */
export const blockSize = (extent: number): number => (extent >= 7 ? 8 : extent >= 5 ? 6 : extent);

/** Wide results are taken in wider blocks, which read less for each product. */
export const blockWidth = (n: number): number => (n >= 4096 ? 16 : blockSize(n));

/** Work of so few products sums them with compensation: it costs little there. */
const compensatedBelow = 2 ** 20;

/**
 * One dispatch in which each invocation keeps a small block of the result in registers and walks the summed axes by
 * nested loops; with `partials`, a part of the outermost. Needs no shared memory: suits results that are small or
 * thin, and devices for which workgroups are costly.
 */
export function blocked(
  work: Contraction,
  { shape, batch, m, n, k }: Extents,
  parts: number,
  partials?: Operand,
): WgslDispatch {
  const value = partials ? stage(0, work.a.dtype) : work.value;
  const uses = usesOf([work.a, work.b, value]);
  const position = positions(shape, work.inputs, uses);
  const compensated = work.a.dtype === 'float32' && batch * m * n * k < compensatedBelow;
  const rows = compensated ? Math.min(4, m) : blockSize(m);
  const columns = compensated ? Math.min(4, n) : blockWidth(n);
  const frame = new Frame(
    `block${compensated ? 'C' : ''}${rows}x${columns}${partials ? 'P' : ''};${uses.key}`,
  );
  const nest = nestOf(frame, work, shape, position.participants, partials);
  const down = Math.ceil(m / rows);
  const across = Math.ceil(n / columns);
  const total = down * across * batch * parts;
  const outer = nest.outer(group.k);
  // Parts of a single loop are cut where a step of it ends.
  const single = nest.single(group.k);
  const unroll = compensated
    ? 1
    : unrolling(single ? outer : nest.inner(group.k), batch * m * n * k);
  const grain = single ? unroll : 1;
  const chunk = Math.ceil(Math.ceil(outer / parts) / grain) * grain;
  frame.key += `;u${unroll}`;
  const words = {
    m: frame.word(m),
    n: frame.word(n),
    k: frame.word(outer),
    down: frame.word(down),
    across: frame.word(across),
    batch: frame.word(batch),
    chunk: frame.word(chunk),
    total: frame.word(total),
  };
  const load = frame.loads(uses, work.inputs);
  const scalar = frame.scalars(uses, work.scalars);
  const render = (functions: Set<string>): KernelText => {
    const type = wgslType(work.a.dtype);
    const r = [...Array(rows).keys()];
    const c = [...Array(columns).keys()];
    const used = new Set<number>();
    /** The value of an operand in one row or column of the block, inside the loops. */
    const element = (root: Expr, letter: 'm' | 'n', at: number, step: number) => {
      const read = (p: number) => {
        used.add(p);
        return nest.read(p, `${letter}a${p}_${at}+ka${p}${step > 0 ? `_u${step}` : ''}`);
      };
      const block = new Block(
        { scalar, load, ...position.leaves(1, read) },
        functions,
        `${letter}${at}t${step}_`,
      );
      const name = block.name(block.value(root));
      return { text: block.text, name };
    };
    const steps = [...Array(unroll).keys()];
    const a = steps.map((step) => r.map((at) => element(work.a, 'm', at, step)));
    const usedByA = [...used];
    used.clear();
    const b = steps.map((step) => c.map((at) => element(work.b, 'n', at, step)));
    const usedByB = [...used];

    let head = '';
    for (let p = 0; p <= position.participants.length; p++) {
      head += `let a${p}=${nest.offset(p)}+${nest.part(p, group.batch)};\n`;
    }
    const starts = (letter: 'm' | 'n', at: number, index: string, participants: number[]) =>
      nest.decode(group[letter], index, `_${at}`) +
      participants
        .map((p) => `let ${letter}a${p}_${at}=a${p}+${nest.part(p, group[letter], `_${at}`)};\n`)
        .join('');
    for (const at of r) head += starts('m', at, `min(tm*${rows}+${at},${words.m}-1)`, usedByA);
    for (const at of c)
      head += starts('n', at, `min(tn+${words.across}*${at},${words.n}-1)`, usedByB);
    const moved = [...new Set([...usedByA, ...usedByB])];
    const products = r.flatMap((i) =>
      c.map((j) => {
        const terms = steps.map((step) => `${a[step]?.[i]?.name}*${b[step]?.[j]?.name}`);
        if (compensated) {
          // What an addition loses is taken off the next (Kahan).
          const [sum, lost] = [`s${i}_${j}`, `l${i}_${j}`];
          return `{let y=${terms[0]}-${lost};let t=${sum}+y;${lost}=(t-${sum})-y;${sum}=t;}`;
        }
        return `s${i}_${j}+=${terms.join('+')};`;
      }),
    );
    const inner = `${[...a, ...b]
      .flat()
      .map((e) => e.text)
      .join('')}${products.join('')}`;
    const sums = r.flatMap((i) => c.map((j) => `s${i}_${j}`));
    const lost = compensated ? sums.map((s) => s.replace('s', 'l')) : [];
    const finish = new Block(
      {
        scalar,
        load,
        stage: () => 'sum',
        ...position.leaves(1, (p) =>
          nest.read(p, `a${p}+${nest.part(p, group.m)}+${nest.part(p, group.n)}`),
        ),
      },
      functions,
      'o',
    );
    const stored = finish.value(value);
    const place = partials
      ? `((part*${words.batch}+batch)*${words.m}+i)*${words.n}+j`
      : `a0+${nest.part(0, group.m)}+${nest.part(0, group.n)}`;
    return {
      size,
      body: `let t=group*${size}+lid;if(t>=${words.total}){return;}
let tn=t%${words.across};var rest=t/${words.across};let tm=rest%${words.down};rest=rest/${words.down};
let batch=rest%${words.batch};let part=rest/${words.batch};
let first=part*${words.chunk};let last=min(${words.k},first+${words.chunk});
${nest.decode(group.batch, 'batch')}${head}${[...sums, ...lost].map((s) => `var ${s}=${type}();`).join('')}
${nest.loops(group.k, 'first', 'last', moved, 'ka', undefined, inner, unroll)}var sums=array<${type},${sums.length}>(${sums.join(',')});
for(var x=0;x<${rows};x++){let i=tm*${rows}+x;if(i>=${words.m}){break;}
${nest.decode(group.m, 'i')}for(var y=0;y<${columns};y++){let j=tn+${words.across}*y;if(j>=${words.n}){break;}
let sum=sums[x*${columns}+y];
${nest.decode(group.n, 'j')}${finish.text}${nest.store(0, place, stored, functions)}}}
`,
    };
  };
  return frame.dispatch(() => work.label, Math.ceil(total / size), render);
}
