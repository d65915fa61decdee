/** What a chart shows. */
export interface Chart {
  title: string;
  xLabel: string;
  /** Points in the order of x. */
  points: readonly (readonly [number, number])[];
  /** A CSS colour. */
  color: string;
  /** Digits after the point on the y axis. */
  digits: number;
  /** Ends of the x axis, if not the first and last point: room for what is to come. */
  range?: readonly [number, number];
}

const [WIDTH, HEIGHT, MARGIN] = [560, 260, 44];

/** A line chart as SVG: axes with five ticks, one line, and dots for short series. Styled by `chartStyle`. */
export function chart({ title, xLabel, points, color, digits, range }: Chart): string {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [x0, x1] = range ?? [Math.min(...xs), Math.max(...xs)];
  const [lowest, highest] = ys.length > 0 ? [Math.min(...ys), Math.max(...ys)] : [0, 1];
  // At least so much that ticks differ in the digits shown.
  const pad = Math.max((highest - lowest) * 0.08, 5 * 10 ** -digits);
  // A loss has no use for an axis below zero.
  const [y0, y1] = [lowest >= 0 && lowest < pad ? 0 : lowest - pad, highest + pad];
  const px = (x: number) => MARGIN + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - MARGIN - 12);
  const py = (y: number) => HEIGHT - MARGIN - ((y - y0) / (y1 - y0)) * (HEIGHT - MARGIN - 30);
  const quarters = [0, 0.25, 0.5, 0.75, 1];
  const grid = quarters.map((t) => {
    const y = y0 + t * (y1 - y0);
    const text = ys.length > 0 ? y.toFixed(digits) : '';
    return `<line x1="${MARGIN}" x2="${WIDTH - 12}" y1="${py(y)}" y2="${py(y)}"/><text x="${MARGIN - 6}" y="${py(y) + 4}" text-anchor="end">${text}</text>`;
  });
  const whole =
    x1 - x0 <= 10
      ? Array.from({ length: x1 - x0 + 1 }, (_, i) => x0 + i)
      : quarters.map((t) => Math.round(x0 + t * (x1 - x0)));
  const labels = whole.map(
    (x) => `<text x="${px(x)}" y="${HEIGHT - MARGIN + 16}" text-anchor="middle">${x}</text>`,
  );
  const line = points
    .map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`)
    .join('');
  const dots =
    points.length > 40
      ? ''
      : points.map(([x, y]) => `<circle cx="${px(x)}" cy="${py(y)}" r="3"/>`).join('');
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}" style="--series: ${color}"><text class="title" x="${MARGIN}" y="18">${title}</text>${grid.join('')}${labels.join('')}<text x="${(WIDTH + MARGIN) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${xLabel}</text><path d="${line}"/>${dots}</svg>`;
}

/** Colours that follow the reader's choice of light or dark, and how charts use them. */
export const chartStyle = `
  :root { color-scheme: light dark; --page: #fff; --ink: #18181b; --soft: #52525b; --grid: #e4e4e7; --edge: #d4d4d8; --paper: #fafafa; --loss: #2563eb; --accuracy: #059669; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #131316; --ink: #f4f4f5; --soft: #a1a1aa; --grid: #2e2e33; --edge: #3f3f46; --paper: #1c1c20; --loss: #60a5fa; --accuracy: #34d399; }
  }
  .chart { overflow: visible; }
  .chart line { stroke: var(--grid); }
  .chart text { font-size: 12px; fill: var(--soft); }
  .chart .title { font-size: 14px; font-weight: 600; fill: var(--ink); }
  .chart path { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; }
  .chart circle { fill: var(--series); }
`;
