import { chart, chartStyle } from '@sconce-examples/mnist/chart';
import { DrawingPad } from './drawing-pad.js';
import { Heartbeat } from './heartbeat.js';
import { misreadFigure } from './misread-sheet.js';
import type { Command, Report } from './protocol.js';
import { settingsFrom } from './settings.js';

/** The element with this id, which the page has. */
function get<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`#${id} is missing`);
  return found;
}

const text = (id: string, value: string): void => {
  get(id, HTMLElement).textContent = value;
};

const style = document.createElement('style');
style.textContent = chartStyle;
document.head.append(style);

const settings = settingsFrom(location.search);
const controls = get('controls', HTMLFormElement);
const devices = get('devices', HTMLFieldSetElement);
const epochs = get('epochs', HTMLInputElement);
const start = get('start', HTMLButtonElement);
const stop = get('stop', HTMLButtonElement);
const progress = get('progress', HTMLProgressElement);
const failure = get('failure', HTMLElement);
const bars = get('bars', HTMLOListElement);
const heartbeat = new Heartbeat();

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const tell = (command: Command): void => worker.postMessage(command);

let losses: [number, number][] = [];
let accuracies: [number, number][] = [];
let steps = 0;

function drawLosses(): void {
  get('loss-chart', HTMLElement).innerHTML = chart({
    title: 'Training loss',
    xLabel: 'batch',
    points: losses,
    range: [0, steps],
    color: 'var(--loss)',
    digits: 2,
  });
}

function drawAccuracies(): void {
  get('accuracy-chart', HTMLElement).innerHTML = chart({
    title: 'Test accuracy, %',
    xLabel: 'epoch',
    points: accuracies,
    range: [0, settings.epochs],
    color: 'var(--accuracy)',
    digits: 1,
  });
}

function setBusy(busy: boolean): void {
  start.disabled = epochs.disabled = devices.disabled = busy;
  stop.disabled = !busy;
  if (!busy) heartbeat.stop();
}

function fail(message: string): void {
  failure.textContent = message;
  failure.hidden = false;
  text('status', 'Failed.');
  asked = false;
  setBusy(false);
}

const duration = (seconds: number): string =>
  seconds < 60
    ? `${Math.ceil(seconds)} s`
    : `${Math.floor(seconds / 60)} m ${Math.ceil(seconds % 60)} s`;

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;

controls.addEventListener('submit', (event) => {
  event.preventDefault();
  settings.epochs = epochs.valueAsNumber;
  settings.device = new FormData(controls).get('device') === 'webgpu' ? 'webgpu' : 'cpu';
  losses = [];
  accuracies = [];
  steps = Math.ceil(settings.train / settings.batchSize) * settings.epochs;
  progress.value = 0;
  failure.hidden = true;
  for (const id of ['epoch', 'loss', 'accuracy', 'speed', 'left', 'pause']) text(id, '–');
  text('status', 'Loading the digits …');
  drawLosses();
  drawAccuracies();
  setBusy(true);
  heartbeat.start();
  tell({ type: 'start', settings, digits: new URL('digits.bin', document.baseURI).href });
});

stop.addEventListener('click', () => {
  stop.disabled = true;
  text('status', 'Stopping …');
  tell({ type: 'stop' });
});

worker.addEventListener('message', ({ data: report }: MessageEvent<Report>) => {
  switch (report.type) {
    case 'devices': {
      text('cpu-text', report.cpu.text);
      text('webgpu-text', report.webgpu.text);
      const webgpu = controls.querySelector<HTMLInputElement>('[value=webgpu]');
      if (webgpu) {
        webgpu.disabled = !report.webgpu.available;
        webgpu.checked = report.webgpu.available && settings.device === 'webgpu';
      }
      start.disabled = false;
      break;
    }
    case 'training':
      text('status', `Training on ${settings.train} digits, on ${report.device} …`);
      break;
    case 'progress': {
      const { epoch, loss, step, imagesPerSecond, left } = report.progress;
      losses.push([step, loss]);
      progress.value = step / report.progress.steps;
      text('epoch', `${epoch} / ${settings.epochs}`);
      text('loss', loss.toFixed(4));
      text('speed', Math.round(imagesPerSecond).toLocaleString('en'));
      text('left', duration(left));
      text('pause', `${Math.round(heartbeat.longest)} ms`);
      drawLosses();
      guess();
      break;
    }
    case 'epoch': {
      const { epoch, loss, accuracy, tested, misread } = report;
      const wrong = tested - Math.round(accuracy * tested);
      accuracies.push([epoch, accuracy * 100]);
      text('accuracy', percent(accuracy));
      text(
        'status',
        `Epoch ${epoch}: test accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}.`,
      );
      text(
        'misread-text',
        `After epoch ${epoch}: ${wrong} of ${tested} test digits are misread${wrong > misread.length ? `; the first ${misread.length}` : ''}.`,
      );
      get('sheet', HTMLElement).replaceChildren(...misread.map(misreadFigure));
      drawAccuracies();
      break;
    }
    case 'end': {
      const accuracy = accuracies.at(-1)?.[1];
      const result = accuracy === undefined ? '' : ` Test accuracy: ${accuracy.toFixed(2)}%.`;
      const verb = report.stopped ? 'Stopped' : 'Done';
      text('status', `${verb} after ${report.seconds.toFixed(1)} s.${result}`);
      text('left', '–');
      setBusy(false);
      guess();
      break;
    }
    case 'guess':
      asked = false;
      showGuess(report.probabilities);
      if (stale) guess();
      break;
    case 'failed':
      fail(report.message);
      break;
  }
});

worker.addEventListener('error', (event) => fail(event.message || 'The worker could not start.'));

const pad = new DrawingPad(get('pad', HTMLCanvasElement), guess);
get('clear', HTMLButtonElement).addEventListener('click', () => pad.clear());

/** Whether the worker owes an answer on a drawing, and whether the drawing has changed since. */
let asked = false;
let stale = false;

/** Asks what the drawing is, one question at a time. */
function guess(): void {
  if (losses.length === 0) return;
  stale = asked;
  if (asked) return;
  const pixels = pad.digit();
  asked = pixels !== undefined;
  if (pixels) tell({ type: 'read', pixels });
  else {
    text('guess', 'Draw a digit: the network reads along, even while it learns.');
    showBars(new Array(10).fill(0));
  }
}

function showGuess(probabilities: readonly number[]): void {
  const best = probabilities.indexOf(Math.max(...probabilities));
  text('guess', `This looks like a ${best}.`);
  showBars(probabilities, best);
}

function showBars(probabilities: readonly number[], best = -1): void {
  for (const [digit, p] of probabilities.entries()) {
    const item = bars.children[digit];
    item?.classList.toggle('best', digit === best);
    const meter = item?.querySelector('meter');
    const output = item?.querySelector('output');
    if (meter) meter.value = p;
    if (output) output.textContent = `${Math.round(p * 100)}%`;
  }
}

bars.innerHTML = Array.from(
  { length: 10 },
  (_, digit) =>
    `<li>${digit}<meter max="1" value="0" aria-label="${digit}"></meter><output>0%</output></li>`,
).join('');
epochs.valueAsNumber = settings.epochs;
steps = Math.ceil(settings.train / settings.batchSize) * settings.epochs;
drawLosses();
drawAccuracies();
