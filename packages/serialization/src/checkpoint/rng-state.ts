import { Device, defaultGenerator, registeredDevices, Tensor } from '@sconce/core';
import { FileError } from '../errors.js';
import { byteTensor } from '../torch/encoder.js';

/**
 * The states of the default generators, by device: on the cpu PyTorch's own bytes, which `torch.set_rng_state` takes.
 *
 * @param devices devices besides the first of each registered type.
 */
export function rngStates(devices: Iterable<string>): Map<string, Tensor> {
  const names = new Set([...registeredDevices(), ...devices]);
  return new Map(
    [...names].map((name) => [name, byteTensor(defaultGenerator(Device.from(name)).getState())]),
  );
}

/** The bytes of a generator's state. @throws FileError if the value is no such tensor. */
export function stateBytes(value: unknown): Uint8Array {
  if (value instanceof Tensor && value.dtype === 'uint8')
    return value.toTypedArraySync() as Uint8Array;
  throw new FileError('restore: the state of a random generator is no tensor of bytes');
}

/** Sets the default generators; devices that are not there are left out. */
export function setRngStates(states: ReadonlyMap<string, unknown>): void {
  const here = new Set(registeredDevices());
  for (const [name, state] of states) {
    if (here.has(name.split(':')[0] as string))
      defaultGenerator(Device.from(name)).setState(stateBytes(state));
  }
}
