import { Device, InterpreterBackend, init } from '@sconce/core';
import { describe, test } from 'vitest';
import { accuracyTests } from './accuracy.js';
import { Fixture } from './fixture.js';
import { functionTests } from './function-tests.js';
import { largeTests } from './large-tests.js';
import { limitsOf } from './limits.js';
import { patience } from './pair.js';
import { primitiveTests } from './primitive-tests.js';
import { propertyTests } from './properties.js';

/** The device, or the sentence that says why it is not here. */
async function open(name: string): Promise<Device | string> {
  try {
    const device = await init(Device.from(name));
    if (name !== 'reference' && device.backend instanceof InterpreterBackend) {
      return `'${name}' is the interpreter here: no backend has taken its place`;
    }
    return device;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * The conformance suite: what a device must do to be one. Hand-picked cases of every primitive and every
 * function, properties against the reference interpreter, and the accuracy of every float function.
 * `SCONCE_RUNS` is the number of random cases of each property.
 *
 * @example await describeConformance('cpu');
 */
export async function describeConformance(name: string): Promise<void> {
  const device = await open(name);
  if (typeof device === 'string') {
    console.warn(`conformance of '${name}' skipped: ${device}`);
    test.skip(`conformance of '${name}': ${device}`);
    return;
  }
  const fixture = new Fixture(device);
  const reference = new Fixture(await init('reference'));
  const limits = limitsOf(name);
  describe(`${name}: functions by hand`, () => functionTests(fixture, limits));
  describe(`${name}: primitives by hand`, () => primitiveTests(fixture, limits));
  describe(`${name}: large operands`, { timeout: patience }, () => {
    largeTests(fixture, reference);
  });
  describe(`${name}: accuracy`, () => accuracyTests(fixture, reference, limits));
  describe(`${name}: properties`, { timeout: patience }, () => {
    propertyTests(fixture, reference, limits);
  });
}
