import { compare, largestDifference } from './resume.js';

const { step, before, after, loss, labels } = await compare(
  new URL('../files/checkpoint.pt', import.meta.url),
);
console.log(`loaded PyTorch's checkpoint of step ${step}\n`);
console.log('scores by PyTorch', String(before[0]));
console.log('scores by Sconce ', String(before[1]));
console.log('kinds predicted  ', String(before[1].argmax(1)));
console.log('kinds            ', String(labels));
console.log(`\nlargest difference of scores       ${await largestDifference(before)}`);
console.log(`loss of the next step of training  ${loss[0]} by PyTorch, ${loss[1]} by Sconce`);
console.log(`largest difference of scores then  ${await largestDifference(after)}`);
process.exit(0);
