import { describe, expect, it } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { init, nn, ones, tensor, zeros } from './index.js';

/** Wrong use gives an error that names the operation, the values at fault and the way out. */
describe('errors a person can act on', () => {
  it('shapes', () => {
    expect(() => zeros([3, 4]).matmul(zeros([5, 6]))).toThrow(
      'matmul: [3, 4] and [5, 6] cannot be multiplied (4 != 5)',
    );
    expect(() => zeros([2, 3]).add(zeros([4]))).toThrow(
      'add: the size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1 (shapes [2, 3] and [4])',
    );
    expect(() => zeros([2, 3]).reshape(4)).toThrow(
      "reshape: shape '[4]' is invalid for input of size 6",
    );
    expect(() => new nn.Conv2d(6, 3, 5)(zeros([16, 1, 28, 28]))).toThrow(
      /conv2d: Given groups=1, weight of size \[3, 6, 5, 5\], expected input\[16, 1, 28, 28\] to have 6 channels, but got 1 channels instead/,
    );
  });

  it('dtypes', () => {
    expect(() => ones([2, 2]).matmul(ones([2, 2], { dtype: 'float64' }))).toThrow(
      'matmul: expected both tensors to have the same dtype, but got float32 and float64',
    );
    expect(() => tensor([1n, 2n]).add_(0.5)).toThrow(
      "add_: result type float32 can't be cast to the desired output type int64",
    );
    expect(() => tensor([1n, 2n]).mean()).toThrow(/could not infer output dtype.*Got: int64/);
  });

  it('devices', () => {
    expect(() => zeros([1], { device: 'tpu' as never })).toThrow(
      /device 'tpu' is not registered \(registered: .*'cpu'.*\); import the package that provides it$/,
    );
    expect(() => zeros([1], { device: 'cuda' as never })).toThrow(
      /device 'cuda' is not registered .*; GPUs of every maker are the device 'webgpu', of '@sconce\/backend-webgpu'$/,
    );
    expect(() => ones([2]).add(ones([2], { device: 'reference' }))).toThrow(
      /add: expected all tensors to be on the same device, but found cpu and reference; move one with \.to\('cpu'\)/,
    );
    expect(() => ones([2, 2]).matmul(ones([2, 2], { device: 'reference' }))).toThrow(
      /expected all tensors to be on the same device/,
    );
  });

  it('memory that was given back', () => {
    const x = ones([2]);
    x.dispose();
    expect(() => x.add(1)).toThrow(
      /was used after its memory was released by dispose\(\) or tidy\(\)/,
    );
    expect(() => x.sum().itemSync()).toThrow();
  });

  it('graphs', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.exp().sum();
    y.backward();
    expect(() => y.backward()).toThrow(/Trying to backward through the graph a second time/);
    expect(() => x.add_(1)).toThrow(
      /a leaf Variable that requires grad is being used in an in-place operation/,
    );
    expect(() => x.mul(2).backward()).toThrow(
      /grad can be implicitly created only for scalar outputs/,
    );
    expect(() => ones([1]).backward()).toThrow(/does not require grad and does not have a grad_fn/);
    const z = x.sigmoid();
    z.mul_(2);
    expect(() => z.sum().backward()).toThrow(/has been modified by an inplace operation/);
  });

  it.skipIf(!host.webgpu)('what WebGPU lacks', async () => {
    await init('webgpu');
    expect(() => zeros([1], { device: 'webgpu', dtype: 'float64' })).toThrow(
      /webgpu has no float64; use float32/,
    );
    expect(() => ones([1], { dtype: 'float64' }).to('webgpu')).toThrow(/webgpu has no float64/);
    const x = ones([2], { device: 'webgpu' });
    expect(() => x.sum().itemSync()).toThrow(
      /can only be read asynchronously; use `await t\.item\(\)`/,
    );
    expect(() => x.to('float64')).toThrow(/webgpu has no float64/);
    expect(() => x.add(ones([2]))).toThrow(/found webgpu and cpu; move one with \.to\('webgpu'\)/);
    expect(await x.add(ones([])).toArray()).toEqual([2, 2]);
  });
});
