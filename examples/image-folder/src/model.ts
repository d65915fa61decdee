import { nn, type Tensor } from 'sconce';

/** A small convolutional network for images [N, 3, 32, 32]: scores [N, classes]. */
export class SmallNet extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(3, 16, 3, { padding: 1 }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.BatchNorm2d(32),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 64, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(4),
  );
  classifier: nn.Linear;

  constructor(classes: number) {
    super();
    this.classifier = new nn.Linear(64 * 16, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.classifier(this.features(x).flatten(1));
  }
}
