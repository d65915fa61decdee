/**
 * How many nodes there are, roughly, for errors about full memory. Nodes made one after another hold one object, their
 * block; a weak reference to each block tells whether any of them lives, at a fraction of the cost of one to each node.
 */

/** What the nodes of a block hold. */
export interface Block {
  /** Nodes made. */
  count: number;
  /** Backward passes there had been before the first of them. */
  readonly passes: number;
}

const blockNodes = 16;
/** Weak references to blocks are looked through when there are twice as many as lived last time, and at least so many. */
const fewest = 4096;

let passes = 0;
let open: Block = { count: blockNodes, passes: 0 };
let blocks: WeakRef<Block>[] = [];
let lookAt = fewest;

/** The block of a node that is being made. */
export function enroll(): Block {
  if (open.count >= blockNodes || open.passes !== passes) {
    open = { count: 0, passes };
    if (blocks.length >= lookAt) {
      blocks = blocks.filter((ref) => ref.deref());
      lookAt = Math.max(fewest, 2 * blocks.length);
    }
    blocks.push(new WeakRef(open));
  }
  open.count++;
  return open;
}

/** Notes that a backward pass begins. */
export function notePass(): void {
  passes++;
}

/** What graphs hold, as a clause; undefined if there are none. */
export function describeGraphs(): string | undefined {
  // No node must seem to live because the next one would join it.
  open = { count: blockNodes, passes };
  const living = blocks.flatMap((ref) => ref.deref() ?? []);
  const count = living.reduce((sum, block) => sum + block.count, 0);
  if (count === 0) return undefined;
  const since = living.reduce((least, block) => Math.min(least, block.passes), passes);
  const age =
    passes === 0
      ? 'no backward pass has been run'
      : `the oldest since after backward pass ${since} of ${passes}`;
  return `autograd keeps up to ${count} graph nodes with what they saved (${age}); keep numbers (item()) or detach() of results instead of the results themselves, and compute without gradients under noGrad()`;
}
