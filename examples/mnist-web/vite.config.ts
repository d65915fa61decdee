import { defineConfig } from 'vite';
import { digits } from './src/digits-plugin.js';

// Threads share memory, which browsers allow only to pages that are isolated like this.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  plugins: [digits()],
  // The worker loads the WebGPU backend when it is asked for, as a chunk of its own.
  worker: { format: 'es' },
  build: { target: 'es2022' },
  server: { headers },
  preview: { headers },
});
