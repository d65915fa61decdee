import type { Device } from '@sconce/core';
import type { Module } from '@sconce/nn';

/**
 * A training script: the model after initialisation, then one loss a step. Random numbers are drawn on the default
 * device, which must be one with PyTorch's stream, and trained with on `device`.
 */
export type Trace = (
  seed: number,
  device: Device,
) => AsyncGenerator<Module | number, void, undefined>;
