"""Times PyTorch's DataLoader for loader.ts: prints {name: [seconds of each pass]} as JSON."""
import json
import sys
import time

import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

COUNT, SIDE, BATCH, PASSES, WARM_UP = (int(x) for x in sys.argv[1:6])


class Digits(Dataset):
    def __init__(self):
        self.images = torch.rand(COUNT, SIDE * SIDE)
        self.labels = torch.randint(0, 10, (COUNT,)).tolist()

    def __len__(self):
        return COUNT

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


def passes(dataset, workers):
    loader = DataLoader(dataset, BATCH, num_workers=workers, persistent_workers=workers > 0)
    times = []
    for _ in range(WARM_UP + PASSES):
        begin = time.perf_counter()
        seen = 0
        for x, y in loader:
            seen += x.shape[0]
        assert seen == COUNT
        times.append(time.perf_counter() - begin)
    return times[WARM_UP:]


rows = TensorDataset(torch.rand(COUNT, SIDE * SIDE), torch.randint(0, 10, (COUNT,)))
result = {"version": torch.__version__}
for workers in (0, 2):
    result[f"rows {workers}"] = passes(rows, workers)
    result[f"samples {workers}"] = passes(Digits(), workers)
print(json.dumps(result))
