export {
  getPrintOptions,
  type PrintOptions,
  type PrintProfile,
  type ResolvedPrintOptions,
  setPrintOptions,
} from './print-options.js';
export { floatRepr, formatExponent, formatFixed, intRepr } from './python-number.js';
export {
  formatDevice,
  formatDtype,
  formatSize,
  formatTuple,
  type PythonReprOptions,
  type PythonValue,
  pythonRepr,
} from './python-repr.js';
export { formatTensor, type PrintableElement, type PrintableTensor } from './tensor-format.js';
