// Makes what is published of each public package: flat modules and rolled-up declarations in `dist`, one of each an
// entry, with shared chunks. `node scripts/bundle.mjs [--force] [folders]`; what has not changed since is left.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import MagicString from 'magic-string';
import { parseSync, Visitor } from 'oxc-parser';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = join(root, 'packages');

/**
 * @typedef {{
 *   name: string,
 *   private?: boolean,
 *   exports: Record<string, { types: string, default: string } | string>,
 *   dependencies?: Record<string, string>,
 *   optionalDependencies?: Record<string, string>,
 *   peerDependencies?: Record<string, string>,
 * }} Manifest
 */

/**
 * The folders of the packages that are published.
 *
 * @returns {string[]}
 */
export function publicFolders() {
  return readdirSync(packages).filter((folder) => {
    const file = join(packages, folder, 'package.json');
    return existsSync(file) && !JSON.parse(readFileSync(file, 'utf8')).private;
  });
}

/** @param {string} folder @returns {Manifest} */
const manifestOf = (folder) =>
  JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8'));

/**
 * Files under a folder, with their paths from it.
 *
 * @param {string} folder
 * @param {RegExp} kind
 * @returns {string[]}
 */
const filesIn = (folder, kind) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => kind.test(file))
        .sort()
    : [];

const sources = /(?<!\.test)\.ts$/;

/**
 * The sources of a package, each with its text.
 *
 * @param {string} folder
 * @returns {{ file: string, text: string }[]}
 */
function sourcesOf(folder) {
  const path = join(packages, folder, 'src');
  return filesIn(path, sources).map((name) => {
    const file = join(path, name);
    return { file, text: readFileSync(file, 'utf8') };
  });
}

/**
 * The names of the entries in a package's manifest.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function entriesOf(folder) {
  return Object.values(manifestOf(folder).exports).flatMap((target) => {
    const file = typeof target === 'string' ? target : target.default;
    return /^\.\/dist\/(.*)\.js$/.exec(file)?.[1] ?? [];
  });
}

/**
 * The files that sources start as workers, by name.
 *
 * @param {{ file: string, text: string }[]} texts
 * @returns {Record<string, string>}
 */
function workersIn(texts) {
  /** @type {Record<string, string>} */
  const workers = {};
  for (const { file, text } of texts) {
    for (const [, name] of text.matchAll(/new URL\(\s*'\.\/([\w-]+)\.js',\s*import\.meta\.url/g)) {
      const started = join(dirname(file), `${name}.ts`);
      if (name && existsSync(started)) workers[name] = started;
    }
  }
  return workers;
}

/**
 * Whether an import stays one: of another package, or of Node.
 *
 * @param {string} folder
 * @returns {(id: string) => boolean}
 */
function externalOf(folder) {
  const { dependencies, optionalDependencies, peerDependencies } = manifestOf(folder);
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return (id) =>
    id.startsWith('node:') ||
    builtinModules.includes(id) ||
    names.some((name) => id === name || id.startsWith(`${name}/`));
}

/**
 * Marks what modules compute when they are loaded as free of effects, so that bundlers may leave out what a page does not
 * use: in Sconce, constants are made of functions that only make something. Statements keep their effects.
 */
const pure = {
  name: 'pure-constants',
  /** @param {string} code @param {string} id */
  transform(code, id) {
    if (!id.endsWith('.ts')) return null;
    const text = new MagicString(code);
    const { program } = parseSync(id, code);
    let depth = 0;
    /** @param {{ start: number }} node */
    const mark = ({ start }) => {
      // Minifiers take the space between a division and a comment, which is then another comment.
      if (depth > 0 || /\/\s*$/.test(code.slice(0, start))) return;
      text.appendLeft(start, '/* @__PURE__ */ ');
    };
    const enter = () => depth++;
    const leave = () => depth--;
    const visitor = new Visitor({
      ArrowFunctionExpression: enter,
      'ArrowFunctionExpression:exit': leave,
      FunctionExpression: enter,
      'FunctionExpression:exit': leave,
      CallExpression: mark,
      NewExpression: mark,
    });
    for (const statement of program.body) {
      const declaration =
        statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
      if (declaration?.type !== 'VariableDeclaration') continue;
      visitor.visit({ ...program, body: [declaration] });
    }
    return { code: text.toString(), map: text.generateMap({ hires: true }) };
  },
};

/**
 * What decides the contents of a package's `dist`.
 *
 * @param {string} folder
 * @param {{ file: string, text: string }[]} texts its sources
 */
function fingerprint(folder, texts) {
  const hash = createHash('sha256');
  for (const file of [fileURLToPath(import.meta.url), join(packages, folder, 'package.json')]) {
    hash.update(readFileSync(file));
  }
  for (const { file, text } of texts) hash.update(relative(root, file)).update(text);
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @param {Record<string, string>} input
 */
async function bundleModules(folder, input) {
  const dist = join(packages, folder, 'dist');
  const bundle = await rolldown({
    input,
    external: externalOf(folder),
    platform: 'neutral',
    plugins: [pure],
    // What an entry does not use may be what another's module gives; nothing is left out here.
    treeshake: false,
    checks: { pluginTimings: false, bundlerTimings: false },
    onLog(level, log) {
      if (level === 'warn') throw new Error(`${folder}: ${log.message}`);
    },
  });
  const { output } = await bundle.write({
    dir: dist,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].chunk.js',
  });
  await bundle.close();
  for (const file of output) {
    if (file.type !== 'asset' || !file.fileName.endsWith('.map')) continue;
    // The sources are in the package already.
    const { sourcesContent: _, ...map } = JSON.parse(
      readFileSync(join(dist, file.fileName), 'utf8'),
    );
    writeFileSync(join(dist, file.fileName), JSON.stringify(map));
  }
}

/**
 * @param {string} folder
 * @param {Record<string, string>} input
 */
async function bundleDeclarations(folder, input) {
  const bundle = await rollup({
    input,
    external: externalOf(folder),
    plugins: [dts()],
    onwarn(warning) {
      // Chunks may use each other's names; what users can name is checked against what is packed.
      if (warning.message.includes('private shared type exports')) return;
      // What a worker runs declares nothing.
      if (warning.code === 'EMPTY_BUNDLE') return;
      throw new Error(`${folder}: ${warning.message}`);
    },
  });
  await bundle.write({
    dir: join(packages, folder, 'dist'),
    format: 'esm',
    entryFileNames: '[name].d.ts',
    chunkFileNames: '[name].chunk.d.ts',
    // Declarations that add to an interface find it under its own name.
    minifyInternalExports: false,
  });
  await bundle.close();
}

/**
 * Bundles packages whose sources have changed.
 *
 * @param {string[]} folders of `packages`
 * @param {boolean} [force] whether or not they have
 */
export async function bundlePackages(folders, force = false) {
  for (const folder of folders) {
    const path = join(packages, folder);
    const dist = join(path, 'dist');
    const stamp = join(path, 'build', '.bundled');
    const texts = sourcesOf(folder);
    const wanted = fingerprint(folder, texts);
    const entries = entriesOf(folder);
    const made = entries.every((name) => existsSync(join(dist, `${name}.d.ts`)));
    if (!force && made && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) continue;
    rmSync(dist, { recursive: true, force: true });
    /** @param {string} place @param {string} ending */
    const named = (place, ending) =>
      Object.fromEntries(entries.map((name) => [name, join(path, place, `${name}${ending}`)]));
    await Promise.all([
      bundleModules(folder, { ...named('src', '.ts'), ...workersIn(texts) }),
      bundleDeclarations(folder, named('build', '.d.ts')),
    ]);
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, wanted);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const args = process.argv.slice(2);
  const chosen = args.filter((arg) => !arg.startsWith('--'));
  await bundlePackages(chosen.length > 0 ? chosen : publicFolders(), args.includes('--force'));
}
