import { takes } from '../arguments.js';
import { signatures } from '../signatures.js';

/**
 * Named sets of options: `default` (the built-in ones), `short` (2 digits, 2 edge items), `full`
 * (never summarised).
 */
export type PrintProfile = 'default' | 'short' | 'full';

/**
 * How tensors are printed; every field is optional where options are given.
 *
 * Source: https://pytorch.org/docs/1.13/generated/torch.set_printoptions.html
 */
export interface PrintOptions {
  /** Digits after the point of floating-point elements. Default 4. */
  readonly precision?: number;
  /** Tensors with more elements than this are summarised with `...`. Default 1000. */
  readonly threshold?: number;
  /** Elements shown at each end of a summarised dimension. Default 3. */
  readonly edgeItems?: number;
  /** Characters per line before it is broken. Default 80. */
  readonly lineWidth?: number;
  /** A named set of options, applied before the fields given beside it. */
  readonly profile?: PrintProfile;
  /** Scientific notation on or off; `null` (the default) lets the values decide. */
  readonly sciMode?: boolean | null;
}

/** Print options with every field decided. */
export interface ResolvedPrintOptions {
  readonly precision: number;
  readonly threshold: number;
  readonly edgeItems: number;
  readonly lineWidth: number;
  readonly sciMode: boolean | null;
}

const DEFAULTS: ResolvedPrintOptions = {
  precision: 4,
  threshold: 1000,
  edgeItems: 3,
  lineWidth: 80,
  sciMode: null,
};

// A profile leaves `sciMode` as it is, as in PyTorch.
const PROFILES: Readonly<Record<PrintProfile, Omit<ResolvedPrintOptions, 'sciMode'>>> = {
  default: { precision: 4, threshold: 1000, edgeItems: 3, lineWidth: 80 },
  short: { precision: 2, threshold: 1000, edgeItems: 2, lineWidth: 80 },
  full: { precision: 4, threshold: Number.POSITIVE_INFINITY, edgeItems: 3, lineWidth: 80 },
};

let current: ResolvedPrintOptions = DEFAULTS;

function requireCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0) {
    throw new RangeError(
      `print options: ${name} must be a whole number of 0 or more, got ${value}`,
    );
  }
}

/**
 * Lays options over a base; a field that is absent keeps the base's value.
 *
 * @throws RangeError for a value that no text can be laid out with, or an unknown profile.
 */
export function resolvePrintOptions(
  options: PrintOptions,
  base: ResolvedPrintOptions = current,
): ResolvedPrintOptions {
  const { profile } = options;
  if (profile !== undefined && !Object.hasOwn(PROFILES, profile)) {
    const known = Object.keys(PROFILES).join(', ');
    throw new RangeError(`print options: unknown profile '${profile}'; the profiles are ${known}`);
  }
  const start = profile === undefined ? base : { ...PROFILES[profile], sciMode: base.sciMode };
  const resolved: ResolvedPrintOptions = {
    precision: options.precision ?? start.precision,
    threshold: options.threshold ?? start.threshold,
    edgeItems: options.edgeItems ?? start.edgeItems,
    lineWidth: options.lineWidth ?? start.lineWidth,
    sciMode: options.sciMode === undefined ? start.sciMode : options.sciMode,
  };
  requireCount('precision', resolved.precision);
  requireCount('edgeItems', resolved.edgeItems);
  if (Number.isNaN(resolved.threshold)) {
    throw new RangeError('print options: threshold is NaN; Infinity prints every element');
  }
  if (!(resolved.lineWidth > 0)) {
    throw new RangeError(
      `print options: lineWidth must be greater than 0, got ${resolved.lineWidth}; Infinity never breaks a line`,
    );
  }
  return resolved;
}

/**
 * Sets how tensors are printed from now on.
 *
 * Fields that are absent stay as they are, except `sciMode`, which falls back to automatic on every
 * call, as in PyTorch.
 *
 * Source: https://pytorch.org/docs/1.13/generated/torch.set_printoptions.html
 *
 * @throws RangeError for a negative or fractional `precision` or `edgeItems`, a `lineWidth` of 0 or
 * less, a NaN `threshold`, or an unknown `profile`.
 *
 * @example
 * setPrintOptions({ precision: 2 }); // tensor([1.1235]) now prints as tensor([1.12])
 * setPrintOptions({ profile: 'default' });
 */
export function setPrintOptions(options: PrintOptions): void {
  takes('setPrintOptions', signatures.setPrintOptions, arguments);
  current = resolvePrintOptions({ ...options, sciMode: options.sciMode ?? null });
}

/**
 * The options that tensors are printed with now.
 *
 * @example
 * getPrintOptions().precision; // 4
 */
export function getPrintOptions(): ResolvedPrintOptions {
  takes('getPrintOptions', signatures.getPrintOptions, arguments);
  return { ...current };
}
