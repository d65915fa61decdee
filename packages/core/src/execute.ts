import { computeType } from './dtype.js';
import { RuntimeError } from './errors.js';
import { acrossDevices } from './explain.js';
import { input, uses } from './expr.js';
import type { MapPrimitive, Primitive, View } from './primitive.js';
import { attempt, undoable } from './replay.js';
import { repeats } from './shape.js';
import { Storage } from './storage.js';

/** The views a primitive writes. */
export function outputsOf(p: Primitive): readonly View[] {
  switch (p.kind) {
    case 'map':
      return p.outputs;
    case 'reduce':
      return p.outputs.map((o) => o.view);
    case 'scan':
      return p.indices ? [p.output, p.indices] : [p.output];
    case 'matmul':
      return [p.out];
    case 'conv':
      return [p[p.compute]];
    case 'scatter':
      return [p.output];
    case 'sort':
      return [p.values, p.indices];
    case 'linalg':
      return p.outputs as readonly View[];
  }
}

/** The views a primitive reads. */
export function inputsOf(p: Primitive): readonly View[] {
  switch (p.kind) {
    case 'map':
    case 'reduce':
    case 'scatter':
    case 'linalg':
      return p.inputs;
    case 'scan':
    case 'sort':
      return [p.input];
    case 'matmul':
      return [p.a, p.b, ...(p.epilogue?.inputs ?? [])];
    case 'conv': {
      const all = [p.input, p.weight, p.output].filter((v) => v !== p[p.compute]);
      return p.bias ? [...all, p.bias] : all;
    }
  }
}

/**
 * Runs a primitive on the device its operands live on.
 *
 * @throws RuntimeError if they live on different devices.
 */
export function execute(p: Primitive): void {
  if (p.kind === 'map') {
    executeMap(p);
    return;
  }
  const outputs = outputsOf(p);
  if (attempt !== undefined) keepContents(outputs);
  const device = (outputs[0] as View).storage.device;
  for (const v of [...outputs, ...inputsOf(p)]) checkDevice(v, device.toString());
  (outputs[0] as View).storage.backend.execute(p);
}

function executeMap(p: MapPrimitive): void {
  const { storage } = p.outputs[0] as View;
  for (let i = 0; i < p.inputs.length; i++) {
    if ((p.inputs[i] as View).storage.device !== storage.device)
      checkDevice(p.inputs[i] as View, storage.device.toString());
  }
  if (attempt !== undefined) keepContents(p.outputs);
  storage.backend.execute(onceEach(p));
}

/**
 * A map into expanded views, as fills are that write one value however many positions share an element, without the
 * repetition: devices may take it that outputs move along every dimension.
 *
 * @throws RuntimeError if what is written differs along a dimension in which the output stays in place.
 */
function onceEach(p: MapPrimitive): MapPrimitive {
  let some = false;
  for (const { shape, strides } of p.outputs) some ||= repeats(shape, strides);
  if (!some) return p;
  const { shape } = p;
  const positions = p.values.some((v) => uses(v, 'coord') || uses(v, 'linear'));
  let q = p;
  for (let d = 0; d < shape.length; d++) {
    if ((shape[d] as number) <= 1 || !p.outputs.some((view) => view.strides[d] === 0)) continue;
    const same = (view: View): boolean => {
      const k = d - (shape.length - view.shape.length);
      return k < 0 || view.shape[k] === 1 || view.strides[k] === 0;
    };
    if (positions || !p.outputs.every(same) || !p.inputs.every(same)) {
      throw new RuntimeError(
        'unsupported operation: different values are written to elements of an expanded tensor that refer to a single memory location. Please clone() the tensor before performing the operation.',
      );
    }
    const narrowed = (view: View): View => {
      const k = d - (shape.length - view.shape.length);
      if (k < 0 || view.shape[k] === 1) return view;
      const { storage, dtype, strides, offset } = view;
      return {
        storage,
        dtype,
        strides,
        offset,
        shape: view.shape.map((n, i) => (i === k ? 1 : n)),
      };
    };
    q = {
      ...q,
      shape: q.shape.map((n, i) => (i === d ? 1 : n)),
      inputs: q.inputs.map(narrowed),
      outputs: q.outputs.map(narrowed),
    };
  }
  return q;
}

/** Remembers what memory holds that is about to be written by a function which may have to be repeated. */
export function keepContents(views: readonly Pick<View, 'storage'>[]): void {
  for (const { storage } of views) {
    undoable(storage, () => {
      const { device, dtype, length, version } = storage;
      const kept = new Storage(device, dtype, length);
      copyElements(storage, kept);
      return () => {
        copyElements(kept, storage);
        storage.version = version;
        kept.dispose();
      };
    });
  }
}

function copyElements(from: Storage, to: Storage): void {
  const { dtype, length } = to;
  if (length === 0) return;
  const whole = (storage: Storage): View => ({
    storage,
    dtype,
    shape: [length],
    strides: [1],
    offset: 0,
  });
  to.backend.execute({
    kind: 'map',
    shape: [length],
    inputs: [whole(from)],
    scalars: [],
    values: [input(0, computeType(dtype))],
    outputs: [whole(to)],
  });
}

function checkDevice(v: View, device: string): void {
  if (v.storage.device.toString() !== device) {
    throw new RuntimeError(
      `${acrossDevices}, but found ${device} and ${v.storage.device}; move one with .to('${device}')`,
    );
  }
}
