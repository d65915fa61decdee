import { spawn } from 'node:child_process';

/** What a process printed before it ended. */
export interface Part {
  /** The step it resumed after; undefined if it started from nothing. */
  readonly resumed: number | undefined;
  /** Losses by step. */
  readonly losses: ReadonlyMap<number, number>;
  /** Whether it came to the end of the run. */
  readonly finished: boolean;
}

/**
 * Runs the training in a process of its own.
 *
 * @param command Node's arguments that start `main`.
 * @param killAfter kills the process, without warning, when it has printed this many losses.
 */
export function runPart(
  command: readonly string[],
  killAfter = Number.POSITIVE_INFINITY,
): Promise<Part> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...command, '--exact'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.split('\n').filter((line) => /^\d/.test(line)).length >= killAfter)
        child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== null && code !== 0)
        reject(new Error(`the training ended with ${code}:\n${text}`));
      else resolve(parse(text));
    });
  });
}

function parse(text: string): Part {
  // The last line may have been cut off by the kill.
  const lines = text.split('\n').slice(0, -1);
  const losses = new Map<number, number>();
  for (const line of lines) {
    const [, step, loss] = /^(\d+) (\S+)$/.exec(line) ?? [];
    if (step !== undefined) losses.set(Number(step), Number(loss));
  }
  const resumed = lines.map((line) => /^resumed after step (\d+)/.exec(line)?.[1]).find(Boolean);
  return {
    resumed: resumed === undefined ? undefined : Number(resumed),
    losses,
    finished: lines.some((line) => line.startsWith('finished')),
  };
}
