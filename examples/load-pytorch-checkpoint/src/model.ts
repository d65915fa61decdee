import { nn, type Tensor } from 'sconce';

/** The network of make_checkpoint.py. Pictures [N, 1, 12, 12]; scores of three kinds of stripes, [N, 3]. */
export class Net extends nn.Module {
  features = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
  );
  classifier = new nn.Linear(16, 3);

  override forward(x: Tensor): Tensor {
    return this.classifier(this.features(x).flatten(1));
  }
}
