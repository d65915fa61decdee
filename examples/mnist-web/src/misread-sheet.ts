import type { Misread } from '@sconce-examples/mnist/misread';
import { SIDE } from '@sconce-examples/mnist/raw-digits';

/** One misread digit: its picture, what it is and what it was taken for. */
export function misreadFigure({ pixels, wanted, guessed }: Misread): HTMLElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  canvas.role = 'img';
  canvas.ariaLabel = `a ${wanted} read as ${guessed}`;
  const image = new ImageData(SIDE, SIDE);
  for (const [i, value] of pixels.entries()) {
    // Dark ink on a light ground.
    image.data.fill(Math.round(255 * (1 - value)), i * 4, i * 4 + 3);
    image.data[i * 4 + 3] = 255;
  }
  canvas.getContext('2d', { willReadFrequently: true })?.putImageData(image, 0, 0);
  const caption = document.createElement('figcaption');
  const bold = document.createElement('b');
  bold.textContent = String(guessed);
  caption.append(`${wanted} read as `, bold);
  const figure = document.createElement('figure');
  figure.append(canvas, caption);
  return figure;
}
