import {
  type ComputeType,
  type DeviceBuffer,
  type DType,
  NotImplementedError,
  type ScalarValue,
} from '@sconce/core';
import { collapse, type Loops } from '../layout.js';
import { type Leaves, narrowInt64, wgslType } from './expression.js';
import { functionSource } from './functions.js';
import type { Uses } from './leaves.js';
import { kernelFor, type Operand, progression, type WgslDispatch } from './plan.js';

/** A parameter word as WGSL. */
export const slot = (index: number): string => `P[${index >> 2}].${'xyzw'[index & 3]}`;

const floatWord = new Float32Array(1);
const intWord = new Int32Array(floatWord.buffer);

/** The bits in which a run-time number of the given type is passed. */
function scalarWord(value: ScalarValue, dtype: ComputeType): number {
  if (wgslType(dtype) === 'f32') {
    floatWord[0] = Number(value);
    return intWord[0] as number;
  }
  if (dtype === 'bool') return Number(value) !== 0 ? 1 : 0;
  if (dtype === 'int32') return Number(value) | 0;
  return narrowInt64(typeof value === 'number' ? Math.trunc(value) : value);
}

/** What an element read from memory is worth in expressions. */
export function widen(dtype: DType, word: string): string {
  if (dtype === 'bool') return `(${word}!=0)`;
  return floatDtypes.has(dtype) ? `bitcast<f32>(${word})` : word;
}

const floatDtypes = new Set<DType>(['float32', 'float16', 'bfloat16']);

/** The word that holds a value of an expression in memory, rounded or wrapped to the dtype. */
export function narrow(dtype: DType, value: string, functions: Set<string>): string {
  switch (dtype) {
    case 'float32':
      return `bitcast<i32>(${value})`;
    case 'float16':
    case 'bfloat16':
      functions.add(dtype);
      return `bitcast<i32>(f_${dtype}(${value}))`;
    case 'int8':
      return `((${value}<<24u)>>24u)`;
    case 'uint8':
      return `(${value}&255)`;
    case 'int16':
      return `((${value}<<16u)>>16u)`;
    case 'bool':
      return `select(0,1,${value})`;
    case 'float64':
      throw new NotImplementedError('since it computes in float64, which webgpu has not');
    default:
      return value;
  }
}

/**
 * What one dispatch is made of while it is planned: the bound buffers (each once, however many
 * operands lie in it), the parameter words, and the key under which the kernel is kept. Everything
 * that decides the text of the kernel goes into the key; everything else is a word.
 */
export class Frame {
  /** The first word is infinity, which WGSL has no literal for. */
  readonly words: number[] = [0x7f800000];
  readonly buffers: DeviceBuffer[] = [];
  readonly writes: boolean[] = [];
  key: string;
  /** For each binding, the word of its last address. */
  readonly #last: (string | undefined)[] = [];

  constructor(kind: string) {
    this.key = kind;
  }

  /** Passes a number; the result is how WGSL names it. */
  word(value: number): string {
    this.words.push(value);
    return slot(this.words.length - 1);
  }

  /** Binds a buffer and gives its number. */
  bind(buffer: DeviceBuffer, write: boolean): number {
    let index = this.buffers.indexOf(buffer);
    if (index < 0) {
      index = this.buffers.push(buffer) - 1;
      this.writes.push(write);
    } else if (write) {
      this.writes[index] = true;
    }
    return index;
  }

  /**
   * An element of a bound buffer, whose address may lie outside of it and is then moved inside. Devices may be
   * opened without bounds checks of their own; all other addresses are within operands.
   */
  bounded(binding: number, address: string): string {
    let last = this.#last[binding];
    if (last === undefined) {
      last = this.word((this.buffers[binding] as DeviceBuffer).bytes / 4 - 1);
      this.#last[binding] = last;
    }
    return `b${binding}[min(u32(${address}),u32(${last}))]`;
  }

  /** Passes the run-time numbers that expressions use; the result reads them. */
  scalars(uses: Uses, values: readonly ScalarValue[]): Leaves['scalar'] {
    const slots = new Map<string, string>();
    for (const { index, dtype } of uses.scalars) {
      const text = this.word(scalarWord(values[index] as ScalarValue, dtype));
      slots.set(`${index}:${dtype}`, text);
    }
    return (index, dtype) => {
      const text = slots.get(`${index}:${dtype}`) as string;
      const type = wgslType(dtype);
      return type === 'f32' ? `bitcast<f32>(${text})` : type === 'bool' ? `(${text}!=0)` : text;
    };
  }

  /** Binds the inputs that are read at computed coordinates; the result reads them. */
  loads(uses: Uses, inputs: readonly Operand[]): NonNullable<Leaves['load']> {
    const read = new Map<number, (coordinates: readonly string[]) => string>();
    for (const index of uses.loads) {
      const operand = inputs[index] as Operand;
      const binding = this.bind(operand.buffer, false);
      const offset = this.word(operand.offset);
      const strides = operand.strides.map((stride) => this.word(stride));
      this.bounded(binding, '');
      this.key += `;l${binding}${operand.dtype}`;
      read.set(index, (coordinates) => {
        const terms = coordinates.map((c, d) => `${c}*${strides[d]}`);
        return widen(operand.dtype, this.bounded(binding, [offset, ...terms].join('+')));
      });
    }
    return (index, coordinates) =>
      (read.get(index) as (c: readonly string[]) => string)(coordinates);
  }

  /** The finished dispatch; `render` is called for a structure not met before. */
  dispatch(
    label: () => string,
    groups: number,
    render: (functions: Set<string>) => KernelText,
  ): WgslDispatch {
    this.key += `;${this.writes.map((w) => (w ? 'w' : 'r')).join('')}`;
    const kernel = kernelFor(this.key, label, () => {
      const functions = new Set<string>();
      const text = render(functions);
      return { source: this.#assemble(text, functions), writes: [...this.writes] };
    });
    return {
      kind: 'dispatch',
      kernel,
      parameters: this.words,
      buffers: this.buffers,
      groups,
    };
  }

  #assemble(text: KernelText, functions: Set<string>): string {
    // Words are read once, outside of every loop.
    const read = new Set<string>();
    const body = text.body.replace(/P\[(\d+)\]\.([xyzw])/g, (_, at, component) => {
      read.add(`let p${at}${component}=P[${at}].${component};`);
      return `p${at}${component}`;
    });
    const bindings = this.writes
      .map((write, i) => {
        const type = text.atomic === i ? 'atomic<i32>' : 'i32';
        return `@group(1)@binding(${i})var<storage,${write ? 'read_write' : 'read'}>b${i}:array<${type}>;\n`;
      })
      .join('');
    return `@group(0)@binding(0)var<uniform>P:array<vec4<i32>,${(this.words.length + 3) >> 2}>;
${bindings}${functionSource(functions)}${text.declarations ?? ''}@compute @workgroup_size(${text.size})
fn main(@builtin(workgroup_id)wg:vec3u,@builtin(num_workgroups)nw:vec3u,@builtin(local_invocation_index)lane:u32){
let group=i32(wg.x+wg.y*nw.x);let lid=i32(lane);
${[...read].join('')}
${body}}
`;
  }
}

/** The parts of a kernel that its kind decides. */
export interface KernelText {
  /** Invocations of a workgroup. */
  readonly size: number;
  /** Module-scope declarations. */
  readonly declarations?: string;
  /** Statements of `main`, which sees `group` (the workgroup) and `lid` (the invocation in it). */
  readonly body: string;
  /** The binding whose elements are atomic. */
  readonly atomic?: number;
}

/** Something that moves with the position: an operand in memory, a coordinate, the row-major index. */
interface Participant {
  readonly strides: readonly number[];
  readonly operand?: Operand;
}

/** The merged loops over some axes, whose counters are named `prefix` and a number. */
interface Group {
  readonly prefix: string;
  /** The words of the extents. */
  readonly sizes: readonly string[];
  readonly loops: Loops;
}

/**
 * The loops of a kernel, in groups (the rows and the positions in a row, say): the axes of each group
 * are merged into as few loops as possible, extents and strides are passed as words.
 */
export class Nest {
  readonly #groups: readonly Group[];
  readonly #offsets: (string | undefined)[];
  readonly #bindings: number[];
  readonly #dtypes: (DType | undefined)[];
  readonly #frame: Frame;
  readonly #strays: boolean[];
  /** For each participant and group, the words of its strides. */
  readonly #strides: string[][][];

  constructor(
    frame: Frame,
    shape: readonly number[],
    groups: readonly { prefix: string; axes: readonly number[]; ordered?: boolean }[],
    participants: readonly Participant[],
    written: number,
  ) {
    const strides = participants.map((p) => p.strides);
    this.#groups = groups.map(({ prefix, axes, ordered }) => {
      const loops = collapse(shape, axes, strides, ordered ?? false);
      // The outermost extent is never divided by.
      const sizes = loops.sizes.map((size, d) => (d === 0 ? '' : frame.word(size)));
      frame.key += `;${prefix}${sizes.length}`;
      return { prefix, sizes, loops };
    });
    this.#frame = frame;
    this.#strays = participants.map(({ operand }) => operand?.strays === true);
    this.#bindings = [];
    this.#dtypes = [];
    this.#offsets = [];
    this.#strides = [];
    participants.forEach(({ operand }, i) => {
      const memory = operand && operand.buffer !== progression ? operand : undefined;
      const binding = memory ? frame.bind(memory.buffer, i < written) : -1;
      this.#bindings.push(binding);
      this.#dtypes.push(memory?.dtype);
      this.#offsets.push(operand && frame.word(operand.offset));
      if (memory?.strays) frame.bounded(binding, '');
      frame.key += memory
        ? `;${binding}${memory.dtype}${memory.strays ? '~' : ''}`
        : operand
          ? ';o'
          : ';c';
      this.#strides.push(
        this.#groups.map(({ loops }) =>
          (loops.strides[i] as number[]).map((stride) => frame.word(stride)),
        ),
      );
    });
  }

  /**
   * Statements that split the index of a position in a group into its loop counters.
   *
   * @param suffix ends the counters' names, where several positions are split in one block
   */
  decode(group: number, index: string, suffix = ''): string {
    const { prefix, sizes } = this.#groups[group] as Group;
    if (sizes.length === 1) return `let ${prefix}0${suffix}=${index};\n`;
    const rest = `${prefix}q${suffix}`;
    let text = `var ${rest}=${index};\n`;
    for (let d = sizes.length - 1; d > 0; d--) {
      text += `let ${prefix}${d}${suffix}=${rest}%${sizes[d]};${rest}=${rest}/${sizes[d]};\n`;
    }
    return `${text}let ${prefix}0${suffix}=${rest};\n`;
  }

  /** How far a participant is moved by the counters of a group. */
  part(participant: number, group: number, suffix = ''): string {
    const { prefix } = this.#groups[group] as Group;
    const strides = (this.#strides[participant] as string[][])[group] as string[];
    return strides.map((stride, d) => `${prefix}${d}${suffix}*${stride}`).join('+');
  }

  /** Extent of the innermost loop of a group. */
  inner(group: number): number {
    return (this.#groups[group] as Group).loops.sizes.at(-1) as number;
  }

  /** Whether a group is a single loop. */
  single(group: number): boolean {
    return (this.#groups[group] as Group).loops.sizes.length === 1;
  }

  /** Extent of the outermost loop of a group. */
  outer(group: number): number {
    return (this.#groups[group] as Group).loops.sizes[0] as number;
  }

  /**
   * A group's loops around a body, the outermost from `first` to `last`; nothing is divided. In the body
   * `<name><participant>` is the address to which the counters have moved each of the `participants`, from
   * `<start><participant>` on, or from 0. With `unroll`, which must divide the innermost extent, the body does as many
   * steps at once, and `<name><participant>_u<step>` is the address at the later ones.
   */
  loops(
    group: number,
    first: string,
    last: string,
    participants: readonly number[],
    name: string,
    start: string | undefined,
    body: string,
    unroll = 1,
  ): string {
    const { prefix, sizes } = this.#groups[group] as Group;
    const innermost = sizes.length - 1;
    let head = '';
    sizes.forEach((size, d) => {
      const [begin, end] = d === 0 ? [first, last] : ['0', size];
      const counter = `${prefix}${d}`;
      const step = d === innermost ? unroll : 1;
      head += `for(var ${counter}=${begin};${counter}<${end};${counter}+=${step}){`;
      for (const p of participants) {
        const stride = ((this.#strides[p] as string[][])[group] as string[])[d];
        const before = d > 0 ? `${name}${p}_${d - 1}+` : start === undefined ? '' : `${start}${p}+`;
        head += `let ${name}${p}${d === innermost ? '' : `_${d}`}=${before}${counter}*${stride};`;
        for (let u = 1; u < step; u++) head += `let ${name}${p}_u${u}=${name}${p}+${u}*${stride};`;
      }
      head += '\n';
    });
    return `${head}${body}${'}'.repeat(sizes.length)}\n`;
  }

  /** The offset of a participant's operand. */
  offset(participant: number): string {
    return this.#offsets[participant] ?? '0';
  }

  /** The value of a participant at an address: an element, or for coordinates the address itself. */
  read(participant: number, address: string): string {
    const dtype = this.#dtypes[participant];
    if (!dtype) return `(${address})`;
    const binding = this.#bindings[participant] as number;
    const strays = this.#strays[participant];
    return widen(dtype, strays ? this.#frame.bounded(binding, address) : `b${binding}[${address}]`);
  }

  /** The statement that stores a participant's element. */
  store(participant: number, address: string, value: string, functions: Set<string>): string {
    const dtype = this.#dtypes[participant] as DType;
    return `b${this.#bindings[participant]}[${address}]=${narrow(dtype, value, functions)};\n`;
  }
}
