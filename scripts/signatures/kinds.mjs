// What a type admits, as the short text that `packages/core/src/arguments` reads: `n|n[]` for a number or an array of
// numbers. What a text cannot say is `*`, which admits everything.

import ts from 'typescript-api';

/** Kinds of primitive types. @type {[number, string][]} */
const primitives = [
  [ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Never | ts.TypeFlags.ESSymbolLike, '*'],
  [ts.TypeFlags.Undefined | ts.TypeFlags.Void, ''],
  [ts.TypeFlags.Null, 'N'],
  [ts.TypeFlags.BooleanLike, 'b'],
  [ts.TypeFlags.NumberLike, 'n'],
  [ts.TypeFlags.BigIntLike, 'i'],
  [ts.TypeFlags.NonPrimitive, 'o'],
];

/** Types whose values are told apart where they are used, in better words. */
const apart = new Set([
  'FileSource',
  'FileTarget',
  'FileFormat',
  'SourceLike',
  'Target',
  'ToArguments',
]);

/**
 * Whether a parameter or property is declared with such a type.
 *
 * @param {ts.Symbol} symbol
 */
export const isToldApart = (symbol) => {
  const declaration = symbol.valueDeclaration;
  if (!declaration || !(ts.isParameter(declaration) || ts.isPropertySignature(declaration)))
    return false;
  return declaration.type !== undefined && apart.has(declaration.type.getText());
};

/** Types of which a value says nothing simple about whether it fits. */
const open = new Set(['ArrayLike', 'AsyncIterable', 'PromiseLike', 'Iterator']);

/**
 * The kinds of values that a type admits.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {number} [depth]
 * @returns {string}
 */
export function kindOf(checker, type, depth = 0) {
  const kinds = new Set(depth > 4 ? ['*'] : kindsOf(checker, type, depth));
  // Tables of strings and values of endless nesting are told apart where they are used.
  if (
    kinds.has('*') ||
    [...kinds].join('|').length > 160 ||
    [...kinds].some((kind) => kind.includes('(*)'))
  )
    return '*';
  kinds.delete('');
  // A string in general makes literals redundant, and dtypes are a kind of their own.
  const literals = [...kinds].filter((kind) => kind.startsWith("'"));
  if (kinds.has('s')) for (const kind of literals) kinds.delete(kind);
  else if (literals.includes("'bfloat16'") && literals.includes("'uint8'")) {
    for (const kind of literals) kinds.delete(kind);
    kinds.add('D');
  }
  if (['n', 'b', 'i', '@Float'].every((kind) => kinds.has(kind))) {
    for (const kind of ['n', 'b', 'i', '@Float']) kinds.delete(kind);
    kinds.add('S');
  }
  return [...kinds].sort(byWeight).join('|') || '*';
}

const weights = 'TSnisbDfNo';
/** Tensors first, null last, whatever order the compiler has. @param {string} a @param {string} b */
const byWeight = (a, b) =>
  a.split('[]').length - b.split('[]').length ||
  weights.indexOf(a[0] ?? '') - weights.indexOf(b[0] ?? '') ||
  (a < b ? -1 : 1);

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {number} depth
 * @returns {string[]}
 */
function kindsOf(checker, type, depth) {
  if (type.isUnion()) return type.types.flatMap((part) => kindsOf(checker, part, depth));
  if (type.flags & ts.TypeFlags.StringLiteral) {
    const { value } = /** @type {ts.StringLiteralType} */ (type);
    return [/^[^'|()\s]*$/.test(value) ? `'${value}'` : 's'];
  }
  if (type.flags & ts.TypeFlags.StringLike) return ['s'];
  for (const [flags, kind] of primitives) if (type.flags & flags) return [kind];
  if (type.flags & ts.TypeFlags.Instantiable) {
    const constraint = checker.getBaseConstraintOfType(type);
    return constraint && constraint !== type ? kindsOf(checker, constraint, depth + 1) : ['*'];
  }
  if (isTensor(type)) return ['T'];
  if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0) {
    return [isClass(type) ? `@${type.symbol.name}` : 'f'];
  }
  if (checker.isArrayType(type) || checker.isTupleType(type)) {
    const items = checker.getTypeArguments(/** @type {ts.TypeReference} */ (type));
    const kinds = new Set(items.map((item) => kindOf(checker, item, depth + 1)));
    if (kinds.size === 0) return ['(*)[]'];
    const kind =
      kinds.size === 1 ? [...kinds][0] : [...new Set([...kinds].join('|').split('|'))].join('|');
    return [/^[\w']+$/.test(kind ?? '') ? `${kind}[]` : `(${kind})[]`];
  }
  const name = type.symbol?.name ?? '';
  if (open.has(name)) return ['*'];
  if (name === 'Iterable') return ['I'];
  if (type.isIntersection()) {
    // Brands narrow a primitive; the rest is an object.
    const kinds = type.types.map((part) => kindsOf(checker, part, depth)[0] ?? '*');
    return [kinds.find((kind) => kind === 's' || kind === 'n' || kind === 'T') ?? 'o'];
  }
  return [isClass(type) ? `@${name}` : 'o'];
}

/** @param {ts.Type} type */
const isClass = (type) => Boolean(type.symbol && type.symbol.flags & ts.SymbolFlags.Class);

/** Whether a type is `Tensor` or a class derived of it. @param {ts.Type} type @returns {boolean} */
export function isTensor(type) {
  if (!isClass(type)) return false;
  if (type.symbol.name === 'Tensor') return true;
  return (type.getBaseTypes?.() ?? []).some(isTensor);
}

/**
 * The properties of a type that is a trailing options object, in the order of their declaration; undefined for another type.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {string} name of the parameter
 * @returns {{ name: string, type: ts.Type, optional: boolean }[] | undefined}
 */
export function optionsOf(checker, type, name) {
  if (!/^options$|^extras$|Options$/.test(name)) return undefined;
  let plain = checker.getNonNullableType(type);
  if (plain.flags & ts.TypeFlags.Instantiable) {
    plain = checker.getBaseConstraintOfType(plain) ?? plain;
  }
  const parts = plain.isUnion() ? plain.types : [plain];
  const objects = parts.every(
    (part) =>
      (part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 &&
      !isClass(part) &&
      !checker.isArrayType(part) &&
      part.getCallSignatures().length === 0 &&
      part.getStringIndexType() === undefined,
  );
  if (!objects) return undefined;
  /** @type {Map<string, { name: string, type: ts.Type, optional: boolean }>} */
  const found = new Map();
  for (const part of parts) {
    for (const property of checker.getPropertiesOfType(part)) {
      const optional = parts.length > 1 || (property.flags & ts.SymbolFlags.Optional) !== 0;
      const known = found.get(property.name);
      const own = checker.getTypeOfSymbol(property);
      // Variants of one option are checked where they are told apart.
      const any = known !== undefined || isToldApart(property);
      const kind = any ? checker.getAnyType() : own;
      found.set(property.name, { name: property.name, type: kind, optional });
    }
  }
  // Where a result goes is said last.
  return [...found.values()].sort((a, b) => Number(a.name === 'out') - Number(b.name === 'out'));
}
