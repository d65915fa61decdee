/** Every block starts at a multiple of this: a cache line, and four SIMD registers. */
const alignment = 64;
const smallLimit = 32768;
const slabBytes = 131072;
/** Large blocks are cut in multiples of this. */
const grain = 4096;

/** @internal A stretch of the memory, in a list ordered by address. */
export interface Block {
  start: number;
  size: number;
  free: boolean;
  /** Bytes that were asked for, while in use. */
  asked: number;
  before: Block | undefined;
  after: Block | undefined;
  /** Neighbours in the list of free blocks of about this size. */
  prior: Block | undefined;
  next: Block | undefined;
}

/** A piece of the memory that somebody holds. */
export class Allocation {
  readonly pointer: number;
  /** Bytes reserved for it. */
  readonly bytes: number;
  /** The block it is, or the number of its size class. */
  readonly origin: Block | number;

  constructor(pointer: number, bytes: number, origin: Block | number) {
    this.pointer = pointer;
    this.bytes = bytes;
    this.origin = origin;
  }
}

type AllocationClass<A> = new (pointer: number, bytes: number, origin: Block | number) => A;

/** How many allocations of about one size there are. */
export interface Usage {
  readonly bytes: number;
  readonly count: number;
}

// Small size classes: every 64 bytes up to 512, then four to a doubling.
const classSizes: number[] = [];
for (let size = alignment; size <= 512; size += alignment) classSizes.push(size);
for (let base = 512; base < smallLimit; base *= 2) {
  for (let i = 1; i <= 4; i++) classSizes.push(base + (base / 4) * i);
}
const classOfUnits = new Uint8Array(smallLimit / alignment + 1);
for (let units = 1, c = 0; units < classOfUnits.length; units++) {
  while ((classSizes[c] as number) < units * alignment) c++;
  classOfUnits[units] = c;
}

/** The list for free blocks of `size`: eight to a doubling, so that a fit wastes an eighth at most. */
function binOf(size: number): number {
  const units = size / grain;
  if (units < 8) return units;
  const log = 31 - Math.clz32(units);
  return (log - 2) * 8 + ((units >>> (log - 3)) & 7);
}
const bins = binOf(2 ** 32 - grain) + 1;

/**
 * Hands out a growing linear memory: free lists by size class for small pieces, best fit with splitting and
 * coalescing for large ones. What is released last is handed out first, while it is warm in the cache.
 */
export class Allocator {
  readonly #grow: (end: number) => boolean;
  readonly #pools: number[][] = classSizes.map(() => []);
  readonly #classCounts = new Int32Array(classSizes.length);
  readonly #bins: (Block | undefined)[] = new Array(bins + 1).fill(undefined);
  readonly #binBits = new Int32Array(Math.ceil((bins + 1) / 32));
  readonly #first: Block;
  #last: Block;

  /**
   * @param start Where the memory to hand out begins, a multiple of 4096.
   * @param grow Makes the memory reach up to `end`; false where it cannot.
   */
  constructor(start: number, grow: (end: number) => boolean) {
    this.#grow = grow;
    this.#first = block(start, 0, undefined);
    this.#last = this.#first;
  }

  /** A piece of at least `bytes`, or undefined if the memory is full. */
  allocate(bytes: number): Allocation | undefined;
  allocate<A extends Allocation>(bytes: number, kind: AllocationClass<A>): A | undefined;
  allocate(bytes: number, kind: AllocationClass<Allocation> = Allocation): Allocation | undefined {
    if (bytes > smallLimit) {
      const found = this.#large(Math.ceil(bytes / grain) * grain);
      if (!found) return undefined;
      found.asked = bytes;
      return new kind(found.start, found.size, found);
    }
    const c = classOfUnits[bytes <= alignment ? 1 : (bytes + alignment - 1) >>> 6] as number;
    const pool = this.#pools[c] as number[];
    const size = classSizes[c] as number;
    if (pool.length === 0 && !this.#refill(pool, size)) return undefined;
    (this.#classCounts[c] as number)++;
    return new kind(pool.pop() as number, size, c);
  }

  release({ pointer, origin }: Allocation): void {
    if (typeof origin === 'number') {
      (this.#classCounts[origin] as number)--;
      (this.#pools[origin] as number[]).push(pointer);
    } else this.#free(origin);
  }

  /** What is in use, the sizes that take most first. */
  usage(): Usage[] {
    const counts = new Map<number, number>();
    this.#classCounts.forEach((count, c) => {
      if (count > 0) counts.set(classSizes[c] as number, count);
    });
    for (let b: Block | undefined = this.#first; b; b = b.after) {
      if (!b.free && b.asked > 0) counts.set(b.asked, (counts.get(b.asked) ?? 0) + 1);
    }
    return [...counts]
      .map(([bytes, count]) => ({ bytes, count }))
      .sort((a, b) => b.bytes * b.count - a.bytes * a.count);
  }

  /** Bytes in use, rounding included. */
  get used(): number {
    let sum = 0;
    for (const { bytes, count } of this.usage()) sum += bytes * count;
    return sum;
  }

  /** Bytes of the longest stretch that is free, if the memory may reach up to `end`. */
  largestFree(end: number): number {
    let most = 0;
    for (let b: Block | undefined = this.#first; b; b = b.after) {
      const last = b === this.#last;
      const size = (b.free ? b.size : 0) + (last ? end - b.start - b.size : 0);
      if (size > most) most = size;
    }
    return most;
  }

  #refill(pool: number[], size: number): boolean {
    const slab = this.#large(slabBytes);
    if (!slab) return false;
    for (let p = slab.start + slab.size - size; p >= slab.start; p -= size) pool.push(p);
    return true;
  }

  #large(size: number): Block | undefined {
    const found = this.#fit(size) ?? this.#extend(size);
    if (!found) return undefined;
    found.free = false;
    found.asked = 0;
    if (found.size > size) {
      const rest = block(found.start + size, found.size - size, found);
      rest.after = found.after;
      if (rest.after) rest.after.before = rest;
      else this.#last = rest;
      found.after = rest;
      found.size = size;
      this.#insert(rest);
    }
    return found;
  }

  /** Takes a free block of at least `size` out of its list. */
  #fit(size: number): Block | undefined {
    const own = binOf(size);
    // In the bin of its own size some blocks may be too small: take the first of the first few that fits.
    let tries = 8;
    for (let b = this.#bins[own]; b && tries > 0; b = b.next, tries--) {
      if (b.size >= size) return this.#remove(b, own);
    }
    for (let word = (own + 1) >>> 5, bit = (own + 1) & 31; word < this.#binBits.length; word++) {
      const bits = (this.#binBits[word] as number) & (-1 << bit);
      bit = 0;
      if (bits !== 0) {
        const bin = word * 32 + 31 - Math.clz32(bits & -bits);
        return this.#remove(this.#bins[bin] as Block, bin);
      }
    }
    for (let b = this.#bins[own]; b; b = b.next) if (b.size >= size) return this.#remove(b, own);
    return undefined;
  }

  /** Lengthens the memory, at first by more than is asked, so that it happens seldom. */
  #extend(size: number): Block | undefined {
    const last = this.#last;
    const end = last.start + last.size;
    const missing = last.free ? size - last.size : size;
    const chunk = Math.max(missing, Math.min(2 ** 28, Math.max(2 ** 24, end / 8)));
    let added = Math.ceil(chunk / 65536) * 65536;
    if (!this.#grow(end + added)) {
      added = Math.ceil(missing / 65536) * 65536;
      if (!this.#grow(end + added)) return undefined;
    }
    if (last.free) {
      this.#remove(last, binOf(last.size));
      last.size += added;
      return last;
    }
    const fresh = block(end, added, last);
    last.after = fresh;
    this.#last = fresh;
    return fresh;
  }

  #free(freed: Block): void {
    let b = freed;
    b.free = true;
    const { before, after } = b;
    if (after?.free) {
      this.#remove(after, binOf(after.size));
      this.#join(b, after);
    }
    if (before?.free) {
      this.#remove(before, binOf(before.size));
      this.#join(before, b);
      b = before;
    }
    this.#insert(b);
  }

  #join(left: Block, right: Block): void {
    left.size += right.size;
    left.after = right.after;
    if (right.after) right.after.before = left;
    else this.#last = left;
  }

  #insert(b: Block): void {
    const bin = binOf(b.size);
    const head = this.#bins[bin];
    b.free = true;
    b.prior = undefined;
    b.next = head;
    if (head) head.prior = b;
    else (this.#binBits[bin >>> 5] as number) |= 1 << (bin & 31);
    this.#bins[bin] = b;
  }

  #remove(b: Block, bin: number): Block {
    if (b.next) b.next.prior = b.prior;
    if (b.prior) b.prior.next = b.next;
    else {
      this.#bins[bin] = b.next;
      if (!b.next) (this.#binBits[bin >>> 5] as number) &= ~(1 << (bin & 31));
    }
    b.next = undefined;
    b.prior = undefined;
    return b;
  }
}

function block(start: number, size: number, before: Block | undefined): Block {
  return {
    start,
    size,
    free: false,
    asked: 0,
    before,
    after: undefined,
    prior: undefined,
    next: undefined,
  };
}
