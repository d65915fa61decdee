import { InterpreterBackend } from '@sconce/core';
import { expect, test } from 'vitest';
import {
  Device,
  init,
  nn,
  ones,
  registerBackend,
  setDefaultDevice,
  type Tensor,
  tensor,
  zeros,
} from './index.js';

declare module '@sconce/core' {
  interface DeviceTypes {
    mine: true;
  }
}

/** Calls that types refuse, for what happens to them at run time. */
const loose = (x: Tensor | nn.Module) => x as unknown as { to(...args: unknown[]): unknown };

test('devices and dtypes are literals, and names known only at run time are Device.from(name)', async () => {
  // @ts-expect-error: no such device
  await expect(init('gpu')).rejects.toThrow(
    /^device 'gpu' is not registered .*; GPUs of every maker are the device 'webgpu'/,
  );
  // @ts-expect-error: no such dtype or device
  expect(() => ones([1]).to('int65')).toThrow(
    /^to: 'int65' is neither a dtype \(float32, .*, bool\) nor a device \(cpu, .*\)$/,
  );
  // @ts-expect-error: no such dtype
  expect(() => ones([1]).to({ dtype: 'int65' })).toThrow(
    /^to: 'int65' is not a dtype; there are float32, /,
  );
  // @ts-expect-error: no such device
  expect(() => zeros([1], { device: 'cpx' })).toThrow("device 'cpx' is not registered");
  const name: string = 'cpu:1';
  expect(ones([1]).to(Device.from(name)).device).toBe(await init('cpu:1'));
  registerBackend('mine', { open: () => new InterpreterBackend() });
  expect(ones([1]).to('mine').device.type).toBe('mine');
});

test('to takes a device and a dtype, a tensor, and options behind either', () => {
  const x = tensor([1, 2]);
  const far = x.to('reference', 'float64');
  expect([far.device.type, far.dtype, far.toArraySync()]).toEqual(['reference', 'float64', [1, 2]]);
  expect(x.to('cpu', 'float32')).toBe(x);
  const copy = x.to('cpu', 'float32', { copy: true });
  expect([copy === x, copy.storage === x.storage]).toEqual([false, false]);
  expect(x.to('float32', { copy: true })).not.toBe(x);
  const like = x.to(far);
  expect([like.device.type, like.dtype]).toEqual(['reference', 'float64']);
  expect(loose(x).to(far, { copy: true })).not.toBe(far);
  expect(x.to({ device: 'reference', dtype: 'int64' }).dtype).toBe('int64');
  // @ts-expect-error: the device comes first
  expect(() => x.to('float64', 'cpu')).toThrow("to: 'cpu' is not a dtype");
  expect(() => loose(x).to('float64', 'float32')).toThrow(
    "to: a second dtype can only follow a device, as in to('cpu', 'float64'); got 'float32' after 'float64'",
  );
  expect(() => loose(x).to('cpu', 'float64', { copi: true })).toThrow(/^to: .*did you mean copy\?/);
  expect(() => loose(x).to({ devise: 'cpu' })).toThrow(/^to: .*did you mean device\?/);
  expect(() => loose(x).to('cpu', 'float64', {}, 1)).toThrow(/^to/);
  expect(() => setDefaultDevice('cpx' as never)).toThrow("device 'cpx' is not registered");
  expect(loose(x).to('cpu', undefined, undefined)).toBe(x);
  for (const wrong of [undefined, null, 5, true]) expect(() => loose(x).to(wrong)).toThrow(/^to: /);
});

test('modules take the same', async () => {
  const layer = new nn.Linear(2, 2).to('reference', 'float64');
  expect([layer.weight.device.type, layer.weight.dtype]).toEqual(['reference', 'float64']);
  layer.to(ones([1]));
  expect([layer.weight.device.type, layer.weight.dtype]).toEqual(['cpu', 'float32']);
  await layer.toAsync('reference', 'float64');
  expect([layer.weight.device.type, layer.weight.dtype]).toEqual(['reference', 'float64']);
  // @ts-expect-error: no such device
  expect(() => layer.to('cpx')).toThrow("to: 'cpx' is neither a dtype");
});
