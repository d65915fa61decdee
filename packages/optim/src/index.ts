export * from './adam.js';
export { FusedUpdate } from './fused.js';
export * from './lr-scheduler/cosine-annealing-lr.js';
export * from './lr-scheduler/lambda-lr.js';
export * from './lr-scheduler/lr-scheduler.js';
export * from './lr-scheduler/step-lr.js';
export {
  Optimizer,
  type OptimizerStateDict,
  type Options,
  type OptionValue,
  type ParamGroup,
  type ParamGroupInput,
  type ParamState,
  type Params,
} from './optimizer.js';
export * from './sgd.js';
