import 'sconce';
import { describe, expect, it } from 'vitest';
import { byFunction, corners, expectCorner } from './corners.js';

describe('derivatives at zeros, ties and bounds are those of PyTorch', () => {
  it.each(byFunction(corners))('%s', async (_, cases) => {
    expect.hasAssertions();
    for (const corner of cases) {
      await expectCorner(corner, { dtype: 'float64', device: 'cpu', tolerance: 1e-9 });
    }
  });
});
