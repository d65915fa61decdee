import type { DType } from '@sconce/core';

/** PyTorch's storage classes by dtype. */
export const storageClass: Readonly<Record<DType, string>> = {
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  int16: 'ShortStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
  bool: 'BoolStorage',
};

/** Storage classes whose dtypes we have not: allowed to be named, so that the error can say so. */
const foreign = [
  'ComplexFloatStorage',
  'ComplexDoubleStorage',
  'QInt8Storage',
  'QUInt8Storage',
  'QInt32Storage',
  'QUInt4x2Storage',
  'QUInt2x4Storage',
];

/** The dtype of a storage class; null for one without, undefined for what is no storage class. */
const classes = new Map<string, DType | null | undefined>();
for (const [dtype, name] of Object.entries(storageClass)) {
  for (const module of ['torch', 'torch.cuda']) classes.set(`${module}.${name}`, dtype as DType);
}
for (const name of foreign) classes.set(`torch.${name}`, null);

/** Names of storages of bytes, whose dtype the tensor tells. */
export const untyped: ReadonlySet<string> = new Set([
  'torch.UntypedStorage',
  'torch.storage.UntypedStorage',
  'torch._UntypedStorage',
  'torch.storage._UntypedStorage',
]);

/** Whether a name is that of a storage class. */
export const isStorageClass = (name: string): boolean => classes.has(name) || untyped.has(name);

/** The dtype of a storage class, if we have it. */
export const dtypeOfStorage = (name: string): DType | undefined => classes.get(name) ?? undefined;

const aliases: Readonly<Record<string, DType>> = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  short: 'int16',
  int: 'int32',
  long: 'int64',
};

/** PyTorch's dtypes by name, as `torch.float32`; null for those we have not. */
export const torchDtypes: ReadonlyMap<string, DType | null> = new Map([
  ...Object.keys(storageClass).map((dtype) => [`torch.${dtype}`, dtype as DType] as const),
  ...Object.entries(aliases).map(([name, dtype]) => [`torch.${name}`, dtype] as const),
  ...[
    'complex32',
    'complex64',
    'complex128',
    'qint8',
    'quint8',
    'qint32',
    'uint16',
    'uint32',
    'uint64',
    'float8_e4m3fn',
    'float8_e5m2',
  ].map((name) => [`torch.${name}`, null] as const),
]);
