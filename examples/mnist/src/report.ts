import { writeFile } from 'node:fs/promises';
import { chart, chartStyle } from './chart.js';
import type { Misread } from './misread.js';
import { SIDE } from './raw-digits.js';
import type { EpochResult } from './train.js';

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
  const loss = chart({
    title: 'Training loss',
    xLabel: 'batch',
    points: run.losses.map((y, i) => [(i + 1) * 10, y]),
    color: 'var(--loss)',
    digits: 2,
  });
  const accuracy = chart({
    title: 'Test accuracy, %',
    xLabel: 'epoch',
    points: run.epochs.map((e) => [e.epoch, e.accuracy * 100]),
    color: 'var(--accuracy)',
    digits: 1,
  });
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${run.title}</title>
<meta name="viewport" content="width=device-width">
<style>${chartStyle}
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; background: var(--page); color: var(--ink); }
  .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
  .charts svg { flex: 1 1 420px; }
  .sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: .75rem; }
  figure { margin: 0; text-align: center; }
  figure svg { width: 100%; border: 1px solid var(--edge); border-radius: 4px; background: var(--paper); fill: var(--ink); }
  figcaption { font-size: 12px; color: var(--soft); }
</style>
<h1>${run.title}</h1>
<div class="charts">${loss}${accuracy}</div>
<h2>${run.misread.length} of ${run.tested} test digits were misread</h2>
<div class="sheet">${run.misread.map(picture).join('')}</div>
</html>
`;
  await writeFile(path, page);
}
