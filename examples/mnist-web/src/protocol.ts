import type { Misread } from '@sconce-examples/mnist/misread';
import type { Progress } from '@sconce-examples/mnist/train';

/** How to train. */
export interface Settings {
  device: 'cpu' | 'webgpu';
  epochs: number;
  /** Digits to train with and to test on. */
  train: number;
  test: number;
  batchSize: number;
  lr: number;
  seed: number;
}

/** What the page asks of the worker. */
export type Command =
  | { type: 'start'; settings: Settings; digits: string }
  | { type: 'stop' }
  /** 28 * 28 values from 0 to 1. */
  | { type: 'read'; pixels: Float32Array };

/** What a device is, or why there is none. */
export type DeviceReport = { available: boolean; text: string };

/** What the worker tells the page. */
export type Report =
  | { type: 'devices'; cpu: DeviceReport; webgpu: DeviceReport }
  /** Loaded and under way, on the device that holds the weights. */
  | { type: 'training'; device: string }
  | { type: 'progress'; progress: Progress }
  | {
      type: 'epoch';
      epoch: number;
      loss: number;
      accuracy: number;
      tested: number;
      /** The first of the test digits that were misread. */
      misread: Misread[];
    }
  | { type: 'end'; stopped: boolean; seconds: number }
  /** The probability of each digit. */
  | { type: 'guess'; probabilities: number[] }
  | { type: 'failed'; message: string };
