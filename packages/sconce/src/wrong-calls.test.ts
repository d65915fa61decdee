// Calls as they come from PyTorch's habits and from JavaScript, which no compiler looks at: each is told what to write instead.
import { expect, test } from 'vitest';
import * as sconce from './index.js';

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript sees
const s = sconce as any;
const { nn, optim, ones, tensor } = s;
const F = nn.functional;
const parameters = () => new nn.Linear(1, 1).parameters();

const calls: readonly (readonly [() => unknown, string])[] = [
  [
    () => new nn.Conv2d(1, 1, 3, 2, 1),
    'Conv2d takes stride and padding as options: { stride: 2, padding: 1 }',
  ],
  [() => new nn.Linear(1, 1, false), 'Linear takes bias as an option: { bias: false }'],
  [() => new nn.MaxPool2d(3, 2), 'MaxPool2d takes stride as an option: { stride: 2 }'],
  [() => new nn.ReLU(true), 'ReLU takes inplace as an option: { inplace: true }'],
  [() => new nn.LSTM(2, 3, 2), 'LSTM takes numLayers as an option: { numLayers: 2 }'],
  [
    () => new nn.MultiheadAttention(8, 2, 0.1),
    'MultiheadAttention takes dropout as an option: { dropout: 0.1 }',
  ],
  [() => new nn.MSELoss('sum'), "MSELoss takes reduction as an option: { reduction: 'sum' }"],
  [() => new optim.SGD(parameters(), 0.1), 'SGD takes lr as an option: { lr: 0.1 }'],
  [
    () => new optim.SGD(parameters(), { weight_decay: 0.1 }),
    "SGD: unknown option 'weight_decay'; did you mean weightDecay?",
  ],
  [
    () => new optim.SGD(parameters(), { lr: '0.1' }),
    "SGD: option 'lr' must be a number, got the string '0.1'",
  ],
  [
    () => new optim.SGD(parameters(), { lr: 0.1 }).zeroGrad({ set_to_none: true }),
    "zeroGrad: unknown option 'set_to_none'; did you mean setToNone?",
  ],
  [
    () => tensor([1], { requires_grad: true }),
    "tensor: unknown option 'requires_grad'; did you mean requiresGrad?",
  ],
  [() => ones([2, 3]).sum(1, true), 'sum takes keepdim as an option: { keepdim: true }'],
  [
    () => ones([2, 3]).sum('1'),
    "sum: argument 'dim' (position 1) must be a number, null or an array of numbers, got the string '1'",
  ],
  [() => ones([2]).add(1, { alhpa: 2 }), "add: unknown option 'alhpa'; did you mean alpha?"],
  [
    () => F.dropout(ones([3]), 0.5, false),
    'dropout takes training as an option: { training: false }',
  ],
  [
    () => F.pad(ones([1, 1, 3]), [1, 1], 'reflect'),
    "pad takes mode as an option: { mode: 'reflect' }",
  ],
  [
    () => F.interpolate(ones([1, 1, 3]), { scaleFactor: 2, mod: 'linear' }),
    "interpolate: unknown option 'mod'; did you mean mode?",
  ],
  [() => s.randn(2, 3), 'randn: sizes are one array: randn([2, 3])'],
  [() => s.histc(ones([3]), { bins: 10 }), 'histc takes bins by position: histc(x, 10)'],
  [() => s.cat(ones([2]), ones([2])), 'cat: tensors are one array: cat([a, b])'],
  [
    () => [ones([2])].map(F.relu),
    'relu was given an element, its index and the array, as map does; write (x) => relu(x)',
  ],
  [
    () => new s.data.DataLoader([1, 2, 3], { batch_size: 2 }),
    "DataLoader: unknown option 'batch_size'; did you mean batchSize?",
  ],
  [
    () => new s.data.DataLoader([1, 2, 3], 2),
    'DataLoader takes batchSize as an option: { batchSize: 2 }',
  ],
  [() => new nn.Linear(2, 2)(ones([2]), ones([2])), 'Linear takes one argument (input), got 2'],
  [
    () => s.zeros('3'),
    "zeros: argument 'shape' (position 1) must be an array of numbers, got the string '3'",
  ],
  [
    () => s.matmul(null, ones([2])),
    "matmul: argument 'self' (position 1) must be a Tensor, got null",
  ],
];

test.each(calls)('%s says: %s', (call, sentence) => {
  expect(call).toThrow(TypeError);
  expect(call).toThrow(sentence);
});

test('sizes that no tensor can have are told under the name of the call', () => {
  expect(() => s.zeros([2.5])).toThrow(/^zeros: .*dimension 2\.5: \[2\.5\]/);
  expect(() => s.ones([-1])).toThrow(/^ones: .*dimension -1: \[-1\]/);
  expect(() => s.full([2 ** 54], 1)).toThrow(/^full: /);
});
