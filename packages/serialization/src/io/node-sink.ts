import { openWholeFile } from '@sconce/core';
import { FileError } from '../errors.js';
import type { Sink } from './sink.js';

/**
 * Writes a file of a disk: whoever reads sees the old one or the new one, also after a crash.
 *
 * @throws FileError if the path names anything but a file that may be written, or a new one.
 */
export const openNodeSink = (path: string): Promise<Sink> =>
  openWholeFile(path, (message, options) => new FileError(`save: ${message}`, options));
