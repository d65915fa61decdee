import { nn, type Tensor } from 'sconce';

/** LeNet for images [N, 1, 28, 28]: scores of ten digits, [N, 10]. */
export class LeNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 6, 5, { padding: 2 });
  conv2 = new nn.Conv2d(6, 16, 5);
  pool = new nn.MaxPool2d(2);
  fc1 = new nn.Linear(16 * 5 * 5, 120);
  fc2 = new nn.Linear(120, 84);
  fc3 = new nn.Linear(84, 10);

  override forward(x: Tensor): Tensor {
    x = this.pool(this.conv1(x).relu());
    x = this.pool(this.conv2(x).relu());
    x = this.fc1(x.flatten(1)).relu();
    x = this.fc2(x).relu();
    return this.fc3(x);
  }
}
