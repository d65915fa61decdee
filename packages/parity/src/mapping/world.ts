import { Float, Generator, RuntimeError, Tensor } from '@sconce/core';
import { Slice, TorchPath, Tuple, type Value } from '../corpus/value.js';
import { Evaluator, type World } from '../python/evaluator.js';
import { PyFunction } from '../python/objects.js';
import { parseExpression } from '../python/parser.js';
import { range } from '../python/plain.js';
import { callTorch } from './call.js';
import { getItem } from './indexing.js';
import { MissingFeature } from './missing.js';
import { dtypeNamed } from './names.js';
import { scalarLike } from './specials.js';

/** Attributes of tensors, where they are not methods. */
const tensorAttributes: Record<string, (t: Tensor) => Value> = {
  T: (t) => t.T,
  mT: (t) => t.mT,
  H: (t) => t.H,
  // Of what is no matrix PyTorch 1.13 gives the adjoint too.
  mH: (t) => (t.ndim < 2 ? t.T : t.mH),
  shape: (t) => Tuple.of(...t.shape),
  dtype: (t) => t.dtype,
  device: (t) => t.device.toString(),
  ndim: (t) => t.ndim,
  grad: (t) => t.grad,
  data: (t) => t.data,
  requires_grad: (t) => t.requiresGrad,
  is_leaf: (t) => t.isLeaf,
  _version: (t) => t.version,
};

/** Python's operators as PyTorch's functions. */
const operators: Record<string, string> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '//': 'floor_divide',
  '%': 'remainder',
  '**': 'pow',
  '@': 'matmul',
  '&': 'bitwise_and',
  '|': 'bitwise_or',
  '^': 'bitwise_xor',
  '<<': 'bitwise_left_shift',
  '>>': 'bitwise_right_shift',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};

/** Operators with the operands exchanged, for a number on the left. */
const mirrored: Record<string, string> = {
  '+': 'add',
  '*': 'mul',
  '-': 'rsub',
  '&': 'bitwise_and',
  '|': 'bitwise_or',
  '^': 'bitwise_xor',
  '==': 'eq',
  '!=': 'ne',
  '<': 'gt',
  '<=': 'ge',
  '>': 'lt',
  '>=': 'le',
};

const none: Map<string, Value> = new Map();

/** What Python code of the corpus sees of Sconce, under PyTorch's names. */
export const world: World = {
  global(name) {
    if (name === 'torch') return new TorchPath('torch');
    if (name === 'nn') return new TorchPath('torch.nn');
    if (name === 'F') return new TorchPath('torch.nn.functional');
    if (name === 'abs') return new TorchPath('torch.abs');
    return undefined;
  },

  attribute(object, name) {
    if (object instanceof TorchPath) return pathAttribute(object, name);
    if (object instanceof Tensor) {
      const attribute = tensorAttributes[name];
      if (attribute) return attribute(object);
      return methodOf('torch.Tensor', object, name);
    }
    if (object instanceof Generator) return methodOf('torch.Generator', object, name);
    if (object instanceof Map && object.has(name)) return object.get(name);
    return objectAttribute(object, name);
  },

  setAttribute(object, name, value) {
    if (object instanceof Tensor && name === 'requires_grad')
      object.requiresGrad = value as boolean;
    else if (object instanceof Tensor && name === 'grad') object.grad = value as Tensor | null;
    else if (object instanceof Tensor && name === 'data') object.data = value as Tensor;
    else throw new MissingFeature(`python: cannot set the attribute ${name}`);
  },

  call(callee, args, kwargs) {
    if (callee instanceof TorchPath) return callTorch(callee.path, args, kwargs);
    if (callee instanceof PyFunction) return callee.call(args, kwargs);
    if (typeof callee === 'function') return (callee as (...a: Value[]) => Value)(...args);
    throw new RuntimeError('python: the value is not callable');
  },

  subscript(object, index) {
    if (object instanceof Tensor) return getItem(object, index);
    if (Array.isArray(object) && index instanceof Slice) return slice(object, index);
    throw new MissingFeature('python: the value has no items');
  },

  setSubscript(object, index, value) {
    callTorch('torch.Tensor.__setitem__', [object, index, value], new Map());
  },

  binary(operator, left, right) {
    const name = operators[operator];
    if (!name) throw new MissingFeature(`python: operator ${operator} on tensors`);
    if (left instanceof Tensor) return callTorch(`torch.${name}`, [left, right], none);
    if (!(right instanceof Tensor)) throw new TypeError(`python: operands of ${operator}`);
    const mirror = mirrored[operator];
    if (mirror) return callTorch(`torch.${mirror}`, [right, left], none);
    if (operator === '/') {
      return callTorch('torch.mul', [callTorch('torch.reciprocal', [right], none), left], none);
    }
    return callTorch(`torch.${name}`, [scalarLike(right, left), right], none);
  },

  unary(operator, operand) {
    if (operator === '-') return callTorch('torch.neg', [operand], none);
    if (operator === '~') return callTorch('torch.bitwise_not', [operand], none);
    return operand;
  },

  update(operator, target, value) {
    const name = operators[operator];
    if (!(target instanceof Tensor) || !name) {
      throw new MissingFeature(`python: ${operator}= on this value`);
    }
    return callTorch(`torch.Tensor.${name}_`, [target, value], none);
  },

  format(value, spec) {
    if (value instanceof Tensor && spec !== '') {
      return formatNumber(value.itemSync(), spec);
    }
    if (value instanceof Float) return formatNumber(value.value, spec);
    return String(value);
  },

  iterate(object) {
    if (object instanceof Tensor) return callTorch('torch.unbind', [object], none) as Value[];
    if (object instanceof Map) return [...object.keys()];
    if (typeof object === 'object' && object !== null && Symbol.asyncIterator in object) {
      return collect(object as AsyncIterable<Value>);
    }
    if (typeof object === 'object' && object !== null && Symbol.iterator in object) {
      return [...(object as Iterable<Value>)];
    }
    if (isIndexed(object)) return Promise.all(range([object.length]).map((i) => object.get(i)));
    throw new MissingFeature('python: the value is not iterable');
  },
};

const constants: Record<string, Value> = {
  'torch.inf': new Float(Infinity),
  'torch.nan': new Float(Number.NaN),
  'torch.pi': new Float(Math.PI),
  'torch.strided': 'strided',
  'torch.preserve_format': 'preserve',
  'torch.contiguous_format': 'contiguous',
};

function pathAttribute({ path }: TorchPath, name: string): Value {
  const full = `${path}.${name}`;
  if (full in constants) return constants[full];
  if (path === 'torch') {
    const dtype = dtypeNamed(name);
    if (dtype) return dtype;
  }
  return new TorchPath(full);
}

function methodOf(type: string, self: Value, name: string): PyFunction {
  return new PyFunction((args, kwargs) => callTorch(`${type}.${name}`, [self, ...args], kwargs));
}

/** An attribute of one of our own objects, methods bound to it. */
function objectAttribute(object: Value, name: string): Value {
  if (object instanceof Tuple && name === 'numel') {
    return new PyFunction(() => object.reduce((n: number, size) => n * (size as number), 1));
  }
  const key = name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
  const value = (object as Record<string, Value> | null)?.[key];
  if (value === undefined) throw new MissingFeature(`python: no attribute ${name}`);
  if (typeof value !== 'function') return value;
  return new PyFunction((args) => (value as (...a: Value[]) => Value).apply(object, args));
}

function slice(list: readonly Value[], { start, stop }: Slice): Value[] {
  return list.slice(start ?? 0, stop ?? list.length);
}

/** Whether an object gives samples by their position, as a dataset does. */
const isIndexed = (
  object: Value,
): object is { readonly length: number; get(index: number): Value } =>
  typeof (object as { get?: unknown } | null)?.get === 'function' &&
  typeof (object as { length?: unknown }).length === 'number';

async function collect(source: AsyncIterable<Value>): Promise<Value[]> {
  const items: Value[] = [];
  for await (const item of source) items.push(item);
  return items;
}

function formatNumber(value: number, spec: string): string {
  const digits = /^\.(\d+)f$/.exec(spec);
  return digits ? value.toFixed(Number(digits[1])) : String(value);
}

export const evaluator: Evaluator = new Evaluator(world);

const parsed = new Map<string, ReturnType<typeof parseExpression>>();

/** Evaluates an expression over the given names. */
export function evaluate(source: string, names: Map<string, Value> = new Map()): Value {
  let expression = parsed.get(source);
  if (!expression) {
    expression = parseExpression(source);
    parsed.set(source, expression);
  }
  return evaluator.evaluate(expression, names);
}
