import { checking } from '@sconce/core';
import * as signatures from '../signatures.js';

/** What a worker of a `DataLoader` knows of itself. */
export interface WorkerInfo {
  /** 0 to numWorkers - 1. */
  readonly id: number;
  readonly numWorkers: number;
  /** What its default generator was seeded with: the loader's base seed plus `id`. */
  readonly seed: bigint;
  /** Its copy of the dataset; undefined while that is being made. */
  readonly dataset: unknown;
}

let current: WorkerInfo | null = null;

/**
 * What is known of the worker this runs in; null outside the workers of a `DataLoader`.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info
 * @example const { id, numWorkers } = getWorkerInfo() ?? { id: 0, numWorkers: 1 };
 */
export const getWorkerInfo = checking(
  'getWorkerInfo',
  signatures.getWorkerInfo,
  (): WorkerInfo | null => current,
);

export function setWorkerInfo(info: WorkerInfo | null): void {
  current = info;
}
