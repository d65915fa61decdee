// The names that `using` goes by, for programs whose TypeScript does not list them among its libraries.
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

export {};
