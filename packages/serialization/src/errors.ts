import { SconceError } from '@sconce/core';

/** A file that cannot be read as what it claims to be, or a value that cannot be written; the message says why. */
export class FileError extends SconceError {
  override name = 'FileError';
}

/** Part of a file's text as messages show it: printable and short. */
export function quote(text: string): string {
  const short = text.length > 120 ? `${text.slice(0, 117)}...` : text;
  return `'${short.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`;
}
