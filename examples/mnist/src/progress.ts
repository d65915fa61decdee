import type { Progress } from './train.js';

const WIDTH = 24;

/** One line that says how training goes: a bar, loss, speed and the time left. */
export function progressLine({
  epoch,
  epochs,
  seen,
  total,
  loss,
  imagesPerSecond,
  left,
}: Progress): string {
  const done = Math.round((seen / total) * WIDTH);
  const bar = '█'.repeat(done) + '░'.repeat(WIDTH - done);
  const time =
    left < 60 ? `${Math.ceil(left)}s` : `${Math.floor(left / 60)}m ${Math.ceil(left % 60)}s`;
  return `epoch ${epoch}/${epochs} ${bar} ${String(seen).padStart(5)}/${total}  loss ${loss.toFixed(4)}  ${Math.round(imagesPerSecond)} images/s  ${time} left`;
}

/** Shows progress on one line of a terminal that is overwritten; elsewhere, epochs alone are printed. */
export class ProgressBar {
  readonly #terminal = process.stdout.isTTY === true;

  show(progress: Progress): void {
    if (this.#terminal) process.stdout.write(`\r\x1b[2K${progressLine(progress)}`);
    else if (progress.seen === progress.total) console.log(progressLine(progress));
  }

  /** Prints a line of its own. */
  say(line: string): void {
    if (this.#terminal) process.stdout.write('\r\x1b[2K');
    console.log(line);
  }
}
