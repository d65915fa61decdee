/** The functions of `torch.masked`: reductions and normalizations of the elements that a mask selects. */
export type { MaskedReduceOptions, MaskOptions } from './mask.js';
export * from './reductions.js';
export * from './rows.js';
