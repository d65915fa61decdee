import type { Tensor } from '@sconce/core';
import type { Module } from '@sconce/nn';

/** A training script: the model after initialisation, then one loss a step. */
export type Trace = (seed: number) => AsyncGenerator<Module | number, void, undefined>;

/** A model that maps a tensor to a tensor. */
export type Model = Module & ((x: Tensor) => Tensor);
