import { embed } from '../../src/embed.js';
import { of, type Samples } from './sample.js';

export const shapeSamples: Samples = {
  view: [of((x) => x.view(3, 2), [2, 3])],
  unsafeView: [of((x) => x.t().reshape(-1), [2, 3])],
  squeeze: [of((x) => x.squeeze(), [1, 3, 1]), of((x) => x.squeeze(0), [1, 3, 1])],
  unsqueeze: [of((x) => x.unsqueeze(-1), [2, 3])],
  permute: [of((x) => x.permute(2, 0, 1), [2, 3, 2]), of((x) => x.permute(-1, 0, 1), [2, 3, 2])],
  transpose: [of((x) => x.transpose(0, -1), [2, 3, 2])],
  expand: [of((x) => x.expand(2, 3, 2), [3, 1])],
  select: [of((x) => x.select(1, -1), [2, 3])],
  slice: [of((x) => x.slice(1, 0, 5, 2), [2, 5])],
  diagonal: [
    of((x) => x.diagonal(), [3, 3]),
    of((x) => x.diagonal({ offset: -1, dim1: 2, dim2: 0 }), [3, 2, 3]),
  ],
  asStrided: [
    of((x) => x.asStrided([2, 2], [1, 2], 1), [3, 3]),
    of((x) => x.asStrided([3, 2], [1, 1], 0), [5]),
    of((x) => x.t().asStrided([2, 2], [3, 1], 1), [3, 3]),
    of((x) => x.expand(2, 3).asStrided([3], [1], 0), [3]),
  ],
  unfold: [of((x) => x.unfold(1, 3, 1), [2, 5]), of((x) => x.unfold(0, 2, 2), [5])],
  embed: [of((x) => embed(x, [3, 4], (t) => t.select(0, 1)), [4])],
  clone: [of((x) => x.clone(), [2, 3])],
  // What is converted is exact in both.
  toDtype: [of((x) => x.mul(0).to('float32').to('float64').add(x), [2, 3])],
  toDevice: [of((x) => x.to('reference'), [2, 3])],
};
