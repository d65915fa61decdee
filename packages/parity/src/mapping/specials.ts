import * as core from '@sconce/core';
import { type Generator, Tensor } from '@sconce/core';
import { Tuple, type Value } from '../corpus/value.js';
import { PyContext } from '../python/objects.js';
import { callTorch } from './call.js';
import { getItem, indexItems } from './indexing.js';
import { classNamed, find, packages } from './library.js';
import { MissingFeature } from './missing.js';
import { camelCase, dtypeNamed } from './names.js';
import { bind, convert, parseSignature } from './signature.js';

/** A callable of PyTorch's that a signature cannot describe. */
export type Special = (args: Value[], kwargs: Map<string, Value>) => Value;

type Fn = (...args: Value[]) => Value;

function ours(module: string, name: string): Fn {
  const found = find(module, name);
  if (!found) throw new MissingFeature(`${module}: Sconce has no ${name}`);
  return found;
}

/** A method of tensors by our name, which may be missing. */
function method(self: Value, name: string, ...args: Value[]): Value {
  if (!(self instanceof Tensor)) {
    throw new TypeError(`${name}: expected a Tensor, got ${self === null ? 'None' : typeof self}`);
  }
  return ours('torch.Tensor', name)(self, ...args);
}

/** `x.__rsub__(y)` and its kin: `y - x`. */
const reflected =
  (name: string): Special =>
  ([self, other]) => {
    if (!(self instanceof Tensor)) {
      throw new TypeError(`__r${name}__: descriptor doesn't apply to a '${typeof self}' object`);
    }
    return callTorch(
      `torch.${name}`,
      [other instanceof Tensor ? other : scalarLike(self, other), self],
      new Map(),
    );
  };

/** A number in front of an operator, as the zero-dimensional tensor that promotes as it does. */
export function scalarLike(self: Tensor, other: Value): Value {
  return core.scalarTensor(convert(other, 'operand') as core.Scalar, {
    device: self.device,
    dtype: core.resultType(self, convert(other, 'operand') as core.Scalar),
  });
}

const context =
  (name: string): Special =>
  () =>
    new PyContext((body) => {
      ours('torch', name)(body);
    });

const noArguments = new Map<string, Value>();

/** The sizes of `torch.Size([2, 3])`. */
const size: Special = ([sizes]) => Tuple.of(...((sizes ?? []) as Value[]));

/** The special rows of the mapping, by path without `torch.`; a signature serves everything else. */
export const specials: Readonly<Record<string, Special>> = {
  // operators with the tensor on the right
  'Tensor.__radd__': ([self, other]) => method(self, 'add', convert(other, 'operand')),
  'Tensor.__rmul__': ([self, other]) => method(self, 'mul', convert(other, 'operand')),
  'Tensor.__rand__': ([self, other]) => method(self, 'bitwiseAnd', convert(other, 'operand')),
  'Tensor.__ror__': ([self, other]) => method(self, 'bitwiseOr', convert(other, 'operand')),
  'Tensor.__rxor__': ([self, other]) => method(self, 'bitwiseXor', convert(other, 'operand')),
  'Tensor.__rsub__': ([self, other]) => method(self, 'rsub', convert(other, 'operand')),
  'Tensor.__rdiv__': ([self, other]) =>
    method(method(self, 'reciprocal'), 'mul', convert(other, 'operand')),
  // PyTorch's own calls the function with the operands exchanged, whatever they are.
  'Tensor.__rmod__': ([self, other]) => callTorch('torch.remainder', [other, self], noArguments),
  // PyTorch makes a new tensor of the exponent's partner, so that no gradient flows to it.
  'Tensor.__rpow__': ([self, other]) =>
    reflected('pow')([self, other instanceof Tensor ? other.detach() : other], noArguments),
  'Tensor.__rmatmul__': ([self, other]) => callTorch('torch.matmul', [other, self], noArguments),
  'Tensor.__getitem__': ([self, index]) => getItem(self as Tensor, index),
  'Tensor.__setitem__': ([self, index, value]) =>
    method(
      self,
      'setAt',
      typeof index === 'boolean' ? index : indexItems(self as Tensor, index),
      convert(value, 'operand'),
    ),

  // reading and metadata
  'Tensor.item': ([self]) => item(self as Tensor),
  'Tensor.tolist': ([self]) => tolist(self as Tensor),
  'Tensor.nelement': ([self]) => (self as Tensor).numel(),
  numel: ([self]) => (self as Tensor).numel(),
  'Tensor.ndimension': ([self]) => (self as Tensor).ndim,
  'Tensor.stride': ([self, dim]) => {
    const { strides } = self as Tensor;
    return dim === undefined ? Tuple.of(...strides) : strides.at(dim as number);
  },
  is_tensor: ([x]) => x instanceof Tensor,
  is_floating_point: ([self]) => (self as Tensor).isFloatingPoint(),
  'Tensor.element_size': ([self]) => core.itemSize((self as Tensor).dtype),
  'Tensor.type': ([self, dtype]) =>
    dtype === undefined
      ? tensorTypeNames[(self as Tensor).dtype]
      : (self as Tensor).to(dtype as core.DType),
  'Tensor.register_hook': ([self, hook]) =>
    (self as Tensor).registerHook(convert(hook) as (grad: Tensor) => Tensor),
  'Tensor.requires_grad_': ([self, value]) =>
    (self as Tensor).requiresGrad_((value as boolean | undefined) ?? true),
  'Tensor.to': ([self, ...rest], kwargs) => to(self as Tensor, rest, kwargs),
  can_cast: ([from, to]) => core.canCast(from as core.DType, to as core.DType),
  promote_types: ([a, b]) => core.promoteTypes(a as core.DType, b as core.DType),
  result_type: (args) =>
    core.resultType(...args.map((x) => convert(x, 'operand') as Tensor | core.Scalar)),
  Size: size,
  device: ([name]) => name,

  // where our argument order or form differs
  std: spread('std'),
  var: spread('var'),
  std_mean: spread('stdMean'),
  var_mean: spread('varMean'),
  narrow: ([self, dim, start, length]) => {
    const run = (at: Value) => ours('torch', 'narrow')(self, dim, at, length);
    return start instanceof Tensor ? read(start, run) : run(start);
  },
  broadcast_shapes: (shapes) => {
    const lists = shapes.map((shape) => (Array.isArray(shape) ? shape : [shape]) as number[]);
    return Tuple.of(...core.broadcastShapes('broadcastShapes', ...lists));
  },
  'nn.functional._scaled_dot_product_attention': (args, kwargs) => {
    const [query, key, value, mask, dropout, , causal] = args;
    const given = {
      attnMask: mask ?? kwargs.get('attn_mask') ?? undefined,
      dropoutP: convert(dropout ?? kwargs.get('dropout_p')),
      isCausal: causal ?? kwargs.get('is_causal'),
    };
    return ours('torch', 'attentionWithWeights')(query, key, value, given);
  },
  max: extreme('max'),
  min: extreme('min'),
  atleast_1d: each('atleast1d'),
  atleast_2d: each('atleast2d'),
  atleast_3d: each('atleast3d'),
  einsum: ([equation, ...operands]) =>
    ours('torch', 'einsum')(equation, ...(Array.isArray(operands[0]) ? operands[0] : operands)),
  where: ([condition, self, other]) =>
    self === undefined
      ? ours('torch', 'nonzero')(condition, { asTuple: true })
      : ours('torch', 'where')(condition, convert(self, 'operand'), convert(other, 'operand')),
  randint: (args, kwargs) => {
    const size = args.findIndex((x) => Array.isArray(x));
    const given = args.slice(0, size < 0 ? args.length : size);
    const numbers = [kwargs.get('low'), ...given, kwargs.get('high')].filter(
      (x) => x !== undefined,
    );
    const shape = size < 0 ? kwargs.get('size') : args[size];
    return ours('torch', 'randint')(...numbers, shape, options(kwargs, 'size', 'low', 'high'));
  },
  randint_like: ([self, ...bounds], kwargs) => {
    const [low, high] = bounds.length === 1 ? [0, bounds[0]] : bounds;
    return ours('torch', 'randintLike')(self, low, high, options(kwargs));
  },
  normal: (args, kwargs) => {
    const [mean, std, shape] = ['mean', 'std', 'size'].map((n, i) => args[i] ?? kwargs.get(n));
    const given = options(kwargs, 'mean', 'std', 'size');
    if (shape !== undefined) given.shape = convert(shape);
    return ours('torch', 'normal')(convert(mean), convert(std), given);
  },
  Generator: () => new core.Generator(),
  'Generator.manual_seed': ([self, seed]) => (self as Generator).manualSeed(seed as number),
  get_rng_state: () => core.tensor(core.getRngState()),
  manual_seed: ([seed]) => core.manualSeed(seed as number),
  initial_seed: () => {
    const seed = core.initialSeed();
    return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed;
  },

  // data and parameters
  'utils.data.DataLoader': make(
    'data',
    'DataLoader',
    'dataset | batch_size shuffle sampler batch_sampler num_workers collate_fn pin_memory drop_last timeout worker_init_fn multiprocessing_context generator',
  ),
  'utils.data.RandomSampler': make(
    'data',
    'RandomSampler',
    'data_source | replacement num_samples generator',
  ),
  'utils.data.SequentialSampler': make('data', 'SequentialSampler', 'data_source'),
  'utils.data.SubsetRandomSampler': make('data', 'SubsetRandomSampler', 'indices | generator'),
  'utils.data.WeightedRandomSampler': make(
    'data',
    'WeightedRandomSampler',
    'weights num_samples | replacement generator',
  ),
  'utils.data.BatchSampler': make('data', 'BatchSampler', 'sampler batch_size drop_last'),
  'utils.data.Subset': make('data', 'Subset', 'dataset indices'),
  'utils.data.ConcatDataset': make('data', 'ConcatDataset', 'datasets'),
  'utils.data.TensorDataset': (tensors) => new (classNamed('data', 'TensorDataset'))(...tensors),
  'utils.data.random_split': ([dataset, lengths], kwargs) =>
    fn('data', 'randomSplit')(dataset, convert(lengths), options(kwargs)),
  'nn.Parameter': make('nn', 'Parameter', 'data | requires_grad'),

  // grad modes
  no_grad: context('noGrad'),
  enable_grad: context('enableGrad'),
  inference_mode: context('inferenceMode'),
  set_grad_enabled: ([enabled]) => context(enabled ? 'enableGrad' : 'noGrad')([], noArguments),
};

/** Makes a new object of a class of ours. */
function make(holder: keyof typeof packages, name: string, signature: string): Special {
  const parsed = parseSignature(signature);
  return (args, kwargs) => new (classNamed(holder, name))(...bind(name, parsed, args, kwargs));
}

function fn(holder: keyof typeof packages, name: string): Fn {
  const found = packages[holder][name];
  if (typeof found !== 'function') throw new MissingFeature(`${holder}: Sconce has no ${name}`);
  return found as Fn;
}

/** A function of one tensor that PyTorch also takes several for. */
function each(name: string): Special {
  return (args) => {
    const tensors = args.length === 1 ? args[0] : args;
    const run = ours('torch', name);
    return Array.isArray(tensors) ? Tuple.from(tensors, (t: Value) => run(t)) : run(tensors);
  };
}

/** The element of a one-element tensor, at once or where need be later. */
function read(t: Tensor, then: (value: number) => Value): Value {
  return core.canRead(t) ? then(t.itemSync()) : t.item().then(then);
}

/** `std`, `var` and their kin, whose second argument may be `unbiased`. */
function spread(name: string): Special {
  return ([self, ...rest], kwargs) => {
    const dim = typeof rest[0] === 'boolean' ? undefined : (rest[0] ?? kwargs.get('dim'));
    const given = options(kwargs, 'dim');
    const [unbiased, keepdim] = typeof rest[0] === 'boolean' ? rest : rest.slice(1);
    if (unbiased !== undefined) given.unbiased = unbiased;
    if (keepdim !== undefined) given.keepdim = keepdim;
    return ours('torch', name)(self, convert(dim), given);
  };
}

/** `max` and `min`: one name for a reduction, one along a dimension, and the elementwise one. */
function extreme(name: 'max' | 'min'): Special {
  return ([self, second, third], kwargs) => {
    const other = second ?? kwargs.get('other');
    const into = options(kwargs, 'other', 'dim', 'keepdim');
    if (other instanceof Tensor) return ours('torch', name)(self, other, into);
    const dim = second ?? kwargs.get('dim');
    if (dim === undefined) return ours('torch', name)(self);
    const keepdim = third ?? kwargs.get('keepdim') ?? false;
    return ours('torch', name)(self, dim, { keepdim, ...into });
  };
}

/** Keyword arguments as options, but for some. */
function options(kwargs: ReadonlyMap<string, Value>, ...but: string[]): Record<string, Value> {
  const kept = [...kwargs].filter(([name, value]) => !but.includes(name) && value !== null);
  return Object.fromEntries(kept.map(([name, value]) => [camelCase(name), convert(value)]));
}

function to(self: Tensor, rest: readonly Value[], kwargs: ReadonlyMap<string, Value>): Tensor {
  const target: core.ToOptions = {};
  for (const part of [...rest, kwargs.get('dtype'), kwargs.get('device')]) {
    if (part instanceof Tensor) return self.to(part);
    if (typeof part !== 'string') continue;
    const dtype = dtypeNamed(part);
    if (dtype) target.dtype = dtype as core.DType;
    else target.device = core.Device.from(part);
  }
  if (kwargs.get('copy') === true) target.copy = true;
  return self.to(target);
}

function item(self: Tensor): Value {
  const finish = (value: number): Value =>
    self.dtype === 'bool' ? value !== 0 : self.isFloatingPoint() ? core.float(value) : value;
  return read(self, finish);
}

function tolist(self: Tensor): Value {
  const finish = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(finish);
    return self.isFloatingPoint() ? core.float(value as number) : value;
  };
  if (core.canRead(self)) return finish(self.toArraySync());
  return self.toArray().then(finish);
}

const tensorTypeNames: Record<core.DType, string> = {
  float32: 'torch.FloatTensor',
  float64: 'torch.DoubleTensor',
  float16: 'torch.HalfTensor',
  bfloat16: 'torch.BFloat16Tensor',
  int8: 'torch.CharTensor',
  uint8: 'torch.ByteTensor',
  int16: 'torch.ShortTensor',
  int32: 'torch.IntTensor',
  int64: 'torch.LongTensor',
  bool: 'torch.BoolTensor',
};
