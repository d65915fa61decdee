/** Sconce lacks what a case needs; the message names it. */
export class MissingFeature extends Error {
  override name = 'MissingFeature';
}
