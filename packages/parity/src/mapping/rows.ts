/** One signature for all the names in lines of names. */
export function rows(signature: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((line) => line.split(' ')).map((n) => [n, signature]));
}
