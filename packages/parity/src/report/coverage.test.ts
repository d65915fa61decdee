import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OperatorReport, Report } from './counts.js';
import {
  coverageOf,
  formatCoverage,
  parseCoverage,
  staleness,
  updateCoverage,
} from './coverage.js';

const counts = (passed: number, total: number, unheld = 0, rounding = 0) => ({
  passed,
  rounding,
  total,
  unheld,
});
const operator = (passed: number, readsValues = false): OperatorReport => ({
  forward: counts(passed, 5, 1),
  gradient: counts(2, 2),
  readsValues,
});
const report = (device: string, operators: Record<string, OperatorReport>): Report => ({
  device,
  groups: {},
  dtypes: {},
  failures: [],
  roundings: [],
  operators,
});

const file = join(mkdtempSync(join(tmpdir(), 'sconce-coverage-')), 'coverage.md');
updateCoverage([report('cpu', { abs: operator(4) })], file);
updateCoverage([report('webgpu:0', { abs: operator(3, true) })], file);
const text = readFileSync(file, 'utf8');
const page = parseCoverage(text);

describe('the page of coverage', () => {
  it('has a row for every operator, with the forms PyTorch has of it', () => {
    expect(page.size).toBe(560);
    expect(page.get('abs')?.forms).toEqual(['✓', '✓', '✓', '✓']);
    expect(page.get('argmax')?.forms).toEqual(['✓', '✓', '', '']);
  });

  it('keeps the counts of devices that did not run', () => {
    expect(page.get('abs')?.cells).toEqual({
      cpu: ['4/4 +1d', '2/2'],
      webgpu: ['3/4 +1d h', '2/2'],
    });
    expect(page.get('acos')?.cells).toEqual({ cpu: ['·', '·'], webgpu: ['·', '·'] });
  });

  it('reads back as it was written', () => expect(formatCoverage(page)).toBe(text));

  it('is stale where a run finds something else', () => {
    expect(staleness(report('cpu', { abs: operator(4) }), page)).toEqual({
      changed: [],
      fallen: [],
      risen: [],
      lost: 0,
      gained: 0,
    });
    const worse = staleness(report('webgpu:0', { abs: operator(1, true) }), page);
    expect(worse).toMatchObject({
      lost: 2,
      fallen: ["abs forward: '3/4 +1d h' is now '1/4 +1d h'"],
    });
    const rounds = report('webgpu:0', {
      abs: { ...operator(3, true), forward: counts(2, 5, 1, 1), gradient: counts(1, 2, 0, 1) },
    });
    expect(staleness(rounds, page)).toMatchObject({ changed: [], lost: 0, gained: 0 });
    const written = parseCoverage(formatCoverage(coverageOf([rounds], page)));
    expect(written.get('abs')?.cells.webgpu).toEqual(['2+1r/4 +1d h', '1+1r/2']);
    expect(staleness(report('webgpu:0', { abs: operator(3, true) }), written)).toMatchObject({
      lost: 0,
    });
    const elsewhere = staleness(report('webgpu:0', { abs: operator(3) }), page);
    expect(elsewhere.changed).toEqual(["abs forward: '3/4 +1d h' is now '3/4 +1d'"]);
  });
});
