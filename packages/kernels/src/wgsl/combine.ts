import type { Combiner, ComputeType, ScanPrimitive } from '@sconce/core';
import { wgslType } from './expression.js';

/** How values of one type are combined, as WGSL. */
export interface Combination {
  readonly type: 'f32' | 'i32' | 'bool';
  /** What an empty row gives. */
  readonly identity: string;
  /** For `argmax` and `argmin`: the position travels with the value. */
  readonly indexed: boolean;
  combine(a: string, b: string): string;
  /** For indexed ones, whether value `b` at position `j` beats value `a` at position `i`. */
  beats(a: string, i: string, b: string, j: string): string;
}

/** Renders a combiner for values of a compute type. */
export function combination(
  combine: Combiner | ScanPrimitive['combine'],
  dtype: ComputeType,
  functions: Set<string>,
): Combination {
  const type = wgslType(dtype);
  const float = type === 'f32';
  const call = (name: string) => (a: string, b: string) => {
    functions.add(name);
    return `f_${name}(${a},${b})`;
  };
  const beats = (): string => {
    throw new TypeError('not an indexed combiner');
  };
  const plain = (identity: string, combined: Combination['combine']): Combination => ({
    type,
    identity,
    indexed: false,
    combine: combined,
    beats,
  });
  const infinity = (): string => {
    functions.add('inf');
    return 'f_inf()';
  };
  const least = () => (float ? `-${infinity()}` : type === 'bool' ? 'false' : 'i32(-2147483648)');
  const greatest = () => (float ? infinity() : type === 'bool' ? 'true' : '2147483647');
  switch (combine) {
    case 'sum':
      if (type === 'bool') return plain('false', (a, b) => `(${a}||${b})`);
      return plain(float ? '0f' : '0', (a, b) => `(${a}+${b})`);
    case 'prod':
      if (type === 'bool') return plain('true', (a, b) => `(${a}&&${b})`);
      return plain(float ? '1f' : '1', (a, b) => `(${a}*${b})`);
    case 'max':
      if (type === 'bool') return plain('false', (a, b) => `(${a}||${b})`);
      return plain(least(), float ? call('max') : (a, b) => `max(${a},${b})`);
    case 'min':
      if (type === 'bool') return plain('true', (a, b) => `(${a}&&${b})`);
      return plain(greatest(), float ? call('min') : (a, b) => `min(${a},${b})`);
    case 'logaddexp':
      functions.add('logaddexp');
      return plain(`-${infinity()}`, call('logaddexp'));
    case 'argmax':
    case 'argmin': {
      const sign = combine === 'argmax' ? '>' : '<';
      return {
        type,
        identity: combine === 'argmax' ? least() : greatest(),
        indexed: true,
        combine: beats,
        beats: (a, i, b, j) => {
          if (type === 'bool') {
            const better = combine === 'argmax' ? `(${b}&&!${a})` : `(${a}&&!${b})`;
            return `(${better}||(${a}==${b}&&${j}<${i}))`;
          }
          if (!float) return `(${b}${sign}${a}||(${a}==${b}&&${j}<${i}))`;
          for (const name of ['isnan', 'lt', 'eq']) functions.add(name);
          const [na, nb] = [`f_isnan(${a})`, `f_isnan(${b})`];
          const better = combine === 'argmax' ? `f_lt(${a},${b})` : `f_lt(${b},${a})`;
          return `((${nb}&&!${na})||${better}||((f_eq(${a},${b})||(${na}&&${nb}))&&${j}<${i}))`;
        },
      };
    }
  }
}
