import { ones, type Tensor, tensor, zeros } from '@sconce/core';
import { expect, it } from 'vitest';
import {
  BatchNorm1d,
  InstanceNorm1d,
  Linear,
  Module,
  Parameter,
  Sequential,
  utils,
} from './index.js';

const without = (state: Map<string, Tensor>, ...keys: string[]): Record<string, Tensor> =>
  Object.fromEntries([...state].filter(([key]) => !keys.includes(key)));

it('batch norms load what was saved before batches were counted', () => {
  const net = new Sequential(new BatchNorm1d(2));
  (net.at(0) as BatchNorm1d).numBatchesTracked?.fill_(5);
  const old = without(net.stateDict(), '0.num_batches_tracked');
  old['0.running_mean'] = tensor([3, 4]);
  expect(net.loadStateDict(old)).toEqual({ missingKeys: [], unexpectedKeys: [] });
  expect((net.at(0) as BatchNorm1d).runningMean?.toArraySync()).toEqual([3, 4]);
  expect((net.at(0) as BatchNorm1d).numBatchesTracked?.itemSync()).toBe(5);
  // Of a file that says it is of a version with the count, the count is missing.
  const present = net.stateDict();
  expect((present._metadata as Map<string, unknown>).get('0')).toEqual({ version: 2 });
  present.delete('0.num_batches_tracked');
  expect(() => net.loadStateDict(present)).toThrow('Missing key(s) in state_dict: "0.num_batches');
  present._metadata = { '0': { version: 1 } };
  expect(net.loadStateDict(present).missingKeys).toEqual([]);
});

it('instance norms name statistics of files before 0.4', () => {
  const norm = new InstanceNorm1d(2, { affine: true });
  const state = { ...Object.fromEntries(norm.stateDict()), running_mean: zeros([2]) };
  expect(() => norm.loadStateDict(state)).toThrow(
    'Unexpected running stats buffer(s) "running_mean" for InstanceNorm1d with trackRunningStats: false',
  );
});

it('one element loads into a parameter without dimensions', () => {
  class Scale extends Module {
    scale = new Parameter(tensor(1));
  }
  const net = new Scale();
  net.loadStateDict({ scale: tensor([7]) });
  expect(net.scale.itemSync()).toBe(7);
  expect(net.scale.shape).toEqual([]);
  expect(() => net.loadStateDict({ scale: ones([2]) })).toThrow('size mismatch for scale');
  expect(() => net.loadStateDict({ scale: ones([1, 1]) })).toThrow('size mismatch for scale');
});

it('names the prefix that all keys have too much, or too little', () => {
  const net = new Linear(2, 2);
  const below = (prefix: string) =>
    Object.fromEntries([...net.stateDict()].map(([key, value]) => [prefix + key, value]));
  expect(() => net.loadStateDict(below('module.'))).toThrow(
    'All keys begin with "module.", as those of data-parallel training do: stripPrefix(state) of',
  );
  expect(() => net.loadStateDict(below('model.'))).toThrow("stripPrefix(state, 'model.')");
  expect(() => new Sequential(net).loadStateDict(net.stateDict())).toThrow(
    "addPrefix(state, '0.')",
  );
  expect(() => net.loadStateDict({ other: ones([1]) })).not.toThrow('Prefix');
});

it('refuses what is no state dict, and loads all or nothing', () => {
  const net = new Linear(2, 2);
  const wrong = (value: unknown) => () => net.loadStateDict(value as Map<string, Tensor>);
  expect(wrong(null)).toThrow(
    "loadStateDict: argument 'state' (position 1) must be an object, got null",
  );
  expect(wrong(Promise.resolve(new Map()))).toThrow('it has to be awaited');
  expect(wrong(new Linear(2, 2))).toThrow('its stateDict() is one');
  expect(wrong([ones([1])])).toThrow('got an array');
  const before = net.weight.toArraySync();
  expect(wrong({ weight: ones([2, 2]), bias: 3 })).toThrow('bias is not a tensor but the number 3');
  expect(net.weight.toArraySync()).toEqual(before);
});

it('hooks before loading bring an older layout up to date, in copies and below others', () => {
  class Renamed extends Module {
    static override readonly stateVersion = 3;
    scale = new Parameter(ones([2]));
    constructor() {
      super();
      this.registerLoadStateDictPreHook((_, { state, prefix, metadata }) => {
        const old = state.get(`${prefix}gain`);
        if ((metadata.version ?? 1) >= 3 || !old) return;
        state.delete(`${prefix}gain`);
        state.set(`${prefix}scale`, old);
      });
    }
  }
  const net = new Sequential(new Renamed());
  net.loadStateDict({ '0.gain': tensor([2, 3]) });
  expect((net.at(0) as Renamed).scale.toArraySync()).toEqual([2, 3]);
});

it('spectral norms load what was saved with the computed weight', () => {
  // The values that PyTorch 2.15 makes of the same state.
  const layer = utils.spectralNorm(new Linear(2, 3));
  const original = tensor([
    [1, 2],
    [-2, 1],
    [3, -1],
  ]);
  const old = { bias: zeros([3]), weight_orig: original, weight: original.div(2.5) };
  layer.loadStateDict({ ...old, weight_u: tensor([0.6, 0.8, 0]) });
  const v = layer.getBuffer('weight_v');
  [0, 1.25].forEach((expected, i) => {
    expect(v.at(i).itemSync()).toBeCloseTo(expected, 4);
  });
  layer.eval();
  const y = layer(tensor([[1, 0]])).flatten();
  expect(y.at(0).itemSync()).toBeCloseTo(0.4, 4);
  expect(y.at(1).itemSync()).toBeCloseTo(-0.8, 4);
  // Without metadata, one that has all of today's is taken as it is.
  expect(layer.loadStateDict(Object.fromEntries(layer.stateDict())).missingKeys).toEqual([]);
  expect(layer.stateDict()._metadata).toEqual(
    new Map([['', { version: 1, spectral_norm: { 'weight.version': 1 } }]]),
  );
});
