// The dataset, in a module of its own: the workers of the loader load it too.

import { data } from 'sconce';

const { transforms } = data;

/** Pixels that the model sees. */
export const INPUT = 32;

const finish = [
  new transforms.ToTensor(),
  new transforms.Normalize([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]),
] as const;

/** Another view of the same image each time. */
const augment = new transforms.Compose([
  new transforms.RandomResizedCrop(INPUT, { scale: [0.7, 1] }),
  new transforms.RandomHorizontalFlip(),
  new transforms.RandomRotation(15, { interpolation: 'bilinear' }),
  new transforms.ColorJitter({ brightness: 0.2, contrast: 0.2, hue: 0.1 }),
  ...finish,
]);

const plain = new transforms.Compose([new transforms.Resize(INPUT), ...finish]);

/** Images in one folder for each class, changed at random to train with. */
export const photos = data.defineDataset(import.meta.url, (folder: string, use: 'train' | 'test') =>
  data.ImageFolder.open(folder, { transform: use === 'train' ? augment : plain }),
);
