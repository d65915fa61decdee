import { mhaGpt, transformerClassifier } from './attention.js';
import { charGpt } from './char-gpt.js';
import { convAutoencoder } from './conv-autoencoder.js';
import { gan } from './gan.js';
import { lenet } from './lenet.js';
import { lstmClassifier } from './lstm-classifier.js';
import { mlpClassifier, mlpRegression } from './mlp.js';
import { gradAccum, gradPenalty } from './penalty-and-accumulation.js';
import { resnetBn } from './resnet-bn.js';
import type { Trace } from './trace.js';

/** The training scripts of the corpus in Sconce, by their names there. */
export const traces: Readonly<Record<string, Trace>> = {
  char_gpt: charGpt,
  conv_autoencoder: convAutoencoder,
  gan,
  grad_accum: gradAccum,
  grad_penalty: gradPenalty,
  lenet,
  lstm_classifier: lstmClassifier,
  mha_gpt: mhaGpt,
  mlp_classifier: mlpClassifier,
  mlp_regression: mlpRegression,
  resnet_bn: resnetBn,
  transformer_classifier: transformerClassifier,
};
