export * from './clip-grad.js';
export * as rnn from './rnn.js';
