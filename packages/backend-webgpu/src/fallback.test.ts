import type { Primitive } from '@sconce/core';
import { afterEach, expect, test, vi } from 'vitest';
import { Fallback } from './fallback.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const sort = { kind: 'sort' } as Primitive;

test('the environment decides where the option does not', () => {
  for (const [text, allowed] of [
    ['1', true],
    ['true', true],
    ['0', false],
    ['', false],
  ] as const) {
    vi.stubEnv('SCONCE_FALLBACK', text);
    expect(new Fallback('webgpu', undefined).allowed).toBe(allowed);
    expect(new Fallback('webgpu', false).allowed).toBe(false);
    expect(new Fallback('webgpu', true).allowed).toBe(true);
  }
});

test('outside of operations the primitive is named', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const fallback = new Fallback('webgpu:1', false);
  expect(() => fallback.use(sort, 'since it is small')).toThrow(
    "sort: webgpu cannot run this here, since it is small; move the tensors to the cpu, or have the host compute such operations with `await init('webgpu:1', { fallback: true })`",
  );
  fallback.allowed = true;
  fallback.use(sort, 'since it is small');
  fallback.use(sort, 'since it is small');
  expect(warn).toHaveBeenCalledTimes(1);
});
