import { expect, describe as group, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import {
  backwardAsync,
  Device,
  grad,
  gradAsync,
  init,
  manualSeed,
  nn,
  optim,
  rand,
  type Tensor,
  tensor,
  withReads,
} from './index.js';

/** Two halves, each where it is put; between them the tensors move. */
class Halves extends nn.Module {
  first = new nn.Sequential(new nn.Linear(4, 8), new nn.BatchNorm1d(8), new nn.Tanh());
  second = new nn.Linear(8, 3);
  #places: readonly [string, string];

  constructor(places: readonly [string, string]) {
    super();
    this.#places = places;
  }

  async place(): Promise<this> {
    await this.first.toAsync(Device.from(this.#places[0]));
    await this.second.toAsync(Device.from(this.#places[1]));
    return this;
  }

  override async forward(x: Tensor): Promise<Tensor> {
    const h = this.first(await x.toAsync(Device.from(this.#places[0])));
    return this.second(await h.toAsync(Device.from(this.#places[1])));
  }
}

async function train(places: readonly [string, string]): Promise<number[]> {
  manualSeed(3);
  const model = await new Halves(places).place();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.5, momentum: 0.9 });
  const x = rand([6, 4]);
  const y = tensor([0n, 1n, 2n, 0n, 1n, 2n]);
  const seen: number[] = [];
  for (let step = 0; step < 3; step++) {
    optimizer.zeroGrad();
    const out = await model(x);
    const loss = nn.functional.crossEntropy(out, await y.toAsync(out.device));
    await loss.backwardAsync();
    optimizer.step();
    seen.push(await loss.item());
  }
  for (const t of [...model.parameters(), ...model.buffers()]) {
    seen.push(await t.detach().to('float32').sum().item());
  }
  return seen;
}

const pairs: [string, string][] = [
  ['cpu', 'cpu:1'],
  ['cpu:1', 'reference'],
];
if (host.webgpu) {
  pairs.push(
    ['cpu', 'webgpu'],
    ['webgpu', 'cpu'],
    ['webgpu', 'webgpu:1'],
    ['cpu:1', 'webgpu:1'],
    ['webgpu:1', 'cpu:1'],
  );
}

group('a model whose halves live on two devices', () => {
  test.each(pairs)('%s and %s: trains to the same numbers', async (a, b) => {
    for (const name of [a, b]) await init(Device.from(name));
    const alone = await train(['cpu', 'cpu']);
    const apart = await train([a, b]);
    expect(apart.length).toBe(alone.length);
    apart.forEach((value, i) => {
      expect(value).toBeCloseTo(alone[i] as number, 4);
    });
  });
});

group.skipIf(!host.webgpu)('webgpu and cpu', () => {
  const weights = () => tensor([1, 2, 3], { requiresGrad: true });

  test('a move to the cpu is part of the graph, with the values of the call', async () => {
    const device = await init('webgpu');
    const x = tensor([1, 2, 3], { device, requiresGrad: true });
    const y = x.mul(2);
    const moving = y.toAsync('cpu');
    y.mul_(10);
    const here = await moving;
    expect(here.device.type).toBe('cpu');
    expect(here.gradFn?.name).toBe('ToCopyBackward0');
    expect(here.toArraySync()).toEqual([2, 4, 6]);
    here
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(await x.grad?.toArray()).toEqual([2, 20, 200]);
    expect(x.grad?.device).toBe(device);
    const half = await x.toAsync({ device: 'cpu', dtype: 'float64' });
    expect([half.dtype, half.requiresGrad]).toEqual(['float64', true]);
  });

  test('a gradient that has to be waited for is refused at once, and awaited', async () => {
    await init('webgpu');
    const w = weights();
    const loss = w.add(1).to('webgpu').pow(2).sum().add(0);
    const message =
      /^backward: a gradient has to go from device 'webgpu', which can only be read asynchronously, to 'cpu'; use `await loss.backwardAsync\(\)`$/;
    expect(() => loss.backward()).toThrow(message);
    await expect(withReads(() => loss.backward())).rejects.toThrow(message);
    expect(w.grad).toBe(null);
    await loss.backwardAsync(null, { retainGraph: true });
    expect(w.grad?.toArraySync()).toEqual([4, 6, 8]);
    await backwardAsync([loss], undefined, { retainGraph: true });
    expect(w.grad?.toArraySync()).toEqual([8, 12, 16]);
    expect(() => grad(loss, w)).toThrow('await gradAsync(outputs, inputs)');
    const [g] = (await gradAsync(loss, w, { createGraph: true })) as [Tensor];
    expect(g.toArraySync()).toEqual([4, 6, 8]);
    const [second] = (await gradAsync(g.pow(2).sum(), w)) as [Tensor];
    expect(second.toArraySync()).toEqual([16, 24, 32]);
  });

  test('hooks and retained gradients see the gradient where it was made', async () => {
    const device = await init('webgpu');
    const w = weights();
    const moved = w.mul(1).to('webgpu');
    moved.retainGrad();
    const seen: string[] = [];
    moved.registerHook((g) => {
      seen.push(g.device.type);
      return g.mul(2);
    });
    await moved.sum().backwardAsync();
    expect(seen).toEqual(['webgpu']);
    expect(moved.grad?.device).toBe(device);
    expect(await moved.grad?.toArray()).toEqual([2, 2, 2]);
    expect(w.grad?.toArraySync()).toEqual([2, 2, 2]);
  });

  test('what lies between two devices of webgpu needs no waiting', async () => {
    const [a, b] = [await init('webgpu'), await init('webgpu:1')];
    const x = tensor([1, 2, 3], { device: a, requiresGrad: true });
    const y = x.mul(2).to(b).mul(3).to(a).to(b);
    y.sum().backward();
    expect(await y.toArray()).toEqual([6, 12, 18]);
    expect(await x.grad?.toArray()).toEqual([6, 6, 6]);
    const copy = tensor([0, 0, 0], { device: a });
    copy.copy_(y.detach());
    expect(await copy.toArray()).toEqual([6, 12, 18]);
  });

  test('errors name the asynchronous way', async () => {
    const device = await init('webgpu');
    const there = new nn.Linear(2, 2).to('webgpu');
    const here = new nn.Linear(2, 2);
    const [weight] = [...there.parameters()] as [nn.Parameter, nn.Parameter];
    expect(() => weight.clone().cpu()).toThrow("`await t.toAsync('cpu')`");
    expect(() => here.weight.data.copy_(weight)).toThrow(
      "copy_: the source is on device 'webgpu', which can only be read asynchronously; use `x.copy_(await source.toAsync('cpu'))`",
    );
    const before = here.weight.toArraySync();
    expect(() => here.loadStateDict(there.stateDict())).toThrow(
      "loadStateDict: tensors on device 'webgpu' can only be read asynchronously, and are wanted on 'cpu'; use `await model.loadStateDictAsync(state)`",
    );
    expect(here.weight.toArraySync()).toEqual(before);
    await here.loadStateDictAsync(there.stateDict());
    expect(here.weight.toArraySync()).toEqual(await weight.toArray());
    await expect(here.loadStateDictAsync({ wieght: weight })).rejects.toThrow('"wieght"');
    const optimizers = [there, here].map((m) => new optim.Adam(m.parameters()));
    const [far, near] = optimizers as [optim.Adam, optim.Adam];
    there(tensor([[1, 2]], { device }))
      .sum()
      .backward();
    far.step();
    expect(() => near.loadStateDict(far.stateDict())).toThrow(
      'await optimizer.loadStateDictAsync(state)',
    );
    await near.loadStateDictAsync(far.stateDict());
    const [loaded, known] = [near, far].map(
      (o) => (o.stateDict().state[0] as optim.ParamState).exp_avg,
    ) as [Tensor, Tensor];
    expect(loaded.toArraySync()).toEqual(await known.toArray());
  });

  test('a module takes its gradients along', async () => {
    const device = await init('webgpu');
    const layer = new nn.Linear(2, 1).to('webgpu');
    layer(tensor([[1, 2]], { device }))
      .sum()
      .backward();
    await layer.toAsync('cpu');
    expect(layer.weight.grad?.toArraySync()).toEqual([[1, 2]]);
  });
});

group.skipIf(!host.webgpu)('withReads', () => {
  test('does once what it has to repeat', async () => {
    const device = await init('webgpu');
    const make = () => {
      manualSeed(5);
      const model = new nn.Sequential(new nn.Linear(3, 3), new nn.BatchNorm1d(3)).to(device);
      return { model, optimizer: new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }) };
    };
    const x = rand([4, 3]).to('webgpu');
    const drawn = () => rand([4, 3], { device }).add(rand([4, 3]).to('webgpu'));
    const step = ({ model, optimizer }: ReturnType<typeof make>, read: (t: Tensor) => number) => {
      const noise = drawn();
      const out = model(x.add(noise));
      const loss = out.mul(noise).sum();
      read(loss);
      loss.backward();
      read(out.max());
      optimizer.step();
      read(out.min());
      return noise;
    };
    const results = [];
    for (const repeated of [false, true]) {
      const made = make();
      let runs = 0;
      for (let i = 0; i < 3; i++) {
        const once = () => {
          runs++;
          return step(made, (t) => (repeated ? t.itemSync() : 0));
        };
        if (repeated) await withReads(once);
        else once();
      }
      expect(runs).toBe(repeated ? 12 : 3);
      const tensors = [...made.model.parameters(), ...made.model.buffers()];
      const grads = [...made.model.parameters()].map((p) => p.grad as Tensor);
      results.push(await Promise.all([...tensors, ...grads, drawn()].map((t) => t.toArray())));
      expect(await (made.model.stateDict().get('1.num_batches_tracked') as Tensor).item()).toBe(3);
    }
    expect(results[1]).toEqual(results[0]);
  });

  test('undoes writes, views of histories and versions', async () => {
    const device = await init('webgpu');
    const x = tensor([1, 2, 3], { device, requiresGrad: true });
    const y = x.mul(2);
    const saved = y.pow(2);
    const count = tensor([0], { device: 'cpu' });
    await withReads(() => {
      count.add_(1);
      y.mul_(3);
      y.sum().itemSync();
      count.normal_();
      count.fill_(7);
      y.max().itemSync();
    });
    expect([count.itemSync(), count.version, y.version]).toEqual([7, 3, 1]);
    y.sum().backward();
    expect(await x.grad?.toArray()).toEqual([6, 6, 6]);
    expect(() => saved.sum().backward()).toThrow('modified by an inplace operation');
  });

  test('says what it cannot repeat', async () => {
    const device = await init('webgpu');
    const x = tensor([1, 2, 3], { device });
    const p = tensor([1], { requiresGrad: true });
    const scheduler = new optim.StepLR(new optim.SGD([p], { lr: 1 }), 1);
    await expect(
      withReads(() => {
        p.detach().add_(1);
        scheduler.step();
        return x.sum().itemSync();
      }),
    ).rejects.toThrow(
      /^withReads: the function has to be repeated, since it reads a value of device 'webgpu' that has not arrived, but the step of a scheduler before that cannot be; read first/,
    );
    expect(p.itemSync()).toBe(1);
    await expect(withReads(async () => x.sum().itemSync())).rejects.toThrow(
      'withReads: takes a synchronous function',
    );
  });
});
