/** Signatures and sizes of the records of a zip file. */
export const LOCAL = 0x04034b50;
export const CENTRAL = 0x02014b50;
export const END = 0x06054b50;
export const END64 = 0x06064b50;
export const LOCATOR64 = 0x07064b50;
export const DESCRIPTOR = 0x08074b50;

export const localBytes = 30;
export const centralBytes = 46;
export const endBytes = 22;
export const end64Bytes = 56;
export const locator64Bytes = 20;

/** Sizes and places from here on stand in 64-bit fields elsewhere. */
export const large = 0xffffffff;

/** A view of bytes for numbers. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
