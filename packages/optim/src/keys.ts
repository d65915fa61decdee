/** `weightDecay` as PyTorch's state dicts write it: `weight_decay`. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** `weight_decay` as our options write it: `weightDecay`. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
