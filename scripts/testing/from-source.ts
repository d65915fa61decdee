import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

const packages = fileURLToPath(new URL('../../packages', import.meta.url));

/** Our packages, each entry of them its source, for what tests bundle: `@sconce/core/operators` is core's `src/operators.ts`. */
export const fromSource: Plugin = {
  name: 'from-source',
  setup({ onResolve }) {
    onResolve({ filter: /^(@sconce\/|sconce$)/ }, ({ path }) => {
      const [name = '', entry = 'index'] = path.replace('@sconce/', '').split('/');
      return { path: join(packages, name, 'src', `${entry}.ts`) };
    });
  },
};
