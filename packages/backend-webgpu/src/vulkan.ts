import { builtinModule } from '@sconce/core';
import { inNode } from './gpu.js';

/**
 * Whether there may be a GPU: on Linux, where Dawn needs Vulkan, whether any driver is installed where its loader looks for them. Asking Dawn
 * instead has it write warnings to the console that nobody can hold back.
 *
 * @see https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 */
export function hasDriver(): boolean {
  if (!inNode || process.platform !== 'linux') return true;
  const fs = builtinModule<typeof import('node:fs')>('node:fs');
  if (!fs) return true;
  const { env } = process;
  const given = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  const split = (list: string | undefined) => (list ?? '').split(':').filter((p) => p !== '');
  const among = (paths: readonly string[]) =>
    paths.some((path) => {
      try {
        return fs.statSync(path).isDirectory()
          ? fs.readdirSync(path).some((name) => name.endsWith('.json'))
          : path.endsWith('.json');
      } catch {
        return false;
      }
    });
  // What is named there takes the place of what is installed.
  if (given !== undefined && given !== '') return among(split(given));
  const home = env.HOME ?? '/root';
  const roots = [
    env.XDG_CONFIG_HOME ?? `${home}/.config`,
    ...split(env.XDG_CONFIG_DIRS ?? '/etc/xdg'),
    '/etc',
    '/usr/local/etc',
    env.XDG_DATA_HOME ?? `${home}/.local/share`,
    ...split(env.XDG_DATA_DIRS ?? '/usr/local/share:/usr/share'),
    '/usr/local/share',
    '/usr/share',
    '/run/opengl-driver/share',
  ];
  return among([...split(env.VK_ADD_DRIVER_FILES), ...roots.map((root) => `${root}/vulkan/icd.d`)]);
}
