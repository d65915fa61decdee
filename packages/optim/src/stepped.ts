/** Whether the optimizers there are have taken a step; schedulers should not go first. */
const steps = new WeakMap<object, boolean>();

/** Says that an optimizer was made, or has taken a step. */
export const noteStep = (optimizer: object, taken: boolean): void => {
  if (taken !== steps.get(optimizer)) steps.set(optimizer, taken);
};

/** Whether an optimizer has never taken a step. */
export const isUnstepped = (optimizer: object): boolean => steps.get(optimizer) === false;

let warned = false;

/** Says once that a scheduler was stepped before its optimizer. */
export function warnOrder(scheduler: string): void {
  if (warned) return;
  warned = true;
  console.warn(
    `${scheduler}: detected call of scheduler.step() before optimizer.step(); call them in the opposite order, or the first value of the schedule is skipped (see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate)`,
  );
}
