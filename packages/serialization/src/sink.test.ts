import '@sconce/backend-cpu';
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ones, partName, type Tensor } from '@sconce/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CheckpointManager, FileError, load, save, saveAsync } from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'sconce-sink-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const state = (value: number) => ({ w: ones([4]).mul(value) });
const first = async (path: string): Promise<number> =>
  (await load<{ w: Tensor }>(path)).w.select(0, 0).itemSync();
const names = async (): Promise<string[]> => (await fs.readdir(folder)).sort();
/** Every way of writing a file. */
const writers: [string, (path: string) => Promise<void>][] = [
  ['torch', (path) => save(state(2), path, { format: 'torch' })],
  ['torch-legacy', (path) => save(state(2), path, { format: 'torch-legacy' })],
  ['safetensors', (path) => save(state(2), path, { format: 'safetensors' })],
  ['npz', (path) => save(state(2), path, { format: 'npz' })],
  ['npy', (path) => save(ones([4]), path, { format: 'npy' })],
  ['saveAsync', (path) => saveAsync(state(2), path, { format: 'torch' })],
];
const posix = process.platform !== 'win32';

describe.each(writers)('%s writes only files', (_, write) => {
  it.runIf(posix)('no devices, pipes or sockets, nor links to them', async () => {
    await fs.symlink('/dev/null', at('link.pt'));
    execFileSync('mkfifo', [at('pipe.pt')]);
    const server = createServer();
    await new Promise<void>((done) => server.listen(at('socket.pt'), done));
    const before = await fs.lstat('/dev/null');
    for (const [path, kind] of [
      ['/dev/null', 'a device'],
      ['/dev/full', 'a device'],
      [at('link.pt'), 'a device'],
      [at('pipe.pt'), 'a named pipe'],
      [at('socket.pt'), 'a socket'],
    ] as const) {
      if (path === '/dev/full' && process.platform !== 'linux') continue;
      const error = await write(path).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toBe(
        `save: '${path}' is ${kind}, and only files are written; write to it with node:fs, or name a file`,
      );
    }
    const after = await fs.lstat('/dev/null');
    expect([after.isCharacterDevice(), after.ino]).toEqual([true, before.ino]);
    expect(await names()).toEqual(['link.pt', 'pipe.pt', 'socket.pt']);
    await new Promise((done) => server.close(done));
  });

  it('no folders and no empty names', async () => {
    const nested = at('folder');
    await fs.mkdir(nested);
    for (const [path, why] of [
      ['', "'' is no path; name a file"],
      [nested, 'is a folder; name a file in it'],
      [`${at('new')}/`, 'is the name of a folder; name a file in it'],
      ['.', "'.' is a folder; name a file in it"],
      [at('none/w.pt'), `cannot be written: there is no folder '${at('none')}'; make it first`],
      [at('file/w.pt'), 'cannot be written: a part of the path is a file and no folder'],
      [at('nul\0.pt'), 'cannot be written: '],
      [at(`${'n'.repeat(300)}.pt`), 'cannot be written: the name is too long'],
    ] as const) {
      await fs.writeFile(at('file'), 'x');
      await expect(write(path), path).rejects.toThrow(FileError);
      await expect(write(path)).rejects.toThrow(why);
    }
    expect(await names()).toEqual(['file', 'folder']);
  });

  it.runIf(posix)('through links, which stay', async () => {
    await fs.mkdir(at('far'));
    await fs.writeFile(at('far/real.pt'), 'old');
    await fs.symlink('far/real.pt', at('link.pt'));
    await fs.symlink(at('link.pt'), at('twice.pt'));
    await fs.symlink('far/new.pt', at('dangling.pt'));
    await fs.symlink('far', at('away'));
    await fs.symlink('../up.pt', at('far/up.pt'));
    await fs.symlink('nowhere/new.pt', at('lost.pt'));
    await fs.symlink('circle.pt', at('circle.pt'));
    for (const [link, target] of [
      ['twice.pt', 'far/real.pt'],
      ['dangling.pt', 'far/new.pt'],
      ['away/up.pt', 'up.pt'],
    ] as const) {
      await write(at(link));
      expect((await fs.lstat(at(link))).isSymbolicLink(), link).toBe(true);
      expect(relative(await fs.realpath(folder), await fs.realpath(at(link)))).toBe(target);
      expect((await fs.lstat(at(target))).size).toBeGreaterThan(16);
    }
    expect(await fs.readlink(at('dangling.pt'))).toBe('far/new.pt');
    await expect(write(at('lost.pt'))).rejects.toThrow(/there is no folder '.*nowhere'/);
    await expect(write(at('circle.pt'))).rejects.toThrow(/links lead in a circle/);
    expect((await names()).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('no files that are read-only, which stay as they were', async () => {
    await fs.writeFile(at('w.pt'), 'old');
    await fs.chmod(at('w.pt'), 0o444);
    await expect(write(at('w.pt'))).rejects.toThrow(
      /'.*w\.pt' is read-only; allow writing to it, remove it, or save under another name/,
    );
    expect(await fs.readFile(at('w.pt'), 'utf8')).toBe('old');
    expect(await names()).toEqual(['w.pt']);
  });

  it.each([
    ['ENOSPC', 'the disk is full; make room, or save to another (ENOSPC)'],
    ['EDQUOT', 'the quota of this user is used up; make room, or save elsewhere (EDQUOT)'],
    ['EROFS', 'the disk is read-only; save to another (EROFS)'],
    ['EIO', 'the disk reports a fault; save to another (EIO)'],
    ['EODD', 'what the system says of it'],
  ])('nothing when the system reports %s, and says so', async (code, why) => {
    const module = process.getBuiltinModule('node:fs/promises');
    const failed = Object.assign(new Error('what the system says of it'), { code });
    const { open } = module;
    for (const step of ['open', 'write', 'sync', 'rename'] as const) {
      await fs.writeFile(at('w.pt'), 'old');
      if (step === 'rename') vi.spyOn(module, 'rename').mockRejectedValue(failed);
      else {
        vi.spyOn(module, 'open').mockImplementation(async (...args) => {
          if (step === 'open') throw failed;
          const handle = await open(...args);
          vi.spyOn(handle, step).mockRejectedValue(failed);
          return handle;
        });
      }
      const error = await write(at('w.pt')).catch((e: unknown) => e);
      vi.restoreAllMocks();
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toBe(`save: '${at('w.pt')}' cannot be written: ${why}`);
      expect((error as Error).cause).toBe(failed);
      expect(await names()).toEqual(['w.pt']);
      expect(await fs.readFile(at('w.pt'), 'utf8')).toBe('old');
    }
  });

  it('files with names as long as they may be, with their permissions', async () => {
    const long = at(`${'é'.repeat(120)}.pt`);
    await write(long);
    await fs.chmod(long, 0o600);
    await write(long);
    if (posix) expect((await fs.stat(long)).mode & 0o777).toBe(0o600);
    expect(await names()).toHaveLength(1);
  });
});

describe('what killed writers left', () => {
  /** The name of a part as another writer would have made it. */
  const partOf = (base: string, change: (tag: string[]) => void): string => {
    const name = partName(base);
    const tag = name.slice(base.length + 2, -'.part'.length).split('-');
    change(tag);
    return `.${base}.${tag.join('-')}.part`;
  };

  it('is removed by the next save of that name; what is being written is not', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const ended = spawn(process.execPath, ['-e', '']);
    await new Promise((done) => ended.on('close', done));
    try {
      const days = (n: number): Date => new Date(Date.now() - n * 86_400_000);
      const parts: [string, boolean, Date?][] = [
        // Of this process, and of another that runs.
        [partName('w.pt'), true, days(9)],
        [partOf('w.pt', (tag) => tag.splice(1, 2, String(other.pid), '0')), true, days(9)],
        // Of a process that has ended.
        [partOf('w.pt', (tag) => tag.splice(1, 2, String(ended.pid), '0')), false],
        // Of another machine: as long as it may be writing.
        [partOf('w.pt', (tag) => tag.splice(0, 1, '01234567')), true],
        [partOf('w.pt', (tag) => tag.splice(0, 1, '89abcdef')), false, days(2)],
        // Of an earlier release, which gave no process.
        ['.w.pt.0a1b2c3d-4e5f.part', true],
        ['.w.pt.0a1b2c3d-0000.part', false, days(2)],
        // Of other files, and what is no part.
        [partOf('v.pt', (tag) => tag.splice(1, 2, String(ended.pid), '0')), true],
        [partOf('w.pt.x', (tag) => tag.splice(1, 2, String(ended.pid), '0')), true],
        ['.w.pt.notes.part', true, days(2)],
        ['w.pt.part', true, days(2)],
      ];
      // A process that has the number of one that ended.
      if (process.platform === 'linux')
        parts.push([partOf('w.pt', (tag) => tag.splice(1, 2, String(other.pid), '12')), false]);
      for (const [name, , touched] of parts) {
        await fs.writeFile(at(name), 'half');
        if (touched) await fs.utimes(at(name), touched, touched);
      }
      await save(state(3), at('w.pt'));
      const left = parts.filter(([, kept]) => kept).map(([name]) => name);
      expect(await names()).toEqual([...left, 'w.pt'].sort());
      expect(await first(at('w.pt'))).toBe(3);
    } finally {
      other.kill();
    }
  });

  it('is removed by the next save in several files', async () => {
    const name = partOf('m-00001-of-00002.safetensors', (tag) => tag.splice(1, 2, '4194305', '1'));
    const other = partOf('n-00001-of-00002.safetensors', (tag) => tag.splice(1, 2, '4194305', '1'));
    await fs.writeFile(at(name), 'half');
    await fs.writeFile(at(other), 'half');
    await save(state(1), at('m.safetensors'), { maxShardBytes: 1 });
    expect((await names()).filter((each) => each.endsWith('.part'))).toEqual([other]);
  });

  it('is never a save in progress, whoever looks at the folder', async () => {
    const run = at('run');
    const writer = new CheckpointManager(run, { keep: 20 });
    const big = { w: ones([400_000]) };
    for (let step = 1; step <= 10; step++) {
      await writer.saveAsync(step, { big });
      // The part is there by now, or the checkpoint.
      await vi.waitFor(async () =>
        expect((await fs.readdir(run)).length).toBeGreaterThanOrEqual(step),
      );
      const reader = new CheckpointManager(run);
      await reader.list();
      await reader.latest();
      if (step > 1) await reader.restore({});
      await writer.wait();
    }
    expect(await new CheckpointManager(run).list()).toHaveLength(10);
  });
});
