/** Watches how long the page goes without running anything. */
export class Heartbeat {
  /** The longest pause since `start`, in milliseconds. */
  longest = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #last = 0;

  start(): void {
    this.stop();
    this.longest = 0;
    this.#last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      // Browsers hold back the timers of pages that nobody sees.
      if (!document.hidden) this.longest = Math.max(this.longest, now - this.#last);
      this.#last = now;
    }, 10);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
