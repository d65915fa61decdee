import type { Module } from '@sconce/nn';
import { ModuleValue, type Value } from '../corpus/value.js';
import { buildModule, callModule } from '../mapping/modules.js';

/** A layer by PyTorch's name and arguments, through the mapping. */
export const layer = (name: string, args: Value[], kwargs: Record<string, Value> = {}): Module =>
  buildModule(new ModuleValue(name, args, new Map(Object.entries(kwargs))));

/** Calls such a layer by PyTorch's arguments. */
export const apply = <T>(
  name: string,
  module: Module,
  args: Value[],
  kwargs: Record<string, Value> = {},
): T => callModule(name, module, args, new Map(Object.entries(kwargs))) as T;
