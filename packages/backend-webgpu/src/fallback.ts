import { environment, NotImplementedError, type Primitive, runningOperation } from '@sconce/core';

/** What the environment says of the option `fallback`; browsers have none. */
const allowedByDefault = (): boolean =>
  /^(1|true|on|yes)$/i.test(environment('SCONCE_FALLBACK') ?? '');

/** Whether the host may compute what the device cannot: only where the user asks for it, and never in silence. */
export class Fallback {
  allowed: boolean;
  /** How messages say what to call. */
  readonly option: string;
  readonly #warned = new Set<string>();

  /** @param name the device, as users call it. */
  constructor(name: string, allowed: boolean | undefined) {
    this.allowed = allowed ?? allowedByDefault();
    this.option = `\`await init('${name}', { fallback: true })\``;
  }

  /**
   * Says once for each operation that the host computes a primitive of it, and why.
   *
   * @throws NotImplementedError if that is not allowed.
   */
  use(primitive: Primitive, why: string): undefined {
    const operation = runningOperation() ?? primitive.kind;
    const reason = `${operation}: webgpu cannot run this here, ${why}`;
    if (!this.allowed) {
      throw new NotImplementedError(
        `${reason}; move the tensors to the cpu, or have the host compute such operations with ${this.option}`,
      );
    }
    if (this.#warned.has(operation)) return;
    this.#warned.add(operation);
    console.warn(`sconce: ${reason}; it is computed on the host, which is slow`);
  }
}
