export * from './adadelta.js';
export * from './adagrad.js';
export * from './adam.js';
export * from './adamax.js';
export * from './asgd.js';
export { FusedUpdate } from './fused.js';
export * from './lbfgs.js';
export * from './lr-scheduler/combined.js';
export * from './lr-scheduler/cosine-annealing-lr.js';
export * from './lr-scheduler/cosine-annealing-warm-restarts.js';
export * from './lr-scheduler/cyclic-lr.js';
export * from './lr-scheduler/exponential-lr.js';
export * from './lr-scheduler/lambda-lr.js';
export {
  LRScheduler,
  type Scheduled,
  type ScheduledGroup,
} from './lr-scheduler/lr-scheduler.js';
export * from './lr-scheduler/multi-step-lr.js';
export * from './lr-scheduler/one-cycle-lr.js';
export * from './lr-scheduler/polynomial-lr.js';
export * from './lr-scheduler/reduce-lr-on-plateau.js';
export type { SchedulerStateDict, StateKeys } from './lr-scheduler/state.js';
export * from './lr-scheduler/step-lr.js';
export * from './lr-scheduler/warmup-lr.js';
export * from './nadam.js';
export {
  Optimizer,
  type OptimizerOptions,
  type OptimizerStateDict,
  type Options,
  type OptionValue,
  type ParamGroup,
  type ParamGroupInput,
  type ParamState,
  type Params,
  type StateValue,
} from './optimizer.js';
export * from './radam.js';
export * from './rmsprop.js';
export * from './rprop.js';
export * from './sgd.js';
