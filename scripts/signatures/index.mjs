// Writes what the exported functions and classes of each package take, read off their types, as short texts for the check of
// arguments at run time: `packages/*/src/signatures.ts`. `pnpm signatures` runs it; a test holds the files to it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript-api';
import { isToldApart, kindOf, optionsOf } from './kinds.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packages whose users call them directly. */
export const packages = ['core', 'autograd', 'init', 'nn', 'optim', 'data', 'serialization'];

const index = (/** @type {string} */ folder) => join(root, 'packages', folder, 'src/index.ts');

function makeProgram() {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const folders = [...packages, 'kernels', 'backend-cpu', 'backend-webgpu'];
  /** @type {Record<string, string[]>} */
  const paths = Object.fromEntries(folders.map((folder) => [`@sconce/${folder}`, [index(folder)]]));
  paths['@sconce/core/operators'] = [join(root, 'packages/core/src/operators.ts')];
  return ts.createProgram([...packages.map(index), join(root, 'packages/sconce/src/core.ts')], {
    ...options,
    composite: false,
    noEmit: true,
    rootDir: root,
    paths,
  });
}

/** Marks of the compiler on parameters that a tuple stands for. */
const optionalElement = 1 << 14;
const restElement = 1 << 15;

/**
 * The texts of one parameter list, one for each way to give its last parameters: `self:T dim?:n {keepdim:b}`.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Signature} signature
 * @returns {string[]}
 */
function parameters(checker, signature) {
  // Tuples that stand for parameters, as `Writing` makes them, are spread out.
  const { getExpandedParameters } =
    /** @type {{ getExpandedParameters(s: ts.Signature): ts.Symbol[][] }} */ (
      /** @type {unknown} */ (checker)
    );
  const lists = signature.parameters.some(isToldApart)
    ? [signature.parameters]
    : getExpandedParameters(signature);
  return lists.flatMap((list) => listTexts(checker, signature, list));
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Signature} signature
 * @param {readonly ts.Symbol[]} list
 */
function listTexts(checker, signature, list) {
  let texts = [''];
  list.forEach((symbol, i) => {
    const last = i === list.length - 1;
    const type = isToldApart(symbol) ? checker.getAnyType() : checker.getTypeOfSymbol(symbol);
    const declaration = symbol.valueDeclaration;
    const own = signature.parameters.includes(symbol);
    const marks =
      /** @type {{ links?: { checkFlags?: number } }} */ (symbol).links?.checkFlags ?? 0;
    const parameter = declaration && ts.isParameter(declaration) ? declaration : undefined;
    const rest = own ? parameter?.dotDotDotToken !== undefined : (marks & restElement) !== 0;
    const pattern = parameter !== undefined && !ts.isIdentifier(parameter.name);
    const name = pattern ? 'options' : symbol.name.replace(/^_+/, '');
    if (rest) {
      // A list that may be given whole or item by item has a form for each.
      const ways = (type.isUnion() ? type.types : [type]).map((way) => {
        const [item] =
          checker.isArrayType(way) || checker.isTupleType(way)
            ? checker.getTypeArguments(/** @type {ts.TypeReference} */ (way))
            : [];
        const kind = item ? kindOf(checker, item) : '*';
        return checker.isTupleType(way) && item ? `${name}:${kind}` : `...${name}:${kind}`;
      });
      texts = ways
        .sort()
        .reverse()
        .flatMap((way) => texts.map((text) => `${text} ${way}`));
      return;
    }
    const options = last ? optionsOf(checker, type, name) : undefined;
    if (options) {
      const keys = options.map(
        (key) => `${key.name}${key.optional ? '' : '!'}:${kindOf(checker, key.type)}`,
      );
      texts = texts.map((text) => `${text} {${keys.join(' ')}}`);
      return;
    }
    const optional = own
      ? parameter?.questionToken !== undefined || parameter?.initializer !== undefined
      : (marks & optionalElement) !== 0;
    const admitsUndefined =
      type.isUnion() && type.types.some((part) => part.flags & ts.TypeFlags.Undefined);
    const mark = optional || admitsUndefined ? '?' : '';
    texts = texts.map((text) => `${text} ${name}${mark}:${kindOf(checker, type)}`);
  });
  return texts.map((text) => text.trim());
}

/**
 * The text of all forms of a call.
 *
 * @param {ts.TypeChecker} checker
 * @param {readonly ts.Signature[]} signatures
 */
const forms = (checker, signatures) =>
  [...new Set(signatures.flatMap((signature) => parameters(checker, signature)))].join(' | ');

/**
 * The name under which a function tells of its arguments: the one its wrapper was given, else its own.
 *
 * @param {ts.Symbol} symbol
 * @param {string} exported
 */
function nameOf(symbol, exported) {
  const declaration = symbol.valueDeclaration;
  if (declaration && ts.isVariableDeclaration(declaration)) {
    let value = declaration.initializer;
    while (value && (ts.isAsExpression(value) || ts.isParenthesizedExpression(value)))
      value = value.expression;
    const first = value && ts.isCallExpression(value) ? value.arguments[0] : undefined;
    if (first && ts.isStringLiteral(first) && first.text.split('.').at(-1) === exported)
      return first.text;
  }
  // A word that is no name of a constant is one with a line behind it.
  return symbol.name === `${exported}_` ? exported : symbol.name;
}

/** The names of core that users meet: what only other packages use is not looked at. @param {ts.Program} program */
function publicNames(program) {
  const files = ['sconce/src/core.ts', 'nn/src/functional/index.ts', 'core/src/operators.ts'];
  const checker = program.getTypeChecker();
  return new Set(
    files.flatMap((file) => {
      const source = program.getSourceFile(join(root, 'packages', file));
      const module = source && checker.getSymbolAtLocation(source);
      if (!module) throw new Error(`${file} exports nothing`);
      return checker.getExportsOfModule(module).map((exported) => {
        const symbol =
          exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
        return nameOf(symbol, exported.name);
      });
    }),
  );
}

/**
 * The parameter lists of everything a package exports, by the names used in calls.
 *
 * @param {ts.Program} program
 * @param {string} folder
 * @returns {Map<string, string>}
 */
function signaturesOf(program, folder) {
  const checker = program.getTypeChecker();
  /** @type {Map<string, string>} */
  const found = new Map();
  const own = `${join(root, 'packages', folder, 'src')}/`;
  /** @type {Set<ts.Symbol>} */
  const seen = new Set();
  /** @param {ts.Symbol} symbol */
  const isOwn = (symbol) =>
    symbol.declarations?.some((d) => d.getSourceFile().fileName.startsWith(own)) ?? false;

  /** @param {string} name @param {readonly ts.Signature[]} signatures */
  const add = (name, signatures) => {
    if (signatures.length > 0) found.set(name, forms(checker, signatures));
  };

  /** @param {ts.Symbol} symbol */
  const visitClass = (symbol) => {
    if (seen.has(symbol) || !isOwn(symbol)) return;
    seen.add(symbol);
    const declaration = symbol.declarations?.find(ts.isClassDeclaration);
    if (!declaration) return;
    for (const clause of declaration.heritageClauses ?? []) {
      for (const { expression } of clause.types) {
        const base = checker.getSymbolAtLocation(expression);
        if (base)
          visitClass(base.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(base) : base);
      }
    }
    const { name } = symbol;
    const constructors = declaration.members.filter(ts.isConstructorDeclaration);
    const visible = constructors.length > 1 ? constructors.filter((c) => !c.body) : constructors;
    // A class without a constructor of its own has that of its base, with its type arguments.
    const inherited = checker.getTypeOfSymbol(symbol).getConstructSignatures();
    add(
      name,
      constructors.length === 0 && declaration.heritageClauses
        ? inherited
        : visible.flatMap((c) => checker.getSignatureFromDeclaration(c) ?? []),
    );
    /** @type {Map<string, ts.Signature[]>} */
    const methods = new Map();
    for (const member of declaration.members) {
      if (!ts.isMethodDeclaration(member) || !ts.isIdentifier(member.name)) continue;
      if (
        ts.getCombinedModifierFlags(member) &
        (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
      )
        continue;
      if (member.body && methods.has(member.name.text)) continue;
      const signature = checker.getSignatureFromDeclaration(member);
      if (signature)
        methods.set(member.name.text, [...(methods.get(member.name.text) ?? []), signature]);
    }
    for (const [method, signatures] of methods) {
      const text = forms(checker, signatures);
      if (method === 'forward' || folder === 'core' || text.includes('{'))
        found.set(`${name}_${method}`, text);
    }
  };

  /** @type {Map<string, ts.Symbol>} */
  const top = new Map();
  /** @param {ts.Symbol} module @param {string} [namespace] */
  const visitModule = (module, namespace) => {
    if (seen.has(module)) return;
    seen.add(module);
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol =
        exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (!isOwn(symbol)) continue;
      if (symbol.flags & ts.SymbolFlags.ValueModule) {
        if (namespace) visitModule(symbol, exported.name);
      } else if (symbol.flags & ts.SymbolFlags.Class) visitClass(symbol);
      else if (symbol.valueDeclaration) {
        const plain = nameOf(symbol, exported.name);
        // Functions of a namespace that are others than the ones of that name outside have its name before theirs.
        const other = namespace && top.has(plain) && top.get(plain) !== symbol;
        const name = other ? `${namespace}.${plain}` : plain;
        if (!namespace) top.set(name, symbol);
        names.add(name);
        const type = checker.getTypeOfSymbol(symbol);
        const calls = type.getCallSignatures();
        // A class may be exported as a constant of an interface.
        add(name, calls.length > 0 ? calls : type.getConstructSignatures());
      }
    }
    if (namespace) return;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol =
        exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (!isOwn(symbol) || !(symbol.flags & ts.SymbolFlags.ValueModule)) continue;
      names = inNamespaces;
      visitModule(symbol, exported.name);
      names = new Set();
    }
  };
  /** @type {Set<string>} */
  const inNamespaces = new Set();
  let names = new Set();
  const source = program.getSourceFile(index(folder));
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${index(folder)} exports nothing`);
  visitModule(module);
  if (folder === 'core') {
    const users = publicNames(program);
    const behind = addMethods(checker, module, found);
    for (const name of found.keys()) {
      const owner = /^([A-Z]\w*?)_/.exec(name)?.[1] ?? name;
      if (!users.has(owner) && !behind.has(name) && !inNamespaces.has(name)) found.delete(name);
    }
  }
  return found;
}

/** The kinds of a text without its names. @param {string} text */
const withoutNames = (text) => text.replace(/\w+(?=[?]?:)/g, '').replace(/^:\S+ ?/, '');

/**
 * Adds the methods of `Tensor` whose parameters are not those of the function of that name behind its tensor; gives the names of the others.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Symbol} module
 * @param {Map<string, string>} found
 */
function addMethods(checker, module, found) {
  const tensor = checker.getExportsOfModule(module).find(({ name }) => name === 'Tensor');
  if (!tensor) throw new Error('core exports no Tensor');
  const symbol = tensor.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(tensor) : tensor;
  /** @type {Set<string>} */
  const behind = new Set();
  for (const method of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) {
    if (method.name.startsWith('__')) continue;
    const calls = checker.getTypeOfSymbol(method).getCallSignatures();
    if (calls.length === 0) continue;
    let text = forms(checker, calls);
    // In place, the result goes into the tensor itself.
    if (method.name.endsWith('_')) text = text.replace(/ ?out:[^ }]+/, '').replace(/ ?\{\}/, '');
    const functions = (found.get(method.name) ?? '').split(' | ');
    const own = text.split(' | ').map((form) => form.replace(/\w+(?=[?]?:)/g, ''));
    // The type of a method has but the last overload of its function.
    const apart = functions.some((form) => /\.\.\.\w+:\*$/.test(form));
    const same = own.every((form) => functions.map(withoutNames).includes(form));
    if (functions.at(-1)?.startsWith('self:T') && (same || apart)) behind.add(method.name);
    else found.set(`Tensor_${method.name}`, text);
  }
  return behind;
}

/** @param {string} name */
const isReserved = (name) => /[.]|^(var|in|is|do|if|for|new|delete|with|default)$/.test(name);

/**
 * The text of a package's file.
 *
 * @param {string} folder
 * @param {Map<string, string>} signatures
 */
function fileOf(folder, signatures) {
  const head = `// What each call takes, read off the types by \`pnpm signatures\`; the letters are explained in core's arguments.ts.\n`;
  const sorted = [...signatures].sort(([a], [b]) => (a < b ? -1 : 1));
  const quote = (/** @type {string} */ text) => (text.includes("'") ? `"${text}"` : `'${text}'`);
  if (folder === 'core') {
    // All of core is loaded with it, and its wrappers look names up.
    const lines = sorted.map(
      ([name, text]) => `  ${isReserved(name) ? `'${name}'` : name}: ${quote(text)},`,
    );
    return `${head}export const signatures = {\n${lines.join('\n')}\n} as const;\n`;
  }
  return `${head + sorted.map(([name, text]) => `export const ${name} = ${quote(text)};`).join('\n')}\n`;
}

/** The files as they should be, by path. @returns {Map<string, string>} */
export function generate() {
  const program = makeProgram();
  return new Map(
    packages.map((folder) => [
      join(root, 'packages', folder, 'src/signatures.ts'),
      fileOf(folder, signaturesOf(program, folder)),
    ]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of generate()) {
    let before = '';
    try {
      before = readFileSync(path, 'utf8');
    } catch {}
    if (before === text) continue;
    writeFileSync(path, text);
    console.log(`wrote ${relative(root, path)}`);
  }
}
