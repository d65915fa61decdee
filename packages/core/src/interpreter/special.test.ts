import { describe, expect, it } from 'vitest';
import { digamma, erf, erfc, erfinv, lgamma } from './special.js';

const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

/** Values to the last digit of a double, computed with 50 digits (mpmath). */
const right: Record<string, [(x: number) => number, [number, number][]]> = {
  erf: [
    erf,
    [
      [1e-10, 1.1283791670955126e-10],
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [1.5, 0.9661051464753108],
      [1.99, 0.995111413199617],
      [2.5, 0.999593047982555],
      [4, 0.9999999845827421],
      [-0.75, -0.7111556336535151],
    ],
  ],
  erfc: [
    erfc,
    [
      [-3, 1.9999779095030015],
      [0.25, 0.7236736098317631],
      [0.99, 0.1614919304446302],
      [1, 0.15729920705028513],
      [2, 0.004677734981047266],
      [5, 1.537459794428035e-12],
      [10, 2.088487583762545e-45],
      [26, 5.663192408856143e-296],
    ],
  ],
  erfinv: [
    erfinv,
    [
      [1e-9, 8.86226925452758e-10],
      [1e-4, 8.862269277728948e-5],
      [0.25, 0.2253120550121781],
      [0.5, 0.4769362762044699],
      [0.9, 1.1630871536766743],
      [0.999999, 3.458910737275499],
      [-0.7, -0.7328690779592167],
      [0.9999999999999, 5.261483331372676],
    ],
  ],
  lgamma: [
    lgamma,
    [
      [1e-5, 11.512919692895826],
      [0.25, 1.2880225246980774],
      [0.5, 0.5723649429247001],
      [0.75, 0.20328095143129538],
      [1.5, -0.12078223763524522],
      [2.25, 0.1248717148923966],
      [3.5, 1.2009736023470743],
      [11.5, 16.292000476567242],
      [20, 39.339884187199495],
      [1e5, 1051287.7089736569],
      [-0.25, 1.589575312551186],
      [-0.5, 1.2655121234846454],
      [-1.5, 0.860047015376481],
      [-10.25, -14.20399790093109],
      // The zeros at 1 and 2 are accurate in relative terms.
      [1 + 2 ** -30, -5.375739784311044e-10],
      [2 + 2 ** -30, 3.937485957506932e-10],
    ],
  ],
  digamma: [
    digamma,
    [
      [1e-5, -100000.57719921567],
      [0.25, -4.2274535333762655],
      [0.5, -1.9635100260214235],
      [1, -0.5772156649015329],
      [1.5, 0.03648997397857652],
      [2, 0.42278433509846713],
      [5, 1.5061176684318005],
      [11.5, 2.3982391295357814],
      [1e5, 11.512920464961896],
      [-0.25, 2.9141391202135276],
      [-0.75, -2.894120200042932],
      [-10.25, 5.516858419886273],
    ],
  ],
};

describe('special functions in double precision', () => {
  for (const [name, [f, rows]] of Object.entries(right)) {
    it.each(rows)(`${name}(%d) = %d`, (x, expected) => {
      // digamma has an irrational zero near 1.46, around which its error is absolute.
      const size = name === 'digamma' ? Math.max(Math.abs(expected), 1) : Math.abs(expected);
      expect(Math.abs(f(x) - expected) / size).toBeLessThan(1.5e-15);
    });
  }

  it('at the ends', () => {
    expect([0, -0, inf, -inf, nan].map(erf)).toEqual([0, -0, 1, -1, nan]);
    expect([0, inf, -inf, nan, 30].map(erfc)).toEqual([1, 0, 2, nan, 0]);
    expect([0, -0, 1, -1, 1.1, nan].map(erfinv)).toEqual([0, -0, inf, -inf, nan, nan]);
    expect([0, -0, -1, -2, inf, -inf, nan].map(lgamma)).toEqual([
      inf,
      inf,
      inf,
      inf,
      inf,
      inf,
      nan,
    ]);
    expect([1, 2].map(lgamma)).toEqual([0, 0]);
    expect([0, -0, -1, inf, -inf, nan].map(digamma)).toEqual([-inf, inf, nan, inf, nan, nan]);
  });
});
