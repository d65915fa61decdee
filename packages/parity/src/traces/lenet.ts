import { manualSeed, rand, randint, relu, type Tensor } from '@sconce/core';
import * as nn from '@sconce/nn';
import { SGD } from '@sconce/optim';
import type { Trace } from './trace.js';

class Net extends nn.Module {
  conv1 = new nn.Conv2d(3, 6, 5);
  pool = new nn.MaxPool2d(2, { stride: 2 });
  conv2 = new nn.Conv2d(6, 16, 5);
  fc1 = new nn.Linear(16 * 5 * 5, 120);
  fc2 = new nn.Linear(120, 84);
  fc3 = new nn.Linear(84, 10);

  override forward(input: Tensor): Tensor {
    let x = this.pool(relu(this.conv1(input))) as Tensor;
    x = this.pool(relu(this.conv2(x))) as Tensor;
    x = x.flatten(1);
    x = relu(this.fc1(x));
    x = relu(this.fc2(x));
    return this.fc3(x);
  }
}

/** LeNet on 3x32x32 inputs. */
export const lenet: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([16, 3, 32, 32]).mul(2).sub(1).to(device);
  const y = randint(0, 10, [16]).to(device);
  const model = new Net();
  yield model.to(device);
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const criterion = new nn.CrossEntropyLoss();
  for (;;) {
    optimizer.zeroGrad();
    const loss = criterion(model(x), y);
    loss.backward();
    optimizer.step();
    yield await loss.item();
  }
};
