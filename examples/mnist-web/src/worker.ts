// Everything that computes runs here, so that the page is always free to answer.

import { splitDigits } from '@sconce-examples/mnist/dataset';
import { findMisread } from '@sconce-examples/mnist/misread';
import { LeNet } from '@sconce-examples/mnist/model';
import { type RawDigits, SIDE } from '@sconce-examples/mnist/raw-digits';
import { train } from '@sconce-examples/mnist/train';
import { type Device, fromTypedArray, getNumThreads, init, manualSeed, noGrad } from 'sconce';
import { unpackDigits } from './digits-file.js';
import type { Command, DeviceReport, Report, Settings } from './protocol.js';

/** Misread digits that are shown. */
const SHOWN = 60;

let digits: Promise<RawDigits> | undefined;
let trained: { model: LeNet; device: Device } | undefined;
let run: AbortController | undefined;

const tell = (report: Report): void => postMessage(report);
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

addEventListener('message', ({ data }: MessageEvent<Command>) => {
  handle(data).catch((error) => tell({ type: 'failed', message: messageOf(error) }));
});

async function handle(command: Command): Promise<void> {
  if (command.type === 'start') await start(command.settings, command.digits);
  else if (command.type === 'stop') run?.abort();
  else await read(command.pixels);
}

async function start(settings: Settings, url: string): Promise<void> {
  const own = new AbortController();
  run = own;
  digits ??= load(url);
  const raw = await digits.catch((error) => {
    digits = undefined; // so that the next start tries again
    throw error;
  });
  const device = await init(settings.device);
  manualSeed(settings.seed);
  const parts = splitDigits(raw, settings.seed, settings);
  const model = new LeNet().to(device);
  trained = { model, device };
  tell({ type: 'training', device: String(model.conv1.weight.device) });
  const started = performance.now();
  const pending: Promise<void>[] = [];
  await train(model, parts, {
    ...settings,
    device,
    signal: own.signal,
    onBatch: (progress) => tell({ type: 'progress', progress }),
    onEpoch: ({ predictions, ...result }) => {
      pending.push(
        findMisread(parts.test, predictions, SHOWN).then((misread) =>
          tell({ type: 'epoch', ...result, tested: predictions.length, misread }),
        ),
      );
    },
  });
  await Promise.all(pending);
  const seconds = (performance.now() - started) / 1000;
  tell({ type: 'end', stopped: own.signal.aborted, seconds });
}

async function load(url: string): Promise<RawDigits> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return unpackDigits(new Uint8Array(await response.arrayBuffer()));
}

/** Says what a drawn digit is taken for. */
async function read(pixels: Float32Array): Promise<void> {
  if (!trained) return;
  const { model, device } = trained;
  const image = fromTypedArray(pixels, [1, 1, SIDE, SIDE]);
  const probabilities = noGrad(() => model(image.to(device)).softmax(1));
  tell({ type: 'guess', probabilities: Array.from(await probabilities.toTypedArray(), Number) });
}

async function describeDevices(): Promise<void> {
  const threads = getNumThreads();
  const alone = navigator.hardwareConcurrency > 1 && !globalThis.crossOriginIsolated;
  const cpu: DeviceReport = {
    available: true,
    text: alone
      ? 'One thread: the server does not isolate this page (see the README)'
      : `WebAssembly, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  };
  let webgpu: DeviceReport;
  try {
    await init('webgpu');
    const info = (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }))
      ?.info;
    const name = [info?.vendor, info?.architecture].filter(Boolean).join(' ');
    webgpu = { available: true, text: name || 'Ready' };
  } catch (error) {
    const reason = messageOf(error).replace(/^webgpu: ./, (start) => start.slice(-1).toUpperCase());
    webgpu = { available: false, text: reason };
  }
  tell({ type: 'devices', cpu, webgpu });
}

describeDevices().catch((error) => tell({ type: 'failed', message: messageOf(error) }));
