"""Writes the files of test/torch, with PyTorch 2.15: whole models, optimizers, and the kinds of values that newer versions save.

usage: python3 make_torch_files.py FOLDER

Numbers are small and exact, so that the tests can state them.
"""

import collections
import os
import sys
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
folder = sys.argv[1]


def save(name, value, **options):
    torch.save(value, os.path.join(folder, name), **options)


class Marked(torch.Tensor):
    pass


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(2)
        self.register_buffer("cache", torch.tensor([7.0]), persistent=False)
        self.register_buffer("none", None)
        self.act = torch.relu


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.block = Block()
        self.tied = nn.Linear(2, 2, bias=False)
        self.tied.weight = self.fc.weight
        self.nothing = None
        self.same = self.block
        self.config = {"command": os.system, "print": print}
        self.scale = nn.Parameter(torch.tensor(0.5), requires_grad=False)
        self.items = nn.ParameterList([nn.Parameter(torch.tensor([1.0])), nn.Parameter(torch.tensor([2.0]))])


def net():
    made = Net()
    with torch.no_grad():
        made.fc.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        made.fc.bias.copy_(torch.tensor([5.0, 6.0]))
        made.block.bn.running_mean.copy_(torch.tensor([0.25, 0.75]))
    made.block.eval()
    return made


save("model.pt", net())
save("model.legacy.pt", net(), _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    save(f"model.proto{protocol}.pt", net(), pickle_protocol=protocol)
save("parallel.pt", nn.DataParallel(net()))

model = nn.Sequential(nn.Linear(2, 1), nn.ReLU())
with torch.no_grad():
    model[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
    model[0].bias.zero_()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.5)
model(torch.tensor([[2.0, 1.0]])).sum().backward()
optimizer.step()
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
save("checkpoint.pt", {
    "epoch": 3,
    "model": model,
    "optimizer": optimizer,
    "optimizer_state": optimizer.state_dict(),
    "scheduler": scheduler,
    "scheduler_state": scheduler.state_dict(),
})

z = torch.tensor([1 + 2j, 3 - 4j])
subclass = nn.Parameter(torch.tensor([1.0, 2.0]))
subclass.note = "kept in Python"
attributed = torch.tensor([3.0])
attributed.note = 1
save("values.pt", {
    "negated": [z.conj().imag, z.conj().imag[1:]],
    "buffer": nn.Buffer(torch.tensor([4.0])),
    "parameter": subclass,
    "attributed": attributed,
    "grad": torch.tensor([0.5], requires_grad=True),
    "tuples": {(0, 1): "a", ("x", (2, None)): "b", torch.Size([2, 3]): "c"},
    "ordered": collections.OrderedDict([((1, 1), 1), ("plain", 2)]),
    "devices": [torch.device("cpu"), torch.device("cuda"), torch.device("cuda", 1), torch.device("mps"), torch.device("meta")],
    "dtypes": [torch.float32, torch.int64, torch.bool],
    "size": torch.Size([2, 3]),
    "layout": torch.strided,
})

save("refused.uint16.pt", {"x": torch.ones(2).to(torch.uint16), "ok": torch.ones(1)})
save("refused.uint32.pt", torch.ones(2).to(torch.uint32))
save("refused.uint64.pt", torch.ones(2).to(torch.uint64))
save("refused.float8_e4m3fn.pt", torch.ones(2).to(torch.float8_e4m3fn))
save("refused.float8_e5m2.pt", torch.ones(2).to(torch.float8_e5m2))
save("refused.float8_e8m0fnu.pt", torch.ones(2).to(torch.float8_e8m0fnu))
save("refused.float4.pt", torch.zeros(2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2))
save("refused.complex32.pt", torch.ones(2, dtype=torch.complex32))
save("refused.complex64.pt", {"x": torch.ones(2, dtype=torch.complex64), "ok": torch.ones(1)})
save("refused.complex64.legacy.pt", torch.ones(2, dtype=torch.complex64), _use_new_zipfile_serialization=False)
save("refused.sparse.pt", torch.eye(2).to_sparse())
save("refused.csr.pt", torch.eye(2).to_sparse_csr())
save("refused.quantized.pt", torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8))
save("refused.nested.pt", torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]))
save("refused.jagged.pt", torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged))
save("refused.meta.pt", torch.ones(2, device="meta"))
save("refused.lazy.pt", nn.LazyLinear(2))
save("refused.generator.pt", torch.Generator())
save("refused.subclass.pt", torch.tensor([1.0, 2.0]).as_subclass(Marked))

with open(os.path.join(folder, "model.keys.txt"), "w") as f:
    f.write("\n".join(net().state_dict().keys()) + "\n")
