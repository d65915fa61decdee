import type { TensorOptions } from '@sconce/core';

/** Where the parameters of a layer are made; whether they train is theirs to say (`requiresGrad_`). */
export type PlaceOptions = Omit<TensorOptions, 'requiresGrad'>;

/** What the options of a layer say about its tensors, without the rest. */
export const placing = ({ dtype, device }: PlaceOptions): PlaceOptions => ({ dtype, device });
