import type { GroupName } from '../corpus/corpus.js';
import { autogradErrors } from './autograd-errors.js';
import type { Group } from './group.js';
import { indexing } from './indexing.js';
import { modules } from './modules.js';
import { ops } from './ops.js';
import { optim } from './optim.js';
import { print } from './print.js';
import { rng } from './rng.js';
import { sched } from './sched.js';
import { serialization } from './serialization.js';
import { train } from './train.js';
import { views } from './views.js';

/** How each group of the corpus is run. */
export const groups: Readonly<Record<GroupName, Group>> = {
  ops,
  ops_ref: ops,
  ops_extra: ops,
  rng,
  modules,
  train,
  optim,
  sched,
  print,
  serialization,
  indexing,
  views,
  autograd_errors: autogradErrors,
  ops_errors: ops,
};
