import { itemSize, type Storage } from '@sconce/core';
import type { Contents } from '../io/contents.js';
import type { Meter } from '../io/progress.js';
import type { Sink } from '../io/sink.js';
import { PickleWriter } from '../pickle/writer.js';
import { viewOf } from '../zip/records.js';
import { ZipWriter } from '../zip/writer.js';
import type { Encoded } from './encoder.js';
import { legacyMagic, legacyProtocol } from './read-legacy.js';

/** Writes the zip format of `torch.save`. */
export async function writeTorchZip(
  sink: Sink,
  { pickle }: Encoded,
  contents: readonly Contents[],
  meter: Meter,
): Promise<void> {
  const zip = new ZipWriter(sink);
  const text = (content: string) => new TextEncoder().encode(content);
  await zip.add('archive/data.pkl', pickle);
  await zip.add('archive/byteorder', text('little'));
  for (const [i, content] of contents.entries()) {
    await zip.addStream(`archive/data/${i}`, content.bytes, (write) =>
      content.forEach(async (piece) => {
        await write(piece);
        meter.add(piece.length);
      }),
    );
  }
  await zip.add('archive/version', text('3\n'));
  await zip.finish();
}

/** Writes the format that `torch.save` had before version 1.6. */
export async function writeTorchLegacy(
  sink: Sink,
  { pickle, storages }: Encoded,
  contents: readonly Contents[],
  meter: Meter,
): Promise<void> {
  const head = (write: (out: PickleWriter) => void): Promise<void> => {
    const out = new PickleWriter();
    write(out);
    return sink.write(out.finish());
  };
  await head((out) => out.int(legacyMagic));
  await head((out) => out.int(legacyProtocol));
  await head(systemInfo);
  await sink.write(pickle);
  await head((out) => {
    out.emptyList();
    out.mark();
    storages.forEach((_, i) => {
      out.text(String(i));
    });
    out.appends();
  });
  for (const [i, content] of contents.entries()) {
    const length = new Uint8Array(8);
    viewOf(length).setBigUint64(
      0,
      BigInt(content.bytes / itemSize((storages[i] as Storage).dtype)),
      true,
    );
    await sink.write(length);
    await content.forEach(async (piece) => {
      await sink.write(piece);
      meter.add(piece.length);
    });
  }
}

function systemInfo(out: PickleWriter): void {
  const entry = (key: string, value: () => void) => {
    out.text(key);
    value();
  };
  out.emptyDict();
  out.mark();
  entry('protocol_version', () => out.int(legacyProtocol));
  entry('little_endian', () => out.bool(true));
  entry('type_sizes', () => {
    out.emptyDict();
    out.mark();
    for (const [name, size] of [
      ['short', 2],
      ['int', 4],
      ['long', 4],
    ] as const)
      entry(name, () => out.int(size));
    out.setItems();
  });
  out.setItems();
}
