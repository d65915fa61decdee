import { describe, expect, it } from 'vitest';
import { cos, exp, fma32, fma64, log, pow, sin, tan } from './exact-arithmetic.js';
import { Mt19937 } from './mt19937.js';

/** A finite double as an integer count of 2^-1100. */
function exact(x: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(Math.abs(x)).buffer)[0] as bigint;
  const fraction = bits & (2n ** 52n - 1n);
  const exponent = bits >> 52n;
  const magnitude = exponent === 0n ? fraction : fraction + 2n ** 52n;
  const value = magnitude << ((exponent === 0n ? 1n : exponent) - 1075n + 1100n);
  return x < 0 ? -value : value;
}

/** Whether no neighbouring double (or float32) is nearer to `value`, a count of 2^-1100 / scale. */
function isNearest(x: number, value: bigint, scale: bigint, single = false): boolean {
  const distance = (y: number): bigint => {
    const d = exact(y) * scale - value;
    return d < 0n ? -d : d;
  };
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(x))) - (single ? 23 : 52));
  return distance(x) <= distance(x + ulp) && distance(x) <= distance(x - ulp);
}

describe('fused multiply-add', () => {
  it('rounds once in float64, over wide ranges of magnitude', () => {
    const engine = new Mt19937(0n);
    const any = (): number => (engine.uniformDouble() - 0.5) * 2 ** ((engine.random() % 120) - 60);
    let different = 0;
    for (let i = 0; i < 5000; i++) {
      const [a, b, c] = [any(), any(), any()];
      const result = fma64(a, b, c);
      if (result !== a * b + c) different++;
      const value = exact(a) * exact(b) + exact(c) * 2n ** 1100n;
      expect(isNearest(result, value, 2n ** 1100n), `fma64(${a}, ${b}, ${c})`).toBe(true);
    }
    expect(different).toBeGreaterThan(100);
  });

  it('settles a tie that rounding the sum to double made up', () => {
    // The product is 2^-24 + 2^-60, just over half a unit of 1; the sum in double loses the excess.
    const above = [2 ** -12 + 2 ** -24, 2 ** -12 - 2 ** -24 + 2 ** -36] as const;
    expect(Math.fround(above[0] * above[1] + 1)).toBe(1);
    expect(fma32(...above, 1)).toBe(1 + 2 ** -23);
    // The product is 2^-24 - 2^-70; ties would go to the even neighbour above.
    const below = [2 ** -12 + 2 ** -35, 2 ** -12 - 2 ** -35] as const;
    const odd = 1 + 2 ** -23;
    expect(Math.fround(below[0] * below[1] + odd)).toBe(1 + 2 ** -22);
    expect(fma32(...below, odd)).toBe(odd);
    expect(fma32(...below, -odd)).toBe(-odd);
    // A true tie stays with the even neighbour.
    expect(fma32(2 ** -12, 2 ** -12, 1)).toBe(1);
    expect(fma32(3, 5, 0.5)).toBe(15.5);
  });

  it('handles zeros and infinities', () => {
    expect(fma64(0, 3, 2)).toBe(2);
    expect(fma64(2, 3, 0)).toBe(6);
    expect(fma64(Number.POSITIVE_INFINITY, 1, 2)).toBe(Number.POSITIVE_INFINITY);
  });
});

// The last digits of these are those of the correctly rounded values, by 40-digit arithmetic.
describe('elementary functions', () => {
  it.each([
    [log, [0.5890022579825517], -0.5293252617512233],
    [log, [0.39325509496422606], -0.9332967810838743],
    [log, [0.5396174484497788], -0.6168948192747793],
    [log, [0.1772112589385827], -1.7304127048014923],
    [sin, [5.527346461762958], -0.6858993347262116],
    [sin, [3.8703710131671376], -0.6659588024384623],
    [sin, [5.458319946479716], -0.7344564151540588],
    [sin, [1.2464417334605222], 0.9478566130474569],
    [cos, [4.699367942969883], -0.013020669470719438],
    [cos, [1.1916338234434118], 0.3701425859020932],
    [cos, [4.395112376942371], -0.31198025278982283],
    [cos, [2.515860198534572], -0.8105343445512182],
    [tan, [-0.5144191260839169], -0.5651749223063941],
    [tan, [-0.5369334647527558], -0.5952688682667577],
    [tan, [1.1452411624694334], 2.206277211322169],
    [tan, [-0.39235570813021264], -0.41381133240750306],
    [exp, [-1.1010984387379974], 0.33250564594722115],
    [exp, [-8.796815357955957], 0.00015121387115918256],
    [exp, [-7.2312195672327935], 0.0007236377998326727],
    [exp, [-7.915897708159232], 0.0003648961708918181],
    [pow, [0.6892898667721538, 2.673796484771267], 0.3697596799364475],
    [pow, [0.4222396978816403, 4.271192084792692], 0.025158852557092656],
    [pow, [0.47366639327205384, 6.342243470371511], 0.008745165689703979],
    [pow, [0.5207419360573978, 5.528540813600069], 0.02712290612775099],
  ] as [(...x: number[]) => number, number[], number][])('%o of %j is %d', (f, x, expected) => {
    expect(f(...x)).toBe(expected);
  });

  it('agree with the engine to the last two bits everywhere', () => {
    const engine = new Mt19937(5n);
    const close = (a: number, b: number): void =>
      expect(Math.abs(a - b)).toBeLessThanOrEqual(4e-16 * Math.max(Math.abs(b), 1e-300));
    for (let i = 0; i < 2000; i++) {
      const u = engine.uniformDouble();
      close(log(1 - u), Math.log(1 - u));
      close(log(u * 1e200), Math.log(u * 1e200));
      close(exp(1300 * (u - 0.5)), Math.exp(1300 * (u - 0.5)));
      for (const x of [6.3 * u, -900 * u]) {
        expect(Math.abs(sin(x) - Math.sin(x))).toBeLessThan(2.3e-16);
        expect(Math.abs(cos(x) - Math.cos(x))).toBeLessThan(2.3e-16);
      }
    }
  });

  it('take what lies outside from the engine', () => {
    expect(log(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(log(-1)).toBeNaN();
    expect(log(5e-324)).toBe(Math.log(5e-324));
    expect(exp(1000)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(-1000)).toBe(0);
    expect(pow(0.5, 2000)).toBe(0);
    expect(log(1)).toBe(0);
    expect(sin(0)).toBe(0);
    expect(exp(0)).toBe(1);
  });
});
