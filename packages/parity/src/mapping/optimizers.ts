import { Float } from '@sconce/core';
import { LambdaValue, type Value } from '../corpus/value.js';
import { classNamed } from './library.js';
import { camelCase } from './names.js';
import { bind, convert, parseSignature } from './signature.js';
import { evaluate } from './world.js';

/** Options of ours from PyTorch's keyword arguments; `None` is left out. */
export function optionsFrom(kwargs: Iterable<readonly [string, Value]>): Record<string, Value> {
  const options: Record<string, Value> = {};
  for (const [name, value] of kwargs) {
    if (value === null || value === undefined) continue;
    options[camelCase(name)] = words.has(name) ? camelCase(String(value)) : convert(value);
  }
  return options;
}

/** Options whose values are words of ours, in camelCase. */
const words = new Set(['line_search_fn']);

/** Builds our counterpart of an optimizer of PyTorch's. */
export function buildOptimizer<T>(
  name: string,
  params: Value,
  kwargs: Iterable<readonly [string, Value]>,
): T {
  const groups = Array.isArray(params)
    ? Array.from(params, (p: Value) => (p instanceof Map ? optionsFrom(p) : p))
    : params;
  return new (classNamed('optim', name))(groups, optionsFrom(kwargs)) as T;
}

const schedulerSignatures: Readonly<Record<string, string>> = {
  LambdaLR: 'optimizer lr_lambda | last_epoch',
  MultiplicativeLR: 'optimizer lr_lambda | last_epoch',
  StepLR: 'optimizer step_size | gamma last_epoch',
  MultiStepLR: 'optimizer milestones | gamma last_epoch',
  ConstantLR: 'optimizer | factor total_iters last_epoch',
  LinearLR: 'optimizer | start_factor end_factor total_iters last_epoch',
  ExponentialLR: 'optimizer gamma | last_epoch',
  PolynomialLR: 'optimizer | total_iters power last_epoch',
  CosineAnnealingLR: 'optimizer T_max | eta_min last_epoch',
  CosineAnnealingWarmRestarts: 'optimizer T_0 | T_mult:tMult eta_min last_epoch',
  CyclicLR:
    'optimizer base_lr max_lr | step_size_up step_size_down mode^ gamma scale_fn scale_mode cycle_momentum base_momentum max_momentum last_epoch',
  OneCycleLR:
    'optimizer max_lr | total_steps epochs steps_per_epoch pct_start anneal_strategy cycle_momentum base_momentum max_momentum div_factor final_div_factor three_phase last_epoch',
  ReduceLROnPlateau:
    'optimizer | mode factor patience threshold threshold_mode cooldown min_lr eps',
  SequentialLR: 'optimizer schedulers milestones | last_epoch',
  ChainedScheduler: 'schedulers',
};

/** Builds our counterpart of a scheduler of PyTorch's. */
export function buildScheduler<T>(
  name: string,
  optimizer: Value,
  kwargs: ReadonlyMap<string, Value>,
): T {
  const scheduler = classNamed('optim', name);
  const text = schedulerSignatures[name];
  const given = name === 'ChainedScheduler' ? [] : [optimizer];
  const keywords = new Map([...kwargs].map(([k, v]) => [k, functions(v)] as const));
  return new scheduler(
    ...bind(name, text === undefined ? undefined : parseSignature(text), given, keywords),
  ) as T;
}

/** Expressions of `epoch` become functions. */
function functions(value: Value): Value {
  if (Array.isArray(value)) return Array.from(value, functions);
  if (!(value instanceof LambdaValue)) return value;
  return (epoch: number) => {
    const result = evaluate(value.source, new Map<string, Value>([['epoch', epoch]]));
    return result instanceof Float ? result.value : result;
  };
}
