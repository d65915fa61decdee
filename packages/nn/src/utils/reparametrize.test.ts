import { manualSeed, ones, type Tensor, tensor } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { copyModule } from '../copy.js';
import { Conv1d, ConvTranspose1d, Linear, Module, Parameter, utils } from '../index.js';

const { parametrizations, parametrize } = utils;
const values = (x: Tensor | null | undefined) => x?.toArraySync();
const close = (x: Tensor | null | undefined, expected: unknown): void => {
  const flat = [expected].flat(5) as number[];
  const own = [values(x)].flat(5) as number[];
  expect(own.length).toBe(flat.length);
  flat.forEach((e, i) => {
    expect(own[i]).toBeCloseTo(e, 5);
  });
};
const named = (m: Module) => m as unknown as Record<string, Tensor>;

describe('weightNorm', () => {
  it('trains length and direction apart', () => {
    const layer = utils.weightNorm(new Linear(2, 2));
    layer.loadStateDict({
      bias: tensor([0, 0]),
      weight_g: tensor([[2], [3]]),
      weight_v: tensor([
        [3, 4],
        [0, 5],
      ]),
    });
    expect([...layer.namedParameters()].map(([name]) => name)).toEqual([
      'bias',
      'weight_g',
      'weight_v',
    ]);
    const x = tensor([[1, 1]]);
    close(layer(x), [[2.8, 3]]);
    layer(x).sum().backward();
    close(named(layer).weight_g?.grad, [[1.4], [1]]);
    // The length does not change to the first order along the direction itself.
    close(named(layer).weight_v?.grad, [
      [2 * (0.2 - 0.168), 2 * (0.2 - 0.224)],
      [0.6, 0],
    ]);
  });

  it('keeps the value where it is put on and taken off', () => {
    const layer = new Conv1d(2, 3, 2);
    const before = values(layer.weight) as number[];
    utils.weightNorm(layer, 'weight', { dim: 1 });
    expect(named(layer).weight_g?.shape).toEqual([1, 2, 1]);
    close(layer.weight, before);
    utils.removeWeightNorm(layer);
    close(layer.weight, before);
    expect(layer.weight).toBeInstanceOf(Parameter);
    expect(layer.stateDict().has('weight_g')).toBe(false);
    expect(() => utils.removeWeightNorm(layer)).toThrow(
      "weightNorm of 'weight' not found in Conv1d",
    );
  });

  it('refuses to split twice, and names that are no parameters', () => {
    const layer = utils.weightNorm(new Linear(2, 2));
    expect(() => utils.weightNorm(layer)).toThrow('Cannot register two weightNorm hooks');
    expect(() => utils.weightNorm(new Linear(2, 2), 'scale')).toThrow(
      "Linear has no parameter 'scale'",
    );
  });

  it('goes with copies', () => {
    const copy = copyModule(utils.weightNorm(new Linear(2, 2)));
    named(copy).weight_g?.detach().fill_(0);
    copy.bias?.detach().fill_(1);
    close(copy(ones([1, 2])), [[1, 1]]);
  });
});

describe('spectralNorm', () => {
  // Values of PyTorch 1.13 with the same seed.
  it('draws and follows the singular vectors as PyTorch does', () => {
    manualSeed(1);
    const layer = utils.spectralNorm(new ConvTranspose1d(2, 3, 2));
    close(named(layer).weight_u, [-0.637878954410553, -0.7699874639511108, 0.015157154761254787]);
    close(layer(ones([1, 2, 2])), [
      [
        [0.5526474714279175, 0.640471875667572, 0.23692819476127625],
        [-0.2305954098701477, 0.22168946266174316, 0.2931900918483734],
        [-0.8955188989639282, -0.04935543239116669, 0.816398561000824],
      ],
    ]);
    close(named(layer).weight_u, [-0.804328441619873, 0.15305785834789276, 0.5741332769393921]);
    expect([...layer.stateDict().keys()]).toEqual(['bias', 'weight_orig', 'weight_u', 'weight_v']);
    expect([...layer.namedParameters()].map(([name]) => name)).toEqual(['bias', 'weight_orig']);
  });

  it('leaves the vectors alone in evaluation, and can be taken off', () => {
    const layer = utils.spectralNorm(new Linear(3, 4)).eval();
    const before = values(named(layer).weight_u);
    const x = ones([1, 3]);
    const y = values(layer(x));
    expect(values(named(layer).weight_u)).toEqual(before);
    utils.removeSpectralNorm(layer);
    close(layer(x), y);
    expect(layer.weight).toBeInstanceOf(Parameter);
    expect(() => utils.spectralNorm(layer, 'weight', { nPowerIterations: 0 })).toThrow(
      'Expected n_power_iterations to be positive',
    );
  });
});

class Symmetric extends Module {
  override forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).t());
  }

  rightInverse(x: Tensor): Tensor {
    return x.triu();
  }
}

class RankOne extends Module {
  override forward(x: Tensor, y: Tensor): Tensor {
    return x.unsqueeze(-1).mul(y.unsqueeze(-2));
  }

  rightInverse(z: Tensor): Tensor[] {
    return [z.select(1, 0).clone(), z.select(0, 0).div(z.select(0, 0).select(0, 0))];
  }
}

class Doubled extends Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

describe('parametrize', () => {
  it('computes a weight from its original, which is what is trained', () => {
    const layer = new Linear(2, 2);
    const original = layer.weight;
    parametrize.registerParametrization(layer, 'weight', new Symmetric());
    layer.weight = tensor([
      [1, 2],
      [2, 3],
    ]) as Parameter;
    expect(values(layer.weight)).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect([...layer.parameters()]).toContain(original);
    expect([...layer.stateDict().keys()]).toEqual(['bias', 'parametrizations.weight.original']);
    layer(ones([1, 2]))
      .sum()
      .backward();
    close(original.grad, [
      [1, 2],
      [0, 1],
    ]);
    expect(parametrize.isParametrized(layer)).toBe(true);
    expect(parametrize.isParametrized(layer, 'bias')).toBe(false);
  });

  it('takes several originals', () => {
    const layer = new Linear(2, 2, { bias: false });
    parametrize.registerParametrization(layer, 'weight', new RankOne());
    expect([...layer.stateDict().keys()]).toEqual([
      'parametrizations.weight.original0',
      'parametrizations.weight.original1',
    ]);
    expect(() =>
      parametrize.removeParametrizations(layer, 'weight', { leaveParametrized: false }),
    ).toThrow('a sequence of tensors');
    const before = values(layer.weight);
    parametrize.removeParametrizations(layer, 'weight');
    expect(values(layer.weight)).toEqual(before);
    expect([...layer.stateDict().keys()]).toEqual(['weight']);
    expect(String(layer)).toBe('Linear(in_features=2, out_features=2, bias=False)');
  });

  it('applies one after another', () => {
    const layer = new Linear(2, 2);
    layer.weight.detach().fill_(1);
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    close(layer.weight, [4, 4, 4, 4]);
    expect(() => {
      layer.weight = ones([2, 2]) as Parameter;
    }).toThrow('Doubled does not implement rightInverse');
    parametrize.removeParametrizations(layer, 'weight', { leaveParametrized: false });
    close(layer.weight, [1, 1, 1, 1]);
  });

  it('computes once while cached, and goes with copies', () => {
    const layer = new Linear(2, 2);
    parametrize.registerParametrization(layer, 'weight', new Doubled());
    expect(layer.weight).not.toBe(layer.weight);
    parametrize.cached(() => expect(layer.weight).toBe(layer.weight));
    const copy = copyModule(layer);
    layer.weight.detach();
    close(copy.weight, values(layer.weight));
    expect(copy.weight).not.toBe(layer.weight);
    expect(String(copy)).toContain('ParametrizedLinear(');
  });

  it('refuses what changes shape, or has no such name', () => {
    class Flat extends Module {
      override forward(x: Tensor): Tensor {
        return x.reshape([-1]);
      }
    }
    const layer = new Linear(2, 3);
    expect(() => parametrize.registerParametrization(layer, 'weight', new Flat())).toThrow(
      "may not change the shape of the tensor, unless 'unsafe' is set: [3, 2] became [6]",
    );
    expect(layer.weight).toBeInstanceOf(Parameter);
    expect(() => parametrize.registerParametrization(layer, 'scale', new Doubled())).toThrow(
      "with name 'scale'",
    );
  });
});

describe('parametrizations.spectralNorm', () => {
  // Values of PyTorch 1.13 with the same seed.
  it('is PyTorch’s, to the repr', () => {
    manualSeed(0);
    const layer = parametrizations.spectralNorm(new Linear(2, 3));
    expect(String(layer)).toBe(
      'ParametrizedLinear(\n  in_features=2, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n    (weight): ParametrizationList(\n      (0): _SpectralNorm()\n    )\n  )\n)',
    );
    const state = layer.stateDict();
    expect([...state.keys()]).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
    ]);
    close(
      state.get('parametrizations.weight.0._u'),
      [-0.33254489302635193, 0.941431999206543, 0.05585375055670738],
    );
    close(state.get('parametrizations.weight.0._v'), [-0.6798869967460632, -0.7333168983459473]);
    expect(() => parametrizations.spectralNorm(new Linear(2, 3), 'weight', { dim: 2 })).toThrow(
      'Dimension out of range',
    );
  });
});

describe('parametrizations.orthogonal', () => {
  const { orthogonal } = parametrizations;
  const original = (layer: Module) =>
    new Map(layer.namedParameters()).get('parametrizations.weight.original') as Tensor;
  const made = (
    inputs: number,
    outputs: number,
    options?: Parameters<typeof orthogonal>[2],
  ): Linear => {
    manualSeed(3);
    const layer = orthogonal(new Linear(inputs, outputs), 'weight', options);
    layer(ones([1, inputs]))
      .sum()
      .backward();
    return layer;
  };

  // Values of PyTorch 1.13 with the same seed.
  it('starts from the nearest orthogonal matrix', () => {
    const layer = made(3, 3);
    close(layer.weight, [
      [-0.6724748611450195, -0.5187305808067322, -0.5279165506362915],
      [-0.6416937112808228, 0.7640601396560669, 0.0666423887014389],
      [0.3687905967235565, 0.3835761249065399, -0.8466775417327881],
    ]);
    close(original(layer), [-1, 0, 0, 0, -1, 0, 0, 0, -1]);
    close(
      original(layer).grad,
      [0, 0, 0, 1.5742835998535156, 0, 0, -0.3625737428665161, -1.9368573427200317, 0],
    );
    expect([...layer.stateDict().keys()]).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0.base',
    ]);
    expect(String(layer)).toContain('(0): _Orthogonal()');
  });

  it('completes a tall matrix at random', () => {
    const layer = made(2, 4);
    close(layer.weight, [
      [-0.8190525770187378, 0.22892910242080688],
      [-0.35382962226867676, -0.5098537802696228],
      [-0.04689856618642807, -0.8262426853179932],
      [0.4491749703884125, -0.0704536885023117],
    ]);
    close(original(layer).grad, [
      [0, 0],
      [-0.8140304088592529, 0],
      [-1.2346901893615723, -1.2346901893615723],
      [2.5598912239074707, 2.5598912239074707],
    ]);
  });

  it('takes any matrix through the Cayley transform', () => {
    const layer = made(4, 2, { orthogonalMap: 'cayley', useTrivialization: false });
    close(layer.weight, [
      [0.8128626346588135, -0.2698957324028015, -0.23080679774284363, -0.4616696536540985],
      [0.4220922291278839, 0.872658908367157, 0.20935888588428497, 0.12834852933883667],
    ]);
    close(original(layer).grad, [
      [0, 1.1300727128982544, 0.9729840159416199, 1.1215214729309082],
      [0, 0, 0.708605170249939, 0.9728208184242249],
    ]);
    expect(() => {
      layer.weight = ones([2, 4]) as Parameter;
    }).toThrow("where orthogonalMap is 'cayley'");
  });

  it('packs reflections as LAPACK does', () => {
    const layer = made(4, 2, { orthogonalMap: 'householder', useTrivialization: false });
    close(original(layer), [
      [1, 0.2999788820743561, 0.16287460923194885, 0.3597681224346161],
      [0.017179876565933228, 1, -0.27975618839263916, -0.2605290412902832],
    ]);
    close(original(layer).grad, [
      [0, 1.9793400764465332, -2.2849855422973633, -1.2440414428710938],
      [0, 0, -0.904615581035614, 0.09997134655714035],
    ]);
    expect(() => orthogonal(new Linear(2, 2), 'bias')).toThrow('a tensor of 1 dimensions');
  });
});
