import {
  arange,
  Generator,
  manualSeed,
  rand,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@sconce/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { transforms as T } from '../index.js';

const F = T.functional;
const image = arange(90).reshape(3, 5, 6).mul(7).remainder(256).to('uint8');
const floats = image.to('float32').div(255);
let colours: Tensor;
let bytes: Tensor;

beforeEach(() => {
  manualSeed(5);
  colours = rand([3, 2, 3]);
  bytes = colours.mul(255).to('uint8');
});

function near(t: Tensor, shape: readonly number[], expected: readonly number[]): void {
  expect(t.shape).toEqual(shape);
  const values = Array.from(t.toTypedArraySync(), Number);
  expect(values).toHaveLength(expected.length);
  for (const [i, x] of values.entries()) expect(x).toBeCloseTo(expected[i] as number, 5);
}

// Printed by PyTorch 1.13 (`interpolate(antialias=True)`, and the formulas of torchvision written out in it).
const AA_DOWN = [
  0.080882, 0.11939, 0.159041, 0.197549, 0.339706, 0.378214, 0.417865, 0.456373, 0.598529, 0.637037,
  0.676688, 0.715196, 0.743067, 0.512667, 0.552319, 0.590826, 0.298747, 0.197821, 0.237473, 0.27598,
  0.418137, 0.456645, 0.496296, 0.534804, 0.72402, 0.762527, 0.802179, 0.840686, 0.759749, 0.426434,
  0.280174, 0.318682, 0.237745, 0.276253, 0.315904, 0.354412,
];
const AA_UP = [
  0.010294, 0.048802, 0.088453, 0.126961, 0.104412, 0.142919, 0.182571, 0.221078, 0.222059,
  0.260566, 0.300218, 0.338726, 0.339706, 0.378214, 0.417865, 0.456373, 0.457353, 0.495861,
  0.535512, 0.57402, 0.575, 0.613508, 0.653159, 0.691667, 0.669118, 0.707625, 0.747277, 0.785784,
];
const BICUBIC_AA = [
  0.066187, 0.105195, 0.148621, 0.187629, 0.337318, 0.376327, 0.419752, 0.45876, 0.608449, 0.647458,
  0.690883, 0.729891,
];
const BIL_NOAA = [
  0.061765, 0.102941, 0.144118, 0.185294, 0.336274, 0.377451, 0.418627, 0.459804, 0.610784,
  0.651961, 0.693137, 0.734314,
];
const ROT_NEAREST = [
  0.0, 0.054902, 0.082353, 0.27451, 0.301961, 0.0, 0.027451, 0.054902, 0.247059, 0.247059, 0.439216,
  0.466667, 0.164706, 0.192157, 0.384314, 0.411765, 0.603922, 0.631373, 0.329412, 0.356863, 0.54902,
  0.54902, 0.741176, 0.768627, 0.0, 0.494118, 0.521569, 0.713726, 0.741176, 0.0,
];
const ROT_BIL = [
  0.225806, 0.052656, 0.206347, 0.34791, 0.49155, 0.5, 0.21084, 0.166442, 0.143094, 0.119747,
  0.110043, 0.222206, 0.355127, 0.331779, 0.308432, 0.285084, 0.261737, 0.238389, 0.520464,
  0.497117, 0.473769, 0.450422, 0.427074, 0.349058, 0.65111, 0.662454, 0.639107, 0.615759, 0.592412,
  0.38723, 0.38835, 0.728054, 0.425837, 0.260426, 0.246025, 0.25, 0.673689, 0.265778, 0.392297,
  0.670835, 0.878643, 0.509341, 0.174735, 0.151387, 0.12804, 0.104692, 0.157253, 0.43579, 0.340072,
  0.316725, 0.293377, 0.270029, 0.246682, 0.184929, 0.47434, 0.482062, 0.458715, 0.435367, 0.412019,
  0.213763, 0.650249, 0.636374, 0.643085, 0.753978, 0.983257, 1.0, 0.764362, 0.809579, 0.786232,
  0.762884, 0.730673, 0.675898, 0.870554, 0.869363, 0.423707, 0.702245, 0.904874, 0.881526, 0.15968,
  0.262556, 0.112985, 0.089637, 0.188663, 0.506844, 0.332214, 0.30167, 0.278322, 0.254975, 0.231627,
  0.583787,
];
const ROT_EXPAND = [
  0.0, 0.0, 0.0, 0.0, 0.01927, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.042251, 0.135908, 0.104357, 0.0, 0.0,
  0.0, 0.0, 0.036457, 0.117536, 0.244435, 0.371335, 0.143371, 0.0, 0.0, 0.02113, 0.099163, 0.226063,
  0.352962, 0.479862, 0.570133, 0.125184, 0.0, 0.08079, 0.20769, 0.334589, 0.461489, 0.588389,
  0.715288, 0.489057, 0.014971, 0.179853, 0.316217, 0.443116, 0.570016, 0.696916, 0.478, 0.0, 0.0,
  0.094906, 0.424744, 0.551643, 0.678543, 0.364551, 0.0, 0.0, 0.0, 0.0, 0.232042, 0.66017, 0.260635,
  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.092496, 0.0, 0.0, 0.0, 0.0,
];
const BRIGHT = [
  1.0, 0.176555, 1.0, 1.0, 1.0, 0.163303, 0.230148, 1.0, 0.04657, 1.0, 0.849, 0.7904, 0.101377,
  0.923075, 1.0, 0.811059, 1.0, 0.910222,
];
const CONTRAST8 = [
  183.0, 75.0, 195.0, 181.0, 196.0, 73.0, 81.0, 169.0, 61.0, 208.0, 148.0, 142.0, 67.0, 157.0,
  165.0, 144.0, 206.0, 155.0,
];
const SAT = [
  1.0, 0.0, 1.0, 0.767582, 1.0, 0.0, 0.032425, 0.87225, 0.0, 1.0, 0.510956, 0.6515, 0.0, 0.738664,
  0.954914, 0.358563, 1.0, 0.796999,
];
const SAT8 = [
  125.0, 106.0, 135.0, 221.0, 201.0, 86.0, 74.0, 153.0, 68.0, 234.0, 177.0, 120.0, 67.0, 147.0,
  120.0, 203.0, 206.0, 127.0,
];
const HUE = [
  0.450293, 0.280018, 0.90747, 0.579328, 0.980927, 0.404968, 0.830252, 0.126111, 0.557927, 0.994185,
  0.687914, 0.116645, 0.072412, 0.737919, 0.033265, 0.911231, 0.606429, 0.650159,
];
const HUE8 = [
  18.0, 188.0, 8.0, 253.0, 154.0, 165.0, 72.0, 106.0, 231.0, 147.0, 250.0, 133.0, 211.0, 32.0,
  191.0, 252.0, 196.0, 29.0,
];
const GRAY8 = [89.0, 139.0, 94.0, 227.0, 188.0, 111.0];
const JITTER = [
  0.837069, 0.262091, 0.807973, 0.915731, 0.822719, 0.251962, 0.206669, 0.771017, 0.176285,
  0.915731, 0.671291, 0.695759, 0.351741, 0.526765, 0.903482, 0.661204, 0.915731, 0.610961,
];

describe('resize', () => {
  it('averages over what becomes one pixel, as PyTorch does', () => {
    near(F.resize(floats, [3, 4]), [3, 3, 4], AA_DOWN);
    near(F.resize(floats, [7, 4]).narrow(0, 0, 1), [1, 7, 4], AA_UP);
    const bicubic = F.resize(floats, [3, 4], { interpolation: 'bicubic' });
    near(bicubic.narrow(0, 0, 1), [1, 3, 4], BICUBIC_AA);
    const plain = F.resize(floats, [3, 4], { antialias: false });
    near(plain.narrow(0, 0, 1), [1, 3, 4], BIL_NOAA);
  });

  it('rounds images of bytes, and keeps proportions', () => {
    const small = F.resize(image, [3, 4]);
    expect(small.dtype).toBe('uint8');
    near(
      small,
      [3, 3, 4],
      AA_DOWN.map((x) => Math.round(x * 255)),
    );
    expect(F.resize(image, 10).shape).toEqual([3, 10, 12]);
    expect(F.resize(image, 4, { maxSize: 5 }).shape).toEqual([3, 4, 4]);
    expect(F.resize(image, [5, 6])).toBe(image);
    expect(F.resize(image, [2, 3], { interpolation: 'nearest' }).toArraySync()).toEqual(
      image
        .indexSelect(1, tensor([0n, 2n]))
        .indexSelect(2, tensor([0n, 2n, 4n]))
        .toArraySync(),
    );
    expect(() => F.resize(image, 0)).toThrow(/expected a size as a positive integer/);
    expect(() => F.resize(image, 6, { maxSize: 6 })).toThrow(/must be strictly greater/);
  });
});

describe('rotate', () => {
  it('turns about the middle or a point, and fills', () => {
    near(F.rotate(floats, 30).narrow(0, 0, 1), [1, 5, 6], ROT_NEAREST);
    const options = { interpolation: 'bilinear', center: [1, 2], fill: [0.5, 0.25, 1] } as const;
    near(F.rotate(floats, -17.5, options), [3, 5, 6], ROT_BIL);
  });

  it('grows to hold all', () => {
    const grown = F.rotate(floats, 40, { interpolation: 'bilinear', expand: true });
    near(grown.narrow(0, 0, 1), [1, 9, 8], ROT_EXPAND);
    const sizes = [0, 45, 30, 123].map((a) => F.rotate(image, a, { expand: true }).shape);
    expect(sizes).toEqual([
      [3, 5, 6],
      [3, 9, 8],
      [3, 9, 8],
      [3, 9, 8],
    ]);
  });
});

describe('colours', () => {
  it('brightness, contrast, saturation, hue and gray', () => {
    near(F.adjustBrightness(colours, 1.4), [3, 2, 3], BRIGHT);
    near(F.adjustContrast(bytes, 0.6), [3, 2, 3], CONTRAST8);
    near(F.adjustSaturation(colours, 1.7), [3, 2, 3], SAT);
    near(F.adjustSaturation(bytes, 0.3), [3, 2, 3], SAT8);
    near(F.adjustHue(colours, 0.23), [3, 2, 3], HUE);
    near(F.adjustHue(bytes, -0.4), [3, 2, 3], HUE8);
    near(F.rgbToGrayscale(bytes), [1, 2, 3], GRAY8);
    expect(F.rgbToGrayscale(bytes, 3).shape).toEqual([3, 2, 3]);
    expect(() => F.adjustHue(colours, 0.6)).toThrow(/not in \[-0.5, 0.5\]/);
    expect(() => F.adjustContrast(colours.narrow(0, 0, 2), 1)).toThrow(/1 or 3 channels, got 2/);
  });

  it('jitters in the order and by the factors that torchvision draws', () => {
    manualSeed(7);
    const jitter = new T.ColorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 });
    near(jitter(colours), [3, 2, 3], JITTER);
    expect(rand([1]).itemSync()).toBeCloseTo(0.6297363638877869, 6);
    expect(String(jitter)).toBe(
      'ColorJitter(brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(-0.1, 0.1))',
    );
  });
});

describe('draws are those of torchvision for the same seed', () => {
  /** Rows and columns of a [2, H, W] image that holds its own positions. */
  const positions = (h: number, w: number): Tensor =>
    stack([arange(h).reshape(h, 1).expand([h, w]), arange(w).reshape(1, w).expand([h, w])]);
  /** Top, left, height, width of what is seen of one. */
  const part = (t: Tensor): number[] => {
    const [top, left] = t.amin([-2, -1]).toArraySync() as [number, number];
    const [bottom, right] = t.amax([-2, -1]).toArraySync() as [number, number];
    return [top, left, bottom - top + 1, right - left + 1];
  };

  it('crops, flips and rotations', () => {
    manualSeed(9);
    const crop = new T.RandomCrop(32);
    const crops = [0, 1, 2, 3].map(() => part(crop(positions(40, 40))));
    expect(crops).toEqual(
      [
        [1, 4],
        [0, 5],
        [5, 5],
        [7, 7],
      ].map((at) => [...at, 32, 32]),
    );
    const row = tensor([[[1, 2]]]);
    const flips = [0, 1, 2].map(
      () => new T.RandomHorizontalFlip()(row).select(-1, 0).itemSync() === 2,
    );
    const column = tensor([[[1], [2]]]);
    for (let i = 0; i < 3; i++)
      flips.push(new T.RandomVerticalFlip()(column).select(-2, 0).itemSync() === 2);
    expect(flips).toEqual([true, true, false, false, true, true]);
    const turned = new T.RandomRotation(15, { interpolation: 'bilinear' })(floats);
    near(
      turned,
      [3, 5, 6],
      Array.from(
        F.rotate(floats, 0.41701, { interpolation: 'bilinear' }).toTypedArraySync(),
        Number,
      ),
    );
  });

  it('resized crops', () => {
    manualSeed(10);
    const whole = new T.RandomResizedCrop(96, { interpolation: 'nearest' });
    const parts = [0, 1, 2, 3].map(() => part(whole(positions(32, 48).to('float32'))));
    expect(parts).toEqual([
      [2, 1, 28, 28],
      [11, 5, 21, 20],
      [1, 10, 30, 29],
      [0, 4, 29, 38],
    ]);
    // Proportions that fit no crop give the middle.
    const flat = new T.RandomResizedCrop(8, { scale: [0.9, 1], interpolation: 'nearest' });
    expect(part(flat(positions(4, 40).to('float32')))).toEqual([0, 17, 4, 5]);
    expect(rand([1]).itemSync()).toBeCloseTo(0.9314010739326477, 6);
  });

  it('erasures', () => {
    manualSeed(11);
    const erase = new T.RandomErasing({ p: 0.7, value: 1 });
    const parts = [0, 1, 2, 3].map(() => {
      const [, rows, columns] = erase(zeros([3, 20, 30]))
        .nonzero()
        .unbind(1) as [Tensor, Tensor, Tensor];
      const [top, left] = [rows.min().itemSync(), columns.min().itemSync()];
      return [top, left, rows.max().itemSync() - top + 1, columns.max().itemSync() - left + 1];
    });
    expect(parts).toEqual([
      [2, 8, 18, 6],
      [3, 1, 7, 17],
      [10, 6, 10, 17],
      [10, 25, 8, 4],
    ]);
    manualSeed(12);
    const noisy = new T.RandomErasing({ p: 0.7, value: 'random' });
    const sums = [0, 1].map(() =>
      noisy(zeros([3, 20, 30]))
        .sum()
        .itemSync(),
    );
    expect(sums[0]).toBeCloseTo(-8.8103, 3);
    expect(sums[1]).toBeCloseTo(-21.9842, 3);
    const source = zeros([3, 20, 30]);
    new T.RandomErasing({ p: 1, value: [1, 2, 3], inplace: true })(source);
    expect(source.amax([-2, -1]).toArraySync()).toEqual([1, 2, 3]);
    expect(() => new T.RandomErasing({ p: 1, value: [1, 2] })(source)).toThrow(/holds 2 numbers/);
  });

  it('a generator of its own leaves the default one alone', () => {
    manualSeed(3);
    const expected = rand([1]).itemSync();
    manualSeed(3);
    const generator = new Generator().manualSeed(1);
    const options = { generator };
    const chain = new T.Compose([
      new T.ToTensor(),
      new T.RandomResizedCrop(4, options),
      new T.RandomCrop(3, { padding: 1, ...options }),
      new T.RandomHorizontalFlip(0.5, options),
      new T.RandomVerticalFlip(0.5, options),
      new T.ColorJitter({ brightness: 0.5, hue: 0.2, ...options }),
      new T.RandomRotation(20, options),
      new T.RandomGrayscale(0.5, options),
      new T.RandomErasing({ p: 1, value: 'random', ...options }),
    ]);
    const once = chain(image).toArraySync();
    expect(rand([1]).itemSync()).toBe(expected);
    generator.manualSeed(1);
    expect(chain(image).toArraySync()).toEqual(once);
    expect(chain(image).toArraySync()).not.toEqual(once);
  });
});

describe('padding and cropping', () => {
  it('fills, repeats and mirrors, for any dtype', () => {
    const row = tensor([[[1, 2, 3]]]).to('int32');
    const padded = (mode: T.PadMode) =>
      F.pad(row, [2, 0], { paddingMode: mode, fill: 9 }).flatten().toArraySync();
    expect(padded('constant')).toEqual([9, 9, 1, 2, 3, 9, 9]);
    expect(padded('edge')).toEqual([1, 1, 1, 2, 3, 3, 3]);
    expect(padded('reflect')).toEqual([3, 2, 1, 2, 3, 2, 1]);
    expect(padded('symmetric')).toEqual([2, 1, 1, 2, 3, 3, 2]);
    expect(F.pad(row, [-1, 0, 2, 1]).toArraySync()).toEqual([
      [
        [2, 3, 0, 0],
        [0, 0, 0, 0],
      ],
    ]);
    expect(
      F.pad(image, 1, { fill: [1, 2, 3] })
        .select(-1, 0)
        .select(-1, 0)
        .toArraySync(),
    ).toEqual([1, 2, 3]);
    expect(() => F.pad(row, [3, 0], { paddingMode: 'reflect' })).toThrow(
      /more than an image of 1 x 3/,
    );
    expect(() => F.pad(image, 1, { fill: [1, 2] })).toThrow(
      /does not match the number of channels/,
    );
  });

  it('takes the middle, and pads what is too small', () => {
    expect(F.centerCrop(image, [3, 2]).toArraySync()).toEqual(
      image.narrow(1, 1, 3).narrow(2, 2, 2).toArraySync(),
    );
    const grown = F.centerCrop(image, [7, 6]);
    expect(grown.narrow(1, 1, 5).toArraySync()).toEqual(image.toArraySync());
    expect(F.crop(image, -1, 4, 3, 4).select(0, 0).toArraySync()).toEqual([
      [0, 0, 0, 0],
      [28, 35, 0, 0],
      [70, 77, 0, 0],
    ]);
    expect(() => new T.RandomCrop(8)(image)).toThrow(/Required crop size \(8, 8\) is larger/);
    expect(new T.RandomCrop(8, { padIfNeeded: true })(image).shape).toEqual([3, 8, 8]);
  });
});

describe('values', () => {
  it('pixels, bytes and floats become floats from 0 to 1, and are normalised', () => {
    const pixels = { data: Uint8Array.from([255, 0, 51, 255, 0, 102, 0, 0]), width: 2, height: 1 };
    expect(F.pixelsToTensor(pixels).shape).toEqual([4, 1, 2]);
    expect(F.pixelsToTensor(pixels, 3).flatten().toArraySync()).toEqual([255, 0, 0, 102, 51, 0]);
    const gray = { data: Uint8Array.from([7, 9]), width: 2, height: 1 };
    expect(F.pixelsToTensor(gray, 3).flatten().toArraySync()).toEqual([7, 9, 7, 9, 7, 9]);
    expect(F.pixelsToTensor(pixels, 1).flatten().toArraySync()).toEqual([82, 60]);
    const t = new T.ToTensor()(pixels);
    expect(t.max().itemSync()).toBe(1);
    const same = new T.Normalize([0.5], [0.25])(t);
    expect(same.max().itemSync()).toBe(2);
    const each = new T.Normalize([0, 1, 2], [1, 2, 4])(floats);
    near(
      each.select(0, 2),
      [5, 6],
      Array.from(floats.select(0, 2).sub(2).div(4).toTypedArraySync(), Number),
    );
    expect(() => new T.Normalize([0], [1])(image)).toThrow(/should be a float tensor, got uint8/);
    expect(() => new T.Normalize([0, 1], [1, 1])(floats)).toThrow(
      /2 numbers were given for an image of 3/,
    );
    expect(() => F.pixelsToTensor({ ...gray, height: 3 })).toThrow(/no image of 2 x 3/);
  });

  it('are printed as torchvision prints them, and may be functions', () => {
    const chain = new T.Compose([
      new T.Resize(40),
      new T.RandomCrop(32, { padding: 4 }),
      new T.Compose([new T.RandomHorizontalFlip(), new T.Lambda((x) => x.mul(2))]),
      (x) => x.add(1),
      new T.Grayscale(3),
      new T.CenterCrop(8),
      new T.Pad(2),
    ]);
    expect(chain(floats).shape).toEqual([3, 12, 12]);
    expect(String(chain)).toContain(
      '    RandomCrop(size=(32, 32), padding=4)\n    Compose(\n        RandomHorizontalFlip(p=0.5)',
    );
    expect(() => new T.RandomVerticalFlip(2)).toThrow(/expected a probability/);
  });

  it('batches of images are transformed alike', () => {
    const batch = stack([floats, floats.flip([-1])]);
    near(F.resize(batch, [3, 4]).select(0, 0), [3, 3, 4], AA_DOWN);
    near(F.adjustHue(stack([colours, colours]), 0.23).select(0, 1), [3, 2, 3], HUE);
    expect(F.rotate(batch, 30).shape).toEqual([2, 3, 5, 6]);
    expect(new T.RandomErasing({ p: 1 })(batch).shape).toEqual([2, 3, 5, 6]);
  });
});
