import { expect, it } from 'vitest';
import { nn, ones, optim, tensor } from './index.js';

it("the state of a PyTorch optimizer resumes at its parameters, in the order of the constructor's assignments", () => {
  class Net extends nn.Module {
    // Declared the other way round, as a class whose fields are defined first has them.
    b: nn.Linear;
    a: nn.Linear;
    constructor() {
      super();
      this.a = new nn.Linear(1, 1, { bias: false });
      this.b = new nn.Linear(1, 1, { bias: false });
    }
  }
  const net = new Net();
  net.a.weight.data.fill_(0);
  net.b.weight.data.fill_(0);
  const optimizer = new optim.SGD(net.parameters(), { lr: 1, momentum: 0.5 });
  const saved = optimizer.stateDict();
  // What PyTorch saves for `self.a = ...; self.b = ...`: momentum 10 for a, 20 for b.
  optimizer.loadStateDict({
    ...saved,
    state: {
      0: { momentum_buffer: tensor([[10]]) },
      1: { momentum_buffer: tensor([[20]]) },
    },
  } as unknown as typeof saved);
  for (const p of net.parameters()) p.grad = ones([1, 1]);
  optimizer.step();
  expect([net.a.weight.itemSync(), net.b.weight.itemSync()]).toEqual([-6, -11]);
});
