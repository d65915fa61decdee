import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What runs in Python: evaluates a line of set-up, or times one call of a line and prints its milliseconds. */
const program = `
import sys, time
import torch
torch.set_num_threads(int(sys.argv[1]))
names = {'torch': torch}
print(torch.__version__, flush=True)
for line in sys.stdin:
    kind, code = line.rstrip('\\n').split(' ', 1)
    if kind == 'do':
        exec(code, names)
        print('done', flush=True)
    else:
        call = eval('lambda: ' + code, names)
        begin = time.perf_counter()
        call()
        print((time.perf_counter() - begin) * 1e3, flush=True)
`;

/** PyTorch in a process of its own, which computes when it is asked to and sleeps in between. */
export class PyTorch {
  readonly version: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, version: string) {
    this.#child = child;
    this.#lines = lines;
    this.version = version;
  }

  /** PyTorch of the Python that `PYTHON` names, or of the first on this system that has it; undefined where none has. */
  static async open(threads: number): Promise<PyTorch | undefined> {
    const { PYTHON } = process.env;
    for (const python of PYTHON ? [PYTHON] : ['python3', '/usr/bin/python3']) {
      const child = spawn(python, ['-W', 'ignore', '-c', program, `${threads}`], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const failed = new Promise<undefined>((resolve) =>
        child.on('error', () => resolve(undefined)),
      );
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const first = await Promise.race([lines.next(), failed]);
      if (first && !first.done) return new PyTorch(child, lines, first.value);
    }
    return undefined;
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    const answer = await this.#lines.next();
    if (answer.done) throw new Error(`PyTorch ended at: ${line}`);
    return answer.value;
  }

  /** Runs a statement. */
  async do(code: string): Promise<void> {
    await this.#ask(`do ${code}`);
  }

  /** Milliseconds that one evaluation of an expression takes. */
  async time(code: string): Promise<number> {
    return Number(await this.#ask(`time ${code}`));
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
