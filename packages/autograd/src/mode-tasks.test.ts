import { tensor } from '@sconce/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
  setGradEnabled,
} from './index.js';

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
const recorded = (): boolean => tensor([1], { requiresGrad: true }).mul(2).requiresGrad;

describe('modes across await', () => {
  afterEach(() => {
    expect([isGradEnabled(), isInferenceModeEnabled(), recorded()]).toEqual([true, false, true]);
  });

  test('last for an async function, and for no other task', async () => {
    const seen: boolean[] = [];
    const other = (async () => {
      for (let i = 0; i < 4; i++) {
        seen.push(recorded());
        await tick();
      }
    })();
    const inside = noGrad(async () => {
      const before = recorded();
      await tick();
      const layer = async () => {
        await tick();
        return recorded();
      };
      return [before, await layer(), recorded()];
    });
    expect(recorded()).toBe(true);
    expect(await inside).toEqual([false, false, false]);
    expect(recorded()).toBe(true);
    await other;
    expect(seen).toEqual([true, true, true, true]);
  });

  test('last for what a plain function returns the promise of', async () => {
    const evaluate = async () => {
      await tick();
      return recorded();
    };
    const pending = noGrad(() => evaluate());
    const training = evaluate();
    expect(await pending).toBe(false);
    expect(await training).toBe(true);
  });

  test('end by themselves, in whatever order tasks end', async () => {
    const task = async (first: number, second: number) => {
      const seen: boolean[] = [];
      for (let i = 0; i < first; i++) await tick();
      {
        using _ = noGrad();
        for (let i = 0; i < second; i++) {
          seen.push(recorded());
          await tick();
        }
      }
      return [...seen, recorded()];
    };
    const tasks = [task(1, 2), task(2, 3), task(1, 4), task(3, 1)];
    expect(await Promise.all(tasks)).toEqual([
      [false, false, true],
      [false, false, false, true],
      [false, false, false, false, true],
      [false, true],
    ]);
  });

  test('blocks that begin at once and overlap leave nothing behind', async () => {
    const task = async (ticks: number) => {
      using _ = noGrad();
      for (let i = 0; i < ticks; i++) await tick();
      return recorded();
    };
    expect(await Promise.all([task(2), task(1), task(3)])).toEqual([false, false, false]);
    expect(recorded()).toBe(true);
  });

  test('nest', async () => {
    const found = await noGrad(async () => {
      await tick();
      const inner = enableGrad(async () => {
        await tick();
        const on = recorded();
        const off = await inferenceMode(async () => {
          await tick();
          return [isGradEnabled(), isInferenceModeEnabled()];
        });
        return [on, off, recorded()];
      });
      const meanwhile = recorded();
      return [meanwhile, await inner, recorded()];
    });
    expect(found).toEqual([false, [true, [false, true], true], false]);
    {
      using _ = noGrad();
      await tick();
      {
        using _ = enableGrad();
        await tick();
        expect(recorded()).toBe(true);
      }
      expect(recorded()).toBe(false);
    }
  });

  test('end with an error', async () => {
    await expect(
      noGrad(async () => {
        await tick();
        throw new Error('late');
      }),
    ).rejects.toThrow('late');
    const block = async () => {
      using _ = noGrad();
      await tick();
      throw new Error('in a block');
    };
    await expect(block()).rejects.toThrow('in a block');
    expect(() =>
      noGrad(() => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
  });

  test('what is started and not awaited goes on without them', async () => {
    const seen: boolean[] = [];
    const { detached } = noGrad(() => {
      const run = async () => {
        seen.push(recorded());
        await tick();
        seen.push(recorded());
      };
      return { detached: run() };
    });
    await detached;
    expect(seen).toEqual([false, true]);
  });

  test('hold in generators, and only while these run', async () => {
    const steps = noGrad(function* () {
      yield recorded();
      yield recorded();
      return recorded();
    });
    expect([steps.next().value, recorded(), steps.next().value, steps.next().value]).toEqual([
      false,
      true,
      false,
      false,
    ]);
    const later = noGrad(async function* () {
      for (let i = 0; i < 2; i++) {
        await tick();
        yield recorded();
      }
    });
    for await (const value of later) expect([value, recorded()]).toEqual([false, true]);
    expect([
      ...noGrad(function* () {
        yield* [1, recorded()];
      }),
    ]).toEqual([1, false]);
  });

  test('blocks of generators end in any order', () => {
    function* block() {
      using _ = noGrad();
      yield recorded();
    }
    const [a, b] = [block(), block()];
    expect([a.next().value, b.next().value]).toEqual([false, false]);
    a.return(undefined);
    expect(recorded()).toBe(false);
    b.return(undefined);
    expect(recorded()).toBe(true);
  });

  test('setGradEnabled holds from here on, within the function it is called in', async () => {
    setGradEnabled(false);
    await tick();
    expect(recorded()).toBe(false);
    setGradEnabled(true);
    await enableGrad(async () => {
      setGradEnabled(false);
      await tick();
      expect(recorded()).toBe(false);
    });
    expect(recorded()).toBe(true);
    noGrad(() => {
      setGradEnabled(true);
      expect(recorded()).toBe(true);
    });
    const [first, second] = [setGradEnabled(false), setGradEnabled(false)];
    first[Symbol.dispose]();
    expect(recorded()).toBe(false);
    second[Symbol.dispose]();
    second[Symbol.dispose]();
  });

  test('a hook may change the mode of the backward pass, which ends with it', () => {
    const x = tensor([2], { requiresGrad: true });
    const y = x.mul(x);
    const seen: boolean[] = [];
    y.registerHook(() => {
      seen.push(isGradEnabled());
      setGradEnabled(true);
      seen.push(isGradEnabled());
      return undefined;
    });
    y.backward();
    expect(seen).toEqual([false, true]);
    expect(x.grad?.toArraySync()).toEqual([4]);
  });
});

describe('where no platform follows tasks', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  const fresh = async () => {
    vi.resetModules();
    vi.spyOn(process, 'getBuiltinModule').mockImplementation((() => undefined) as never);
    return await import('./index.js');
  };

  test('the synchronous forms work, and the others say so', async () => {
    const modes = await fresh();
    expect(modes.noGrad(() => modes.isGradEnabled())).toBe(false);
    {
      using _ = modes.noGrad();
      expect(modes.isGradEnabled()).toBe(false);
    }
    expect(modes.isGradEnabled()).toBe(true);
    let ran = false;
    expect(() =>
      modes.noGrad(async () => {
        ran = true;
      }),
    ).toThrow(/^noGrad: this platform cannot tell .* wrap the synchronous parts/);
    expect(ran).toBe(false);
    expect(() => modes.inferenceMode(() => tick())).toThrow(/^inferenceMode: this platform/);
    // What is on already may be asked for.
    expect(await modes.enableGrad(async () => modes.isGradEnabled())).toBe(true);
    modes.setGradEnabled(false);
    await tick();
    expect(modes.isGradEnabled()).toBe(false);
    modes.setGradEnabled(true);
  });

  test('a block with an await in it ends there, and says so at its end', async () => {
    const modes = await fresh();
    const block = async () => {
      using _ = modes.noGrad();
      expect(modes.isGradEnabled()).toBe(false);
      await tick();
    };
    const pending = block();
    await Promise.resolve();
    expect(modes.isGradEnabled()).toBe(true);
    await expect(pending).rejects.toThrow(/^noGrad: .* it ended at the first await of the block/);
  });
});
