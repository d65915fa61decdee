import { noGrad } from '@sconce/autograd';
import { adaptiveAvgPool2d, manualSeed, rand, randint, relu, type Tensor } from '@sconce/core';
import * as nn from '@sconce/nn';
import { SGD } from '@sconce/optim';
import type { Trace } from './trace.js';

const F = nn.functional;

class Block extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  short: nn.Sequential;

  constructor(into: number, out: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(into, out, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(out);
    this.conv2 = new nn.Conv2d(out, out, 3, { stride: 1, padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(out);
    const same = stride === 1 && into === out;
    this.short = same
      ? new nn.Sequential()
      : new nn.Sequential(
          new nn.Conv2d(into, out, 1, { stride, bias: false }),
          new nn.BatchNorm2d(out),
        );
  }

  override forward(x: Tensor): Tensor {
    const h = relu(this.bn1(this.conv1(x)));
    return relu(this.bn2(this.conv2(h)).add(this.short(x)));
  }
}

class Net extends nn.Module {
  stem = new nn.Conv2d(3, 8, 3, { stride: 1, padding: 1, bias: false });
  bn = new nn.BatchNorm2d(8);
  layers = new nn.Sequential(new Block(8, 8, 1), new Block(8, 16, 2));
  fc = new nn.Linear(16, 5);

  override forward(input: Tensor): Tensor {
    const x = this.layers(relu(this.bn(this.stem(input))));
    return this.fc(adaptiveAvgPool2d(x, 1).flatten(1));
  }
}

/** A small ResNet with BatchNorm and weight decay; the last value is the loss in eval mode. */
export const resnetBn: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([12, 3, 12, 12]).to(device);
  const y = randint(0, 5, [12]).to(device);
  const model = new Net();
  yield model.to(device);
  const optimizer = new SGD(model.parameters(), { lr: 0.02, momentum: 0.9, weightDecay: 5e-4 });
  for (let step = 0; step < 30; step++) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    yield await loss.item();
  }
  model.eval();
  yield await noGrad(() => F.crossEntropy(model(x), y)).item();
};
