import { Float, floatRepr, Generator, RuntimeError, Tensor } from '@sconce/core';
import { TorchPath, Tuple, type Value } from '../corpus/value.js';
import { Evaluator, type World } from '../python/evaluator.js';
import { Interpreter } from '../python/interpreter.js';
import { plainMethod } from '../python/methods.js';
import { PyFunction } from '../python/objects.js';
import { parseExpression } from '../python/parser.js';
import { range } from '../python/plain.js';
import type { Statement } from '../python/syntax.js';
import { callTorch, hasTorch } from './call.js';
import { getItem } from './indexing.js';
import { classNamed, packages } from './library.js';
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
    if (name === 'math') return math;
    return undefined;
  },

  module(path) {
    if (path === 'math') return math;
    if (path === 'torch' || path.startsWith('torch.')) return new TorchPath(path);
    throw new MissingFeature(`python: there is no module ${path}`);
  },

  attribute(object, name) {
    if (object instanceof TorchPath) return pathAttribute(object, name);
    if (object instanceof Tensor) {
      const attribute = tensorAttributes[name];
      if (attribute) return attribute(object);
      return methodOf('torch.Tensor', object, name);
    }
    if (object instanceof Generator) return methodOf('torch.Generator', object, name);
    const method = plainMethod(object, name);
    if (method) return method;
    if (object instanceof Map && object.has(name)) return object.get(name);
    return objectAttribute(object, name);
  },

  hasAttribute(object, name) {
    if (object instanceof TorchPath) return hasPath(`${object.path}.${name}`);
    if (object instanceof Tensor) {
      return name in tensorAttributes || hasTorch(`torch.Tensor.${name}`);
    }
    if (object instanceof Generator) return hasTorch(`torch.Generator.${name}`);
    if (plainMethod(object, name) || (object instanceof Map && object.has(name))) return true;
    return keyOf(object, name) !== undefined;
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
    throw new MissingFeature('python: the value has no items');
  },

  setSubscript(object, index, value) {
    callTorch('torch.Tensor.__setitem__', [object, index, value], new Map());
  },

  isInstance(object, type) {
    if (!(type instanceof TorchPath))
      throw new TypeError('python: isinstance() of what is no type');
    if (type.path === 'torch.Tensor') return object instanceof Tensor;
    if (type.path === 'torch.dtype') return typeof object === 'string' && !!dtypeNamed(object);
    if (type.path === 'torch.Size') return object instanceof Tuple;
    if (type.path === 'torch.Generator') return object instanceof Generator;
    const [, holder, name] = /^torch\.(nn|optim)\.(?:\w+\.)*(\w+)$/.exec(type.path) ?? [];
    if (!name) throw new MissingFeature(`python: isinstance() of ${type.path}`);
    return object instanceof classNamed(holder as 'nn' | 'optim', name);
  },

  truth(object) {
    if (object instanceof Tensor) {
      if (object.numel() !== 1) {
        throw new RuntimeError('Boolean value of Tensor with more than one value is ambiguous');
      }
      return object.itemSync() !== 0;
    }
    return true;
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
    if (spec === '') return value instanceof Error ? value.message : String(value);
    return formatted(value instanceof Tensor ? scalarOf(value) : value, spec);
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

/** Whether there is something of that path. */
function hasPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (path in constants || modules.has(path)) return true;
  if (path === `torch.${name}` && dtypeNamed(name)) return true;
  const [, holder] = /^torch\.(nn|optim)\.[A-Z]\w*$/.exec(path) ?? [];
  if (holder) return name in packages[holder as 'nn' | 'optim'];
  return hasTorch(path);
}

const modules: ReadonlySet<string> = new Set(
  'nn optim autograd linalg special masked nn.functional nn.init nn.utils nn.utils.rnn utils utils.data Tensor Generator Size'
    .split(' ')
    .map((name) => `torch.${name}`),
);

/** Our name of an attribute of one of our own objects, if it has it. */
function keyOf(object: Value, name: string): string | undefined {
  if (object === null || object === undefined) return undefined;
  const key = name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
  return (object as Record<string, Value>)[key] === undefined ? undefined : key;
}

/** An attribute of one of our own objects, methods bound to it. */
function objectAttribute(object: Value, name: string): Value {
  if (object instanceof Tuple && name === 'numel') {
    return new PyFunction(() => object.reduce((n: number, size) => n * (size as number), 1));
  }
  const key = keyOf(object, name);
  if (key === undefined) throw new MissingFeature(`python: no attribute ${name}`);
  const value = (object as Record<string, Value>)[key];
  if (typeof value !== 'function') return value;
  return new PyFunction((args) => (value as (...a: Value[]) => Value).apply(object, args));
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

const scalarOf = (t: Tensor): Value =>
  t.isFloatingPoint() ? new Float(t.itemSync()) : t.itemSync();

/** `format(value, spec)`: a width, and digits of floats. */
function formatted(value: Value, spec: string): string {
  const found = /^([<>^]?)(\+?)(0?)(\d*)(?:\.(\d+))?([dfegs%]?)$/.exec(spec);
  if (!found) throw new MissingFeature(`python: the format '${spec}'`);
  const [, side, plus, zero, width, digits, kind] = found as unknown as string[];
  const text = `${plus && Number(value) >= 0 ? '+' : ''}${digitsOf(value, kind as string, digits)}`;
  const length = Number(width);
  if (zero) return text.padStart(length, '0');
  const left = side ? side === '<' : typeof value === 'string';
  if (side === '^') {
    return text.padStart(Math.floor((length + text.length) / 2)).padEnd(length);
  }
  return left ? text.padEnd(length) : text.padStart(length);
}

function digitsOf(value: Value, kind: string, digits: string | undefined): string {
  if (typeof value === 'string')
    return digits === undefined ? value : value.slice(0, Number(digits));
  const number = value instanceof Float ? value.value : Number(value);
  if (kind === 'd' || (kind === '' && digits === undefined)) {
    return value instanceof Float ? floatRepr(number) : String(value);
  }
  const count = Number(digits ?? 6);
  if (kind === 'f') return number.toFixed(count);
  if (kind === '%') return `${(100 * number).toFixed(count)}%`;
  if (kind === 'e') return number.toExponential(count).replace(/e([+-])(\d)$/, 'e$10$2');
  const text = String(Number(number.toPrecision(Math.max(count, 1))));
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

const realFunction = (f: (x: number) => number): PyFunction =>
  new PyFunction(([x]) => new Float(f(x instanceof Float ? x.value : Number(x))));

/** Python's module `math`. */
const math: Readonly<Record<string, Value>> = {
  pi: new Float(Math.PI),
  e: new Float(Math.E),
  inf: new Float(Infinity),
  nan: new Float(Number.NaN),
  ...Object.fromEntries(
    (['sqrt', 'exp', 'log', 'sin', 'cos', 'tan', 'tanh'] as const).map((name) => [
      name,
      realFunction(Math[name]),
    ]),
  ),
  floor: new PyFunction(([x]) => Math.floor(x instanceof Float ? x.value : Number(x))),
  ceil: new PyFunction(([x]) => Math.ceil(x instanceof Float ? x.value : Number(x))),
  prod: new PyFunction(([items]) =>
    evaluator.items(items).reduce<Value>((all, x) => evaluator.binary('*', all, x), 1),
  ),
};

export const evaluator: Evaluator = new Evaluator(world);

/** Runs a program; the variables it leaves. */
export const runProgram = (program: readonly Statement[]): Map<string, Value> =>
  new Interpreter(evaluator).run(program);

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
