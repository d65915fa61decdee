import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { Generator, rand } from 'sconce';

/** Side of a drawing, in pixels. */
export const SIDE = 36;

type Inside = (x: number, y: number) => boolean;

/** What is drawn, within the square from -1 to 1: one class each. */
const shapes: Readonly<Record<string, Inside>> = {
  circle: (x, y) => x * x + y * y < 1,
  cross: (x, y) => Math.abs(x) < 1 && Math.abs(y) < 1 && Math.min(Math.abs(x), Math.abs(y)) < 0.35,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  triangle: (x, y) => y < 0.8 && y > 2 * Math.abs(x) - 1,
};

/** A shape of random colour, size, place and tilt on a background with noise, as PNG. */
function draw(inside: Inside, generator: Generator): Uint8Array {
  const noise = rand([SIDE * SIDE * 3 + 10], { generator }).toTypedArraySync();
  let next = 0;
  const draw = (low: number, high: number) => low + (high - low) * Number(noise[next++]);
  const background = [draw(0, 110), draw(0, 110), draw(0, 110)];
  const colour = [draw(130, 255), draw(130, 255), draw(130, 255)];
  const radius = draw(0.2, 0.38) * SIDE;
  const [cx, cy] = [draw(radius, SIDE - radius), draw(radius, SIDE - radius)];
  const tilt = draw(-0.3, 0.3);
  const [cos, sin] = [Math.cos(tilt) / radius, Math.sin(tilt) / radius];
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
      const paint = inside(dx * cos + dy * sin, dy * cos - dx * sin) ? colour : background;
      for (let c = 0; c < 3; c++)
        data[(y * SIDE + x) * 3 + c] = Math.min(255, (paint[c] as number) + draw(-20, 20) + 20);
    }
  }
  return encode({ width: SIDE, height: SIDE, data, channels: 3 });
}

/** Draws `count` images of each shape into folders named after them. */
export async function drawFolder(folder: string, count: number, seed: number): Promise<void> {
  const generator = new Generator().manualSeed(seed);
  for (const [name, inside] of Object.entries(shapes)) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const file = join(folder, name, `${String(i).padStart(4, '0')}.png`);
      await writeFile(file, draw(inside, generator));
    }
  }
}
