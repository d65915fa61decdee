import { tensor } from 'sconce';

const x = tensor([
  [1, 2],
  [3, 4],
]);
postMessage(x.matmul(x).toArraySync());
