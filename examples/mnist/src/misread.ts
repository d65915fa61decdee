import type { Digits } from './dataset.js';

/** A digit that a model misread. */
export interface Misread {
  /** 28 * 28 values from 0 to 1. */
  pixels: readonly number[];
  wanted: number;
  guessed: number;
}

/** The digits for which a prediction is not the label, at most `limit` of them. */
export async function findMisread(
  { images, labels }: Digits,
  predictions: readonly number[],
  limit = Number.POSITIVE_INFINITY,
): Promise<Misread[]> {
  const flat = images.flatten(1);
  const misread: Misread[] = [];
  for (const [i, wanted] of ((await labels.toArray()) as number[]).entries()) {
    const guessed = predictions[i] as number;
    if (guessed === wanted) continue;
    if (misread.length === limit) break;
    misread.push({ pixels: (await flat.select(0, i).toArray()) as number[], wanted, guessed });
  }
  return misread;
}
