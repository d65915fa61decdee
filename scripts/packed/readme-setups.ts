// What stands before the snippets of the READMEs: the values they take as given.

/** A snippet's surroundings. */
export interface Setup {
  /** Imports and values that the snippet uses without saying where they come from. */
  readonly before?: string;
  /** Why it is type-checked but not run; absent: it runs. */
  readonly typesOnly?: string;
}

const tensors = `import { arange, rand, randn, ones, tensor, type Tensor } from 'sconce';`;

/** By file, and the number of the snippet in it from 0 on; the others stand alone. */
export const setups: Readonly<Record<string, Setup>> = {
  'packages/data/README.md 0': {
    before: `${tensors}
const images = randn([10, 3]), labels = arange(10);`,
  },
  'packages/data/README.md 2': {
    before: `import { DataLoader } from '@sconce/data';
import { mkdir, writeFile } from 'node:fs/promises';
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==', 'base64');
for (const name of ['cat', 'dog']) {
  await mkdir(\`photos/train/\${name}\`, { recursive: true });
  for (let i = 0; i < 3; i++) await writeFile(\`photos/train/\${name}/\${i}.png\`, png);
}`,
  },
  'packages/data/README.md 3': {
    before: `import { readLines, TokenDataset, tokenize, writeTokens } from '@sconce/data';
import { readFile, writeFile } from 'node:fs/promises';
await writeFile('tokenizer.json', JSON.stringify({
  version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null,
  pre_tokenizer: { type: 'Whitespace' }, post_processor: null, decoder: null,
  model: { type: 'WordLevel', vocab: { '[UNK]': 0, a: 1, word: 2 }, unk_token: '[UNK]' },
}));
await writeFile('corpus.txt', 'a word '.repeat(200));`,
  },
  'packages/serialization/README.md 0': {
    before: `import { nn, optim } from 'sconce';
const model = new nn.Linear(2, 3), optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const epoch = 0;
await (await import('@sconce/serialization')).save({ epoch, model: model.stateDict() }, 'from-pytorch.pt');`,
  },
  'packages/serialization/README.md 1': {
    before: `import { nn, randn, type Tensor } from 'sconce';
import { openTensors, save } from '@sconce/serialization';
class Model extends nn.Module {
  embed = new nn.Embedding(2000, 8);
  head = new nn.Linear(8, 4);
  override forward(x: Tensor): Tensor { return this.head(this.embed(x)); }
}
const model = new Model();
await save(model.stateDict(), 'model.safetensors', { maxShardBytes: 20000 });`,
  },
  'packages/serialization/README.md 2': {
    before: `import { Generator, nn, optim } from 'sconce';
import { CheckpointManager } from '@sconce/serialization';
import { DataLoader } from '@sconce/data';
const model = new nn.Linear(2, 3), optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const scheduler = new optim.StepLR(optimizer, 3), loader = new DataLoader([1, 2, 3]), generator = new Generator();
const steps = 1000, loss = 0.5;`,
  },
  'packages/nn/README.md 0': {
    before: `import { ones, randn } from 'sconce';
const x = randn([2, 784]);
const saved = { 'fc1.weight': ones([64, 784]), 'fc1.bias': ones([64]), 'fc2.weight': ones([10, 64]), 'fc2.bias': ones([10]) };`,
  },
  'packages/optim/README.md 0': {
    before: `import { nn, ones } from 'sconce';
const body = new nn.Linear(2, 3), head = new nn.Linear(3, 1);
const loss = head(body(ones([4, 2]))).mean();`,
  },
  'packages/kernels/README.md 0': {
    before: `declare const primitive: import('@sconce/core').MapPrimitive;
declare const memory: WebAssembly.Memory;
declare const address: number, workspace: number;
declare const pointerOf: Parameters<typeof packArguments>[4];`,
    typesOnly: 'a device gives it memory and a primitive',
  },
  'packages/backend-webgpu/README.md 0': { typesOnly: 'not every machine has WebGPU' },
  'packages/backend-webgpu/README.md 1': {
    before: `import { init, tensor } from 'sconce';`,
    typesOnly: 'not every machine has WebGPU',
  },
  'docs/webgpu.md 0': { typesOnly: 'not every machine has WebGPU' },
  'docs/webgpu.md 1': {
    before: `${tensors} import { withReads } from 'sconce';
const x = randn([5]);`,
  },
  'docs/webgpu.md 2': {
    before: `import { nn, zeros } from 'sconce';
const { mseLoss } = nn.functional;
const [encoder, head] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
const [x, y] = [zeros([1, 2]), zeros([1, 2])];`,
    typesOnly: 'not every machine has WebGPU',
  },
  'docs/webgpu.md 3': {
    before: `import { linalg, zeros } from 'sconce'; const a = zeros([2, 2]);`,
    typesOnly: 'elsewhere the error is thrown at once',
  },
  'docs/webgpu.md 4': {
    before: `import { init } from 'sconce';`,
    typesOnly: 'not every machine has WebGPU',
  },
};
