// Imports between packages only point down the table of packages in docs/architecture.md.
// `node scripts/check-layers.mjs [root]` prints each import that does not and exits with 1.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';

const below = ['core', 'kernels', 'backend-cpu', 'backend-webgpu', 'autograd', 'init', 'nn'];

/**
 * What each package may import of ours: the table of packages, by folder.
 *
 * @type {Record<string, string[]>}
 */
export const layers = {
  core: [],
  kernels: ['core'],
  'backend-cpu': ['core', 'kernels'],
  'backend-webgpu': ['core', 'kernels'],
  autograd: ['core'],
  init: ['core'],
  nn: ['core', 'autograd', 'init'],
  optim: ['core', 'autograd'],
  data: ['core'],
  serialization: ['core'],
  sconce: [...below, 'optim', 'data', 'serialization'],
  parity: [...below, 'optim', 'data', 'serialization', 'sconce'],
};

/**
 * The modules a TypeScript source names: static, dynamic and type imports and re-exports.
 *
 * @param {string} file its name, for the dialect
 * @param {string} source
 * @returns {{ name: string, line: number }[]}
 */
export function importsOf(file, source) {
  const { program, errors } = parseSync(file, source);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  /** @type {{ name: string, line: number }[]} */
  const found = [];
  /** @param {{ type: string, start: number, value?: unknown } | null} node */
  const add = (node) => {
    // An import of a computed name says nothing here; there is no package to check.
    if (node?.type !== 'Literal' || typeof node.value !== 'string') return;
    found.push({ name: node.value, line: source.slice(0, node.start).split('\n').length });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
  }).visit(program);
  return found;
}

/**
 * Why a package may not import a module, or undefined if it may.
 *
 * @param {{ folder: string, path: string, manifest: Manifest }} from the package
 * @param {string} file the importing file
 * @param {string} name the module it names
 * @returns {string | undefined}
 */
function fault(from, file, name) {
  const test = /\.test\.ts$/.test(file) || !file.startsWith(join(from.path, 'src') + sep);
  if (name.startsWith('.')) {
    const target = resolve(dirname(file), name);
    if (target.startsWith(from.path + sep) || test) return undefined;
    return `${name} leaves the package; import the other package by its name`;
  }
  if (name.startsWith('node:') || builtinModules.includes(name)) return undefined;
  const parts = name.split('/');
  const owner = name.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? name);
  if (owner === from.manifest.name) return undefined;
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = from.manifest;
  const listed = { ...dependencies, ...optionalDependencies, ...peerDependencies };
  if (test && (owner === 'vitest' || owner in (devDependencies ?? {}))) return undefined;
  const folder = owner === 'sconce' ? owner : owner.match(/^@sconce\/(.*)$/)?.[1];
  if (folder !== undefined && !layers[from.folder]?.includes(folder)) {
    const allowed = layers[from.folder]?.join(', ') || 'none of ours';
    return `${owner} is not below ${from.manifest.name}, which may import: ${allowed}`;
  }
  if (!(owner in listed)) {
    // The root's tools are there for the tests of every package.
    return test && folder === undefined ? undefined : `${owner} is not in its package.json`;
  }
  return undefined;
}

/**
 * Every import under `packages/` that the table forbids or a package.json lacks.
 *
 * @param {string} root
 * @returns {string[]} one line a fault: file, line, reason
 */
export function checkLayers(root) {
  /** @type {string[]} */
  const faults = [];
  const packages = resolve(root, 'packages');
  for (const folder of readdirSync(packages)) {
    const path = join(packages, folder);
    if (!existsSync(join(path, 'package.json'))) continue;
    const manifest = /** @type {Manifest} */ (
      JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    );
    if (!layers[folder]) {
      faults.push(`packages/${folder}: not in the table of scripts/check-layers.mjs`);
      continue;
    }
    for (const part of ['src', 'test']) {
      if (!existsSync(join(path, part))) continue;
      for (const entry of readdirSync(join(path, part), { recursive: true, encoding: 'utf8' })) {
        if (!/\.ts$/.test(entry)) continue;
        const file = join(path, part, entry);
        for (const { name, line } of importsOf(file, readFileSync(file, 'utf8'))) {
          const reason = fault({ folder, path, manifest }, file, name);
          if (reason) faults.push(`${relative(root, file)}:${line}: ${reason}`);
        }
      }
    }
  }
  return faults;
}

/**
 * @typedef {{
 *   name: string,
 *   dependencies?: Record<string, string>,
 *   optionalDependencies?: Record<string, string>,
 *   peerDependencies?: Record<string, string>,
 *   devDependencies?: Record<string, string>,
 * }} Manifest
 */

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const faults = checkLayers(root);
  for (const line of faults) console.error(line);
  if (faults.length > 0) process.exit(1);
}
