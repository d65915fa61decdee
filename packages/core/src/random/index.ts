export {
  fillBinomial,
  fillCauchy,
  fillExponential,
  fillGamma,
  fillGeometric,
  fillLogNormal,
  fillPoisson,
} from './distributions.js';
export {
  defaultGenerator,
  Generator,
  type GeneratorOptions,
  getRngState,
  initialSeed,
  manualSeed,
  seed,
  setRngState,
} from './generator.js';
export {
  fillRandomBits,
  fillRandomInt,
  fillRandomPermutation,
  greatestRandom,
  randomPermutation,
} from './integers.js';
export { Mt19937 } from './mt19937.js';
export {
  checkMultinomial,
  checkSum,
  type MultinomialOptions,
  sampleMultinomial,
} from './multinomial.js';
export { fillNormal, fillNormalScalar } from './normal.js';
export {
  type PhiloxBlock,
  type PhiloxPosition,
  philox4x32,
  philoxBlock,
  philoxBlocks,
  philoxInt,
  philoxNormal,
  philoxUniform,
  philoxWords,
  wordsToUniform,
  wordToUniform,
} from './philox.js';
export {
  fillBernoulli,
  fillBernoulliFrom,
  fillDropoutMask,
  fillRreluNoise,
  fillUniform,
} from './uniform.js';
