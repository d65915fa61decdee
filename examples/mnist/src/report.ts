import { writeFile } from 'node:fs/promises';
import { SIDE } from './dataset.js';
import type { EpochResult } from './train.js';

/** A digit the model misread. */
export interface Misread {
  pixels: readonly number[];
  wanted: number;
  guessed: number;
}

interface Series {
  points: readonly (readonly [number, number])[];
  color: string;
}

const [WIDTH, HEIGHT, MARGIN] = [560, 260, 44];

/** A line chart as SVG: axes with five ticks, one line and dots for short series. */
function chart(title: string, xLabel: string, { points, color }: Series, digits: number): string {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const pad = (Math.max(...ys) - Math.min(...ys) || 1) * 0.08;
  const lowest = Math.min(...ys);
  // A loss has no use for an axis below zero.
  const [y0, y1] = [lowest >= 0 && lowest < pad ? 0 : lowest - pad, Math.max(...ys) + pad];
  const px = (x: number) => MARGIN + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - MARGIN - 12);
  const py = (y: number) => HEIGHT - MARGIN - ((y - y0) / (y1 - y0)) * (HEIGHT - MARGIN - 30);
  const ticks = Array.from({ length: 5 }, (_, i) => i / 4);
  const grid = ticks.map((t) => {
    const y = y0 + t * (y1 - y0);
    return `<line x1="${MARGIN}" x2="${WIDTH - 12}" y1="${py(y)}" y2="${py(y)}" stroke="#e4e4e7"/><text x="${MARGIN - 6}" y="${py(y) + 4}" text-anchor="end">${y.toFixed(digits)}</text>`;
  });
  const labels = [...new Set(ticks.map((t) => Math.round(x0 + t * (x1 - x0))))].map(
    (x) => `<text x="${px(x)}" y="${HEIGHT - MARGIN + 16}" text-anchor="middle">${x}</text>`,
  );
  const line = points
    .map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`)
    .join('');
  const dots =
    points.length > 40
      ? ''
      : points
          .map(([x, y]) => `<circle cx="${px(x)}" cy="${py(y)}" r="3" fill="${color}"/>`)
          .join('');
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}"><text class="title" x="${MARGIN}" y="18">${title}</text>${grid.join('')}${labels.join('')}<text x="${(WIDTH + MARGIN) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${xLabel}</text><path d="${line}" fill="none" stroke="${color}" stroke-width="2"/>${dots}</svg>`;
}

/** One digit as a small picture with what it is and what it was taken for. */
function picture({ pixels, wanted, guessed }: Misread): string {
  const dark = pixels.flatMap((value, i) => {
    if (value === 0) return [];
    return `<rect x="${i % SIDE}" y="${Math.floor(i / SIDE)}" width="1" height="1" fill-opacity="${value.toFixed(2)}"/>`;
  });
  return `<figure><svg viewBox="0 0 ${SIDE} ${SIDE}" shape-rendering="crispEdges" role="img" aria-label="a ${wanted} read as ${guessed}">${dark.join('')}</svg><figcaption>${wanted} read as <b>${guessed}</b></figcaption></figure>`;
}

/** Writes the curves and the misread digits as one page that any browser opens. */
export async function writeReport(
  path: string,
  run: {
    title: string;
    losses: readonly number[];
    epochs: readonly EpochResult[];
    misread: readonly Misread[];
    tested: number;
  },
): Promise<void> {
  const loss = chart(
    'Training loss',
    'batch',
    { points: run.losses.map((y, i) => [(i + 1) * 10, y]), color: '#2563eb' },
    2,
  );
  const accuracy = chart(
    'Test accuracy, %',
    'epoch',
    { points: run.epochs.map((e) => [e.epoch, e.accuracy * 100]), color: '#059669' },
    1,
  );
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${run.title}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; color: #18181b; }
  .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
  .charts svg { flex: 1 1 420px; background: #fff; }
  .charts text { font-size: 12px; fill: #52525b; }
  .charts .title { font-size: 14px; font-weight: 600; fill: #18181b; }
  .sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: .75rem; }
  figure { margin: 0; text-align: center; }
  figure svg { width: 100%; border: 1px solid #d4d4d8; border-radius: 4px; background: #fafafa; }
  figcaption { font-size: 12px; color: #52525b; }
</style>
<h1>${run.title}</h1>
<div class="charts">${loss}${accuracy}</div>
<h2>${run.misread.length} of ${run.tested} test digits were misread</h2>
<div class="sheet">${run.misread.map(picture).join('')}</div>
</html>
`;
  await writeFile(path, page);
}
