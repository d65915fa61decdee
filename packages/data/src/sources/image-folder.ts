import { builtinModule, RuntimeError, type Tensor, takes } from '@sconce/core';
import { Dataset } from '../dataset.js';
import * as signatures from '../signatures.js';
import { readAllBytes, type SourceLike } from './byte-source.js';
import { type DecodeImageOptions, decodeImage } from './decode-image.js';

/** Options of `ImageFolder`. */
export interface ImageFolderOptions extends DecodeImageOptions {
  /** What is done to each image, uint8 [C, H, W]: the place for augmentation. */
  transform?: (image: Tensor) => Tensor;
  /** Which files are images, by the ends of their names; default `['.png', '.jpg', '.jpeg']`. */
  extensions?: readonly string[];
  /** Decodes a file in place of `decodeImage`: another format, or a faster decoder such as `sharp`. */
  decode?: (bytes: Uint8Array) => Tensor | Promise<Tensor>;
}

/** An image, by where it is and its class. */
export interface ImageEntry {
  readonly source: SourceLike;
  readonly label: number;
}

/**
 * Images in one folder for each class, as torchvision's `ImageFolder`: samples are `[image, label]`, classes are numbered in the order of
 * their names. Images of a batch are read and decoded at the same time and transformed one after the other, so that
 * random transforms draw in a fixed order.
 *
 * @see https://pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
 * @example const photos = await ImageFolder.open('photos/train', { transform: augment });
 */
export class ImageFolder extends Dataset<readonly [Tensor, number]> {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** The label of each class, by its name. */
  readonly classToIdx: Readonly<Record<string, number>>;
  /** Where the images are, and their labels. */
  readonly samples: readonly ImageEntry[];
  readonly #options: ImageFolderOptions;

  /** For images from elsewhere, such as files that a user chose; see `open`. */
  constructor(
    classes: readonly string[],
    samples: readonly ImageEntry[],
    options: ImageFolderOptions = {},
  ) {
    super();
    this.classes = classes;
    this.classToIdx = Object.fromEntries(classes.map((name, label) => [name, label]));
    this.samples = samples;
    this.#options = options;
  }

  /**
   * Finds the images below a folder (Node).
   *
   * @throws RuntimeError if there are no classes, or one has no images.
   */
  static async open(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
    takes('open', signatures.ImageFolder_open, arguments);
    const fs = builtinModule<typeof import('node:fs')>('node:fs');
    if (!fs)
      throw new RuntimeError(
        'ImageFolder: folders are there in Node alone; in a browser give the files to new ImageFolder(classes, samples)',
      );
    const endings = options.extensions ?? ['.png', '.jpg', '.jpeg'];
    const list = async (path: string) =>
      (
        await fs.promises.readdir(path, { withFileTypes: true }).catch((error: Error) => {
          throw new RuntimeError(`ImageFolder: ${path} cannot be read (${error.message})`);
        })
      ).sort((a, b) => (a.name < b.name ? -1 : 1));
    // Links to folders are folders, as in torchvision.
    const isFolder = async (path: string): Promise<boolean> =>
      (await fs.promises.stat(path)).isDirectory();
    const samples: ImageEntry[] = [];
    const walk = async (path: string, label: number): Promise<void> => {
      const folders: string[] = [];
      for (const entry of await list(path)) {
        const inner = `${path}/${entry.name}`;
        if (await isFolder(inner)) folders.push(inner);
        else if (endings.some((end) => entry.name.toLowerCase().endsWith(end)))
          samples.push({ source: inner, label });
      }
      for (const inner of folders) await walk(inner, label);
    };
    const classes: string[] = [];
    for (const entry of await list(folder)) {
      const path = `${folder}/${entry.name}`;
      if (!(await isFolder(path))) continue;
      const before = samples.length;
      await walk(path, classes.length);
      if (samples.length === before)
        throw new RuntimeError(
          `ImageFolder: found no file of class '${entry.name}' that ends in ${endings.join(', ')}`,
        );
      classes.push(entry.name);
    }
    if (classes.length === 0)
      throw new RuntimeError(`ImageFolder: ${folder} has no folders, one for each class`);
    return new ImageFolder(classes, samples, options);
  }

  /** The label of each image. */
  get targets(): readonly number[] {
    return this.samples.map(({ label }) => label);
  }

  override get length(): number {
    return this.samples.length;
  }

  override async get(index: number): Promise<readonly [Tensor, number]> {
    const [sample] = await this.getItems([index]);
    return sample as readonly [Tensor, number];
  }

  override async getItems(indices: readonly number[]): Promise<(readonly [Tensor, number])[]> {
    const { transform } = this.#options;
    const images = await Promise.all(indices.map((i) => this.#load(i)));
    return images.map((image, k) => {
      const { label } = this.samples[indices[k] as number] as ImageEntry;
      return [transform ? transform(image) : image, label] as const;
    });
  }

  async #load(index: number): Promise<Tensor> {
    const entry = this.samples[index];
    if (!entry)
      throw new RuntimeError(
        `ImageFolder: index ${index} is out of range for ${this.length} images`,
      );
    try {
      const bytes = await readAllBytes(entry.source);
      const { decode, channels, maxPixels } = this.#options;
      return await (decode ? decode(bytes) : decodeImage(bytes, { channels, maxPixels }));
    } catch (error) {
      const name = typeof entry.source === 'string' ? entry.source : `image ${index}`;
      throw new RuntimeError(`ImageFolder: ${name}: ${(error as Error).message}`, { cause: error });
    }
  }
}
