/** How PyTorch's modules are built here, in the language of `signatures`; the class has PyTorch's name. */
export const moduleSignatures: Readonly<Record<string, string>> = {};
