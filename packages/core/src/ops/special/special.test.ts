import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../index.js';
import * as special from './index.js';

/** Computed at 30 digits. */
const values: readonly (readonly [name: string, x: readonly number[], f: readonly number[]])[] = [
  [
    'besselJ0',
    [-3.5, 0.1, 7.9, 8.5, 50],
    [
      -0.3801277399872634, 0.99750156206604, 0.19436184484127825, 0.041939251842934504,
      0.055812327669251816,
    ],
  ],
  [
    'besselJ1',
    [-9.5, 0.1, 3.8, 30],
    [-0.16126443075752986, 0.049937526036242, 0.0128210029267317, -0.11875106261662294],
  ],
  [
    'besselY0',
    [0.1, 3, 9, 40],
    [-1.5342386513503667, 0.3768500100127904, 0.24993669828502468, 0.12593641705826092],
  ],
  [
    'besselY1',
    [0.1, 3, 9, 40],
    [-6.4589510947020266, 0.3246744247918, 0.10431457519671589, -0.005793505821549633],
  ],
  ['sphericalBesselJ0', [0.01, 5], [0.9999833334166665, -0.1917848549326277]],
  [
    'modifiedBesselK0',
    [0.01, 1.5, 2.5, 30],
    [4.721244730161095, 0.21380556264752573, 0.06234755320036619, 2.1324774964630563e-14],
  ],
  [
    'modifiedBesselK1',
    [0.01, 1.5, 2.5, 30],
    [99.97389411829624, 0.2773878004568438, 0.07389081634774707, 2.1677320018915495e-14],
  ],
  [
    'scaledModifiedBesselK0',
    [0.01, 1.5, 2.5, 300],
    [4.768694028544462, 0.9582100532948965, 0.7595486903280996, 0.0723300317396073],
  ],
  [
    'scaledModifiedBesselK1',
    [0.01, 1.5, 2.5, 300],
    [100.97864845824004, 1.243165873552553, 0.900174423907878, 0.07245048166725841],
  ],
  ['i0e', [-3, 20, 800], [0.2430003541618254, 0.08978031188482602, 0.014106945005869185]],
  ['i1e', [-3, 20, 800], [-0.19682671329730086, 0.08750622218328867, 0.014098125406526997]],
  [
    'airyAi',
    [-20, -5.5, -2.1, -1, 0.5, 2.5, 10],
    [
      -0.1764061270779847, 0.017781541276574976, 0.16348451299929267, 0.5355608832923521,
      0.23169360648083348, 0.01572592338047049, 1.1047532552898686e-10,
    ],
  ],
  [
    'erfcx',
    [-2, 0.1, 3, 30],
    [108.94090438997797, 0.8964569799691267, 0.17900115118138996, 0.01879588886141675],
  ],
  ['ndtr', [-9, -0.5, 2], [1.1285884059538405e-19, 0.3085375387259869, 0.9772498680518208]],
  [
    'logNdtr',
    [-30, -2, 0.5, 3],
    [-454.3212439563432, -3.783184333682032, -0.3689464152886564, -0.0013508099647481938],
  ],
  [
    'ndtri',
    [1e-200, 1e-20, 0.01, 0.3],
    [-30.20559417957964, -9.262340089798407, -2.326347874040841, -0.5244005127080408],
  ],
  ['entr', [0.5, 2], [0.34657359027997264, -1.3862943611198906]],
];

const unary = special as unknown as Record<string, (x: Tensor) => Tensor>;
const float64 = (x: readonly number[]) => tensor([...x], { dtype: 'float64' });

/** Asserts that every element is right to a relative error. */
function near(actual: Tensor, expected: readonly number[], error: number): void {
  const found = actual.toArraySync() as number[];
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(error * Math.abs(value));
  });
}

describe.each(values)('%s', (name, x, f) => {
  test('in float64', () => near((unary[name] as (x: Tensor) => Tensor)(float64(x)), f, 2e-13));
});

test('ends of the domains', () => {
  const x = float64([-1, 0, Infinity]);
  expect(special.modifiedBesselK0(x).toArraySync()).toEqual([Number.NaN, Infinity, 0]);
  expect(special.besselY0(float64([-1, 0])).toArraySync()).toEqual([Number.NaN, -Infinity]);
  expect(special.entr(float64([-1, 0, Number.NaN])).toArraySync()).toEqual([
    -Infinity,
    0,
    Number.NaN,
  ]);
  expect(special.ndtri(float64([-0.5, 0, 0.5, 1])).toArraySync()).toEqual([
    Number.NaN,
    -Infinity,
    0,
    Infinity,
  ]);
  expect(special.xlog1py(float64([0, 0]), float64([-1, Number.NaN])).toArraySync()).toEqual([
    0,
    Number.NaN,
  ]);
});

test('zeta right and left of zero', () => {
  near(special.zeta(2.5, float64([0.3, 3])), [21.069239202247726, 0.1647105619542803], 1e-13);
  near(special.zeta(3, float64([-2.25])), [-61.94847488703008], 1e-13);
  expect(special.zeta(float64([1, 0.5, 2, 2.5]), float64([2, 2, -3, -0.5])).toArraySync()).toEqual([
    Infinity,
    Number.NaN,
    Infinity,
    Number.NaN,
  ]);
});

test('incomplete gamma functions by series, fraction and quadrature', () => {
  const a = float64([0.5, 3, 50, 90, 500, 500, 2000]);
  const x = float64([0.2, 7, 40, 110, 480, 600, 2000]);
  const lower = [
    0.4729107431344619, 0.9703638361194782, 0.07033506665939496, 0.977471620185172,
    0.1862819731903246, 0.9999877440576693, 0.5029735484442025,
  ];
  const upper = [
    0.5270892568655381, 0.029636163880521777, 0.9296649333406051, 0.022528379814828,
    0.8137180268096754, 1.2255942330622905e-5, 0.49702645155579744,
  ];
  near(special.gammainc(a, x), lower, 1e-11);
  near(special.gammaincc(a, x), upper, 1e-11);
  // Rests too small for a number, on both sides.
  const large = tensor([2000, 2000]);
  expect(special.gammainc(large, tensor([1000, 3000])).toArraySync()).toEqual([0, 1]);
  expect(special.gammaincc(large, tensor([1000, 3000])).toArraySync()).toEqual([1, 0]);
  const huge = tensor([1e20]);
  near(special.gammainc(huge, huge), [0.5], 1e-6);
  near(special.gammaincc(huge, huge), [0.5], 1e-6);
  // Some limits are there whatever the other operand is, as in PyTorch.
  const [inf, nan] = [Infinity, Number.NaN];
  const [p, q] = [tensor([inf, nan, nan, 0, inf]), tensor([nan, inf, 0, nan, inf])];
  expect(special.gammainc(p, q).toArraySync()).toEqual([0, 1, 0, nan, nan]);
  expect(special.gammaincc(p, q).toArraySync()).toEqual([1, 0, 1, nan, nan]);
  expect(() => special.gammainc(2 as never, q)).toThrow(TypeError);
});

test('zeta left of zero, up to infinity', () => {
  const q = tensor([-Infinity, -2, -0.5]);
  expect((special.zeta(2, q).toArraySync() as number[]).slice(0, 2)).toEqual([Infinity, Infinity]);
  expect((special.zeta(2.5, q).toArraySync() as number[])[2]).toBeNaN();
  const far = tensor([-1001.2, -1001.8]);
  expect(special.zeta(501, far).toArraySync()).toEqual([-Infinity, Infinity]);
});

test('polynomials are 0 where the degree is no number', () => {
  const degrees = tensor([Number.NaN, Infinity, -Infinity, -1]);
  for (const f of [
    special.chebyshevPolynomialU,
    special.shiftedChebyshevPolynomialT,
    special.laguerrePolynomialL,
  ]) {
    expect(f(tensor([Infinity, 2, 0.5, 2]), degrees).toArraySync()).toEqual([0, 0, 0, 0]);
  }
});

test('Chebyshev polynomials, by recurrence and closed forms', () => {
  const x = float64([0.5, 1, -1, 1.5, -1.5]);
  expect(special.chebyshevPolynomialT(x, 3).toArraySync()).toEqual([-1, 1, -1, 9, -9]);
  expect(special.chebyshevPolynomialU(x, 2).toArraySync()).toEqual([0, 3, 3, 8, 8]);
  near(special.chebyshevPolynomialV(x, 1), [0, 1, -3, 2, -4], 1e-15);
  near(special.chebyshevPolynomialW(x, 1), [2, 3, -1, 4, -2], 1e-15);
  near(special.shiftedChebyshevPolynomialT(float64([0.75]), 2), [-0.5], 1e-15);
  // T20(x) = 2 T10(x)² - 1 compares the hyperbolic form with the recurrence, and likewise at V and W left of -1.
  const ten = special.chebyshevPolynomialT(x, 10).toArraySync() as number[];
  near(
    special.chebyshevPolynomialT(x, 20),
    ten.map((t) => 2 * t * t - 1),
    1e-12,
  );
  const right = special.chebyshevPolynomialV(float64([1.1]), 19).toArraySync() as number[];
  near(special.chebyshevPolynomialW(float64([-1.1]), 19), [-(right[0] as number)], 1e-12);
});

test('polynomials by recurrence, with a degree for each element', () => {
  near(special.hermitePolynomialH(float64([1.5]), 5), [-117], 1e-14);
  near(special.hermitePolynomialHe(float64([2]), 4), [-5], 1e-14);
  near(special.laguerrePolynomialL(float64([2.5]), 4), [0.9609375], 1e-14);
  near(special.legendrePolynomialP(float64([0.3]), 70), [0.0849229012742585], 1e-12);
  const degrees = float64([-1, 0, 1.9, 3]);
  expect(special.legendrePolynomialP(float64([0.5]), degrees).toArraySync()).toEqual([
    0, 1, 0.5, -0.4375,
  ]);
});

test('multigammaln', () => {
  // ln(π^(1/2) Γ(3) Γ(5/2))
  const value = Math.log(Math.sqrt(Math.PI) * 2 * 0.75 * Math.sqrt(Math.PI));
  near(special.multigammaln(float64([3]), 2), [value], 1e-14);
  expect(() => special.multigammaln(float64([3]), 0)).toThrow(/p has to be greater/);
});
