import { autogradEngine, Device, isFloatingPoint, span, type Tensor } from '@sconce/core';
import { quote } from '../errors.js';
import { cost } from '../io/budget.js';
import { arrayFromBytes } from '../numpy/array.js';
import { type ElementType, parseDescr } from '../numpy/descr.js';
import { makeParameter } from '../parameter.js';
import {
  DictNode,
  GlobalNode,
  ListNode,
  type Node,
  ObjectNode,
  PersistentNode,
  TupleNode,
} from '../pickle/nodes.js';
import { checkedView } from '../view.js';
import type { Converter } from './converter.js';
import { torchDtypes } from './dtypes.js';
import { entriesOf } from './module-state.js';

type Handler = (c: Converter, node: ObjectNode) => unknown;

/** Names that may stand in a file as values, though not be called. */
export const tokens: ReadonlySet<string> = new Set([
  'builtins.int',
  'builtins.long',
  'builtins.float',
  'builtins.str',
  'builtins.bool',
  'builtins.object',
  'numpy.ndarray',
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
  'torch.strided',
  'torch.contiguous_format',
  'torch.preserve_format',
  'torch.channels_last',
  'torch.channels_last_3d',
]);

/** Classes whose tensors are nothing but tensors. */
const plainTensors: ReadonlySet<string> = new Set([
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
]);

/** A tensor over a storage of the file; `metadata` are further marks of the view. */
function rebuild(
  c: Converter,
  { items }: TupleNode,
  known: number,
  dtypeNode?: Node,
  metadata?: Node,
): Tensor {
  const [ref, offset, size, stride] = items;
  if (items.length > known) throw c.fault('a tensor has more parts than are known');
  if (!(ref instanceof PersistentNode)) throw c.fault('a tensor has no storage');
  const name = dtypeNode instanceof GlobalNode ? dtypeNode.name : undefined;
  const dtype = name === undefined ? undefined : torchDtypes.get(name);
  if (name !== undefined && !dtype) {
    c.checkDtype(name);
    throw c.fault(`${quote(name)} is no dtype`);
  }
  const found = c.table.ref(ref);
  const storage = c.table.get(found, dtype);
  if (typeof offset !== 'number') throw c.fault('a tensor has no offset');
  const shape = c.numbers(size);
  const strides = c.numbers(stride);
  const inner = found.view;
  if (inner) {
    // Checked against the view of the storage first, then made on the whole of it.
    if (offset < 0 || offset + span(shape, strides) > inner.length)
      throw c.fault('a tensor does not fit its view of a storage');
  }
  c.spend(cost.tensor);
  const view = checkedView(c.title, storage, shape, strides, offset + (inner?.offset ?? 0));
  return isNegated(c, metadata ?? null) ? c.negated(view) : view;
}

/** Whether a view stands for the opposite numbers: that of the imaginary part of conjugate ones does. */
function isNegated(c: Converter, metadata: Node): boolean {
  if (metadata === null) return false;
  if (!(metadata instanceof DictNode)) throw c.fault('the marks of a tensor are no dictionary');
  let negated = false;
  for (let i = 0; i < metadata.entries.length; i += 2) {
    const [key, value] = metadata.entries.slice(i, i + 2);
    if (value === false && (key === 'neg' || key === 'conj')) continue;
    if (key !== 'neg' || value !== true) {
      throw c.fault(
        `a tensor has the mark ${quote(typeof key === 'string' ? key : 'without a name')}, which is not understood; save x.resolve_conj().resolve_neg().clone() in Python`,
      );
    }
    negated = true;
  }
  return negated;
}

/** Sets whether gradients flow, where the engine is there that computes them. */
function requiring(c: Converter, tensor: Tensor, flag: Node | undefined): Tensor {
  if (flag !== true) return tensor;
  if (!isFloatingPoint(tensor.dtype))
    throw c.fault(`a tensor of ${tensor.dtype} cannot require gradients`);
  return autogradEngine() ? tensor.requiresGrad_() : tensor;
}

const parameter: Handler = (c, { callee, args }) => {
  const [data, flag] = args.items;
  if (args.items.length > (callee.name.endsWith('_with_state') ? 4 : 3))
    throw c.fault('a parameter has more parts than are known');
  const tensor = c.tensor(data);
  return makeParameter(tensor, flag === true && isFloatingPoint(tensor.dtype));
};

const ordered: Handler = (c, node) => {
  return c.map(node, [...flatten(c, node.args.items[0]), ...node.entries]);
};

/** The pairs that a dictionary's constructor is given, one after another. */
function flatten(c: Converter, pairs: Node | undefined): readonly Node[] {
  if (pairs === undefined) return [];
  const dict = entriesOf(pairs);
  if (dict) return dict;
  if (!(pairs instanceof ListNode || pairs instanceof TupleNode))
    throw c.fault('a dictionary is made of what are no pairs');
  c.spend(4 * cost.item * pairs.items.length);
  return pairs.items.flatMap((pair) => {
    if ((pair instanceof TupleNode || pair instanceof ListNode) && pair.items.length === 2)
      return pair.items;
    throw c.fault('a dictionary is made of what are no pairs');
  });
}

const set: Handler = (c, { args }) => {
  const [items] = args.items;
  const list = items === undefined ? [] : c.convert(items);
  if (!Array.isArray(list) && !(list instanceof Set))
    throw c.fault('a set is made of what is no list');
  return c.set(list);
};

const list: Handler = (c, { args }) => {
  const [items] = args.items;
  const value = items === undefined ? [] : c.convert(items);
  if (!Array.isArray(value)) throw c.fault('a list is made of what is no list');
  c.spend(2 * cost.item * value.length);
  return [...value];
};

/** Bytes of Python 2 and of protocol 2: a text and the encoding that gives them. */
const encoded: Handler = (c, { args }) => {
  const [text, encoding] = args.items;
  if (typeof text !== 'string') throw c.fault('bytes are made of what is no text');
  return textBytes(c, text, String(encoding ?? 'utf-8'));
};

function textBytes(c: Converter, text: string, encoding: string): Uint8Array {
  c.spend(2 * text.length);
  if (/^(latin-?1|iso-?8859-?1)$/i.test(encoding)) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) throw c.fault('a text of bytes has a character above 255');
      bytes[i] = code;
    }
    return bytes;
  }
  if (/^utf-?8$/i.test(encoding)) return new TextEncoder().encode(text);
  throw c.fault(`bytes are encoded by ${quote(encoding)}; only latin1 and utf-8 are known`);
}

const bytearray: Handler = (c, { args }) => {
  const [text, encoding] = args.items;
  if (text === undefined) return new Uint8Array(0);
  return typeof text === 'string'
    ? textBytes(c, text, String(encoding ?? 'latin-1'))
    : rawBytes(c, text);
};

function rawBytes(c: Converter, node: Node | undefined): Uint8Array {
  const value = node === undefined ? undefined : c.convert(node);
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return textBytes(c, value, 'latin1');
  throw c.fault('bytes are missing where an array must have them');
}

/** NumPy's dtype object: a code, and the byte order in its state. */
function elementType(c: Converter, node: Node | undefined): ElementType {
  const code =
    node instanceof ObjectNode && node.callee.name === 'numpy.dtype'
      ? node.args.items[0]
      : undefined;
  const state =
    node instanceof ObjectNode && node.state instanceof TupleNode ? node.state.items : [];
  if (typeof code !== 'string') throw c.fault('an array has no element type');
  return parseDescr(c.title, `${typeof state[1] === 'string' ? state[1] : ''}${code}`);
}

function numpyArray(
  c: Converter,
  bytes: Uint8Array,
  type: ElementType,
  shape: number[],
  fortran: boolean,
): Tensor {
  c.spend(cost.tensor + bytes.length);
  return arrayFromBytes(c.title, bytes, type, shape, fortran, Device.from('cpu'));
}

/** `ndarray.__reduce__`: an empty array, whose state is (version, shape, dtype, isFortran, bytes). */
const reconstruct: Handler = (c, { state }) => {
  if (!(state instanceof TupleNode) || state.items.length !== 5)
    throw c.fault('an array has no contents');
  const [, shape, type, fortran, bytes] = state.items;
  return numpyArray(
    c,
    rawBytes(c, bytes),
    elementType(c, type),
    c.numbers(shape),
    fortran === true,
  );
};

/** Arrays of protocol 5: (bytes, dtype, shape, order). */
const fromBuffer: Handler = (c, { args }) => {
  const [bytes, type, shape, order] = args.items;
  return numpyArray(c, rawBytes(c, bytes), elementType(c, type), c.numbers(shape), order === 'F');
};

/** A single number of NumPy's. */
const numpyScalar: Handler = (c, { args }) => {
  const [type, bytes] = args.items;
  const element = elementType(c, type);
  const tensor = numpyArray(c, rawBytes(c, bytes), element, [], false);
  const [value] = tensor.toTypedArraySync();
  tensor.dispose();
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (element.dtype === 'bool') return value === 1;
  if (element.dtype === 'float16')
    throw c.fault('a float16 number of NumPy is not supported; save it as a float');
  return value;
};

/** How each class or function that PyTorch's files need is carried out; nothing else is. */
export const handlers: Readonly<Record<string, Handler>> = {
  /** A storage that stands alone: its elements as a tensor of one dimension. */
  storage: (c, { args }) => {
    const found = c.table.ref(args.items[0] as PersistentNode);
    c.spend(cost.tensor);
    const storage = c.table.get(found);
    const length = found.view?.length ?? storage.length;
    return checkedView(c.title, storage, [length], [1], found.view?.offset ?? 0);
  },
  'collections.OrderedDict': ordered,
  /** Tagged, so that it is written as one again. */
  'collections.Counter': (c, node) => {
    const counts = c.dict(node, [...flatten(c, node.args.items[0]), ...node.entries]) as object;
    return Object.defineProperty(counts, Symbol.toStringTag, { value: 'Counter' });
  },
  'collections.defaultdict': (c, node) => c.dict(node, node.entries),
  'torch._utils._rebuild_tensor': (c, { args }) => rebuild(c, args, 4),
  'torch._utils._rebuild_tensor_v2': (c, { args }) =>
    requiring(c, rebuild(c, args, 7, undefined, args.items[6]), args.items[4]),
  'torch._utils._rebuild_tensor_v3': (c, { args }) =>
    requiring(c, rebuild(c, args, 8, args.items[6], args.items[7]), args.items[4]),
  'torch._utils._rebuild_parameter': parameter,
  'torch._utils._rebuild_parameter_with_state': parameter,
  /** A tensor with Python attributes, or a buffer: the tensor alone. */
  'torch._tensor._rebuild_from_type_v2': (c, { args }) => {
    const [callee, type, inner, state] = args.items;
    if (!(callee instanceof GlobalNode) || !(inner instanceof TupleNode))
      throw c.fault('a tensor is malformed');
    const name = type instanceof GlobalNode ? type.name : 'no class';
    const tensor = new ObjectNode(callee, inner);
    if (plainTensors.has(name)) return c.tensor(tensor);
    // Of a class that gives it a meaning: for the caller to make.
    const object = new ObjectNode(new GlobalNode(name), new TupleNode([tensor]));
    object.state = state;
    return c.convert(object);
  },
  'torch.Size': (c, { args }) => c.tuple(c.numbers(args.items[0] ?? new TupleNode([]))),
  'torch.device': (c, { args }) => {
    const [type, index] = args.items;
    if (typeof type !== 'string') throw c.fault('a device has no name');
    const name = typeof index === 'number' && index >= 0 ? `${type}:${index}` : type;
    try {
      return Device.from(name);
    } catch {
      throw c.fault(`${quote(name)} is no device`);
    }
  },
  'torch.serialization._get_layout': (c, { args }) => c.convert(args.items[0] ?? null),
  'builtins.set': set,
  'builtins.frozenset': set,
  'builtins.list': list,
  'builtins.tuple': (c, node) => c.tuple(list(c, node) as unknown[]),
  'builtins.dict': (c, node) => c.dict(node, [...flatten(c, node.args.items[0]), ...node.entries]),
  'builtins.bytearray': bytearray,
  'builtins.bytes': bytearray,
  '_codecs.encode': encoded,
  'numpy.dtype': (c, node) => elementType(c, node).dtype,
  'numpy.core.multiarray._reconstruct': reconstruct,
  'numpy._core.multiarray._reconstruct': reconstruct,
  'numpy.core.numeric._frombuffer': fromBuffer,
  'numpy._core.numeric._frombuffer': fromBuffer,
  'numpy.core.multiarray.scalar': numpyScalar,
  'numpy._core.multiarray.scalar': numpyScalar,
};
