import { centerDigit } from './center-digit.js';

/** A canvas to draw a digit on with mouse, pen or finger. */
export class DrawingPad {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #onChange: (digit: Float32Array | undefined) => void;
  #frame = 0;

  /** @param onChange gets the digit in the form of MNIST's, undefined once nothing is drawn; at most once a frame. */
  constructor(canvas: HTMLCanvasElement, onChange: (digit: Float32Array | undefined) => void) {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('this browser cannot draw on a canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#onChange = onChange;
    context.lineWidth = canvas.width / 13;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      context.beginPath();
      context.moveTo(...this.#position(event));
      this.#line(event);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 0 || !canvas.hasPointerCapture(event.pointerId)) return;
      for (const part of event.getCoalescedEvents()) this.#line(part);
      this.#line(event);
    });
  }

  clear(): void {
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#changed();
  }

  /** What is drawn, in the form of MNIST's digits; undefined if nothing is. */
  digit(): Float32Array | undefined {
    const { width, height } = this.#canvas;
    const { data } = this.#context.getImageData(0, 0, width, height);
    const ink = new Uint8Array(width * height);
    for (let i = 0; i < ink.length; i++) ink[i] = data[i * 4 + 3] as number;
    return centerDigit(ink, width, height);
  }

  #line(event: PointerEvent): void {
    // The canvas is transparent; its ink takes the colour of the text.
    this.#context.strokeStyle = getComputedStyle(this.#canvas).color;
    this.#context.lineTo(...this.#position(event));
    this.#context.stroke();
    this.#changed();
  }

  #position(event: PointerEvent): [number, number] {
    const box = this.#canvas.getBoundingClientRect();
    const scale = this.#canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  #changed(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#onChange(this.digit());
    });
  }
}
