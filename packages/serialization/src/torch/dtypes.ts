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

/** Storage classes whose dtypes we have not, with the bytes of an element: allowed to be named, so that the error can say so. */
const foreign: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
};

/** The dtype of a storage class; null for one without, undefined for what is no storage class. */
const classes = new Map<string, DType | null | undefined>();
for (const [dtype, name] of Object.entries(storageClass)) {
  for (const module of ['torch', 'torch.cuda']) classes.set(`${module}.${name}`, dtype as DType);
}
for (const name of Object.keys(foreign)) {
  for (const module of ['torch', 'torch.cuda']) classes.set(`${module}.${name}`, null);
}

/** The bytes of an element of a storage class that we have not. */
export const foreignSize = (name: string): number => foreign[name.split('.').at(-1) ?? ''] ?? 1;

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

/** Dtypes of PyTorch that we have not, and what to make of their tensors in Python. */
const foreignDtypes: readonly [RegExp, string][] = [
  [/^uint16$/, 'x.to(torch.int32)'],
  [/^uint(32|64)$/, 'x.to(torch.int64)'],
  [/^(float8|float4)_\w+$/, 'x.to(torch.float32)'],
  [/^(complex\d+|c(half|float|double))$/, 'torch.view_as_real(x)'],
  [/^(qu?int\d+(x\d+)?)$/, 'x.dequantize()'],
  [/^(u?int[1-7]|bits\w+)$/, 'x.view(torch.uint8)'],
];

/** Of a dtype of PyTorch that we have not, as `torch.uint16`: what to make of its tensors in Python; undefined for other names. */
export function foreignDtype(name: string): string | undefined {
  const own = /^torch\.(\w+)$/.exec(name)?.[1];
  return own === undefined ? undefined : foreignDtypes.find(([pattern]) => pattern.test(own))?.[1];
}

/** Of a storage class that we have not: what to make of its tensors in Python. */
export const wayOfStorage = (name: string): string =>
  name.includes('Complex') ? 'torch.view_as_real(x)' : 'x.dequantize()';

/** PyTorch's dtypes by name, as `torch.float32`. */
export const torchDtypes: ReadonlyMap<string, DType> = new Map([
  ...Object.keys(storageClass).map((dtype) => [`torch.${dtype}`, dtype as DType] as const),
  ...Object.entries(aliases).map(([name, dtype]) => [`torch.${name}`, dtype] as const),
]);
