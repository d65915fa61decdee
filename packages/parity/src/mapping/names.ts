/** PyTorch's name as TypeScript writes it: `log_softmax` becomes `logSoftmax`, `add_` stays. */
export const camelCase = (name: string): string =>
  name.replace(/(?<=[A-Za-z0-9])_([A-Za-z0-9])/g, (_, c: string) => c.toUpperCase());

const dtypeNames: Record<string, string> = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  int: 'int32',
  long: 'int64',
  short: 'int16',
};

const dtypes = new Set(
  'float32 float64 float16 bfloat16 int8 uint8 int16 int32 int64 bool'.split(' '),
);

/** The dtype that `torch.name` is, if it is one. */
export function dtypeNamed(name: string): string | undefined {
  const dtype = dtypeNames[name] ?? name;
  return dtypes.has(dtype) ? dtype : undefined;
}
