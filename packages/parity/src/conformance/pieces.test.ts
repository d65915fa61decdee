import { InterpreterBackend, init, type Primitive, registerBackend } from '@sconce/core';
import { runInPieces } from '@sconce/kernels';
import { describe } from 'vitest';
import { Fixture } from './fixture.js';
import { limitsOf } from './limits.js';
import { patience } from './pair.js';
import { primitiveTests } from './primitive-tests.js';
import { propertyTests } from './properties.js';

/** The interpreter, with loops cut in pieces of so many positions. */
class InPieces extends InterpreterBackend {
  readonly most: number;

  constructor(most: number) {
    super();
    this.most = most;
  }

  override execute(p: Primitive): void {
    if (p.kind === 'map' || p.kind === 'reduce' || p.kind === 'scan' || p.kind === 'scatter') {
      runInPieces(p, this.most, (piece) => super.execute(piece));
    } else super.execute(p);
  }
}

const reference = new Fixture(await init('reference'));
const most = 7;
registerBackend('pieces', { open: () => new InPieces(most) });
const fixture = new Fixture(await init('pieces'));
const limits = limitsOf('pieces');
describe(`in pieces of ${most}: primitives`, { timeout: patience }, () =>
  primitiveTests(fixture, limits),
);
describe(`in pieces of ${most}: properties`, { timeout: patience }, () => {
  propertyTests(fixture, reference, limits);
});
