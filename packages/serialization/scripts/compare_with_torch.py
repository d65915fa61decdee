"""Has real PyTorch load what Sconce wrote, and compares it with what Sconce says it wrote.

usage: python3 compare_with_torch.py FILE [FILE ...]

A FILE is one of PyTorch (.pt) or of NumPy (.npy, .npz). Beside each FILE lies FILE.json, which describes the value: plain values as JSON, tensors as
{"tensor": {dtype, shape, strides, offset, requires_grad, parameter, storage, data}} where `data` is the base64 of the elements
in row-major order and `storage` numbers the memory, containers as {"dict"|"ordered": [[key, value], ...]}, {"list": [...]},
{"tuple": [...]}, {"set": [...]}, ints as {"int": "1"}, floats as {"float": "0.5"}, bytes as {"bytes": base64}.
"""

import base64
import collections
import json
import math
import sys

import numpy
import torch


class Comparison:
    def __init__(self, path):
        self.path = path
        self.tensors = 0
        self.values = 0
        self.storages = {}

    def fail(self, place, message):
        raise SystemExit(f"{self.path}: {place}: {message}")

    def same(self, place, actual, expected):
        if type(actual) is not type(expected) or actual != expected:
            self.fail(place, f"{actual!r}, expected {expected!r}")

    def compare(self, place, actual, expected):
        if expected is None or isinstance(expected, (bool, str)):
            self.values += 1
            return self.same(place, actual, expected)
        ((kind, content),) = expected.items()
        getattr(self, "compare_" + kind)(place, actual, content)

    def compare_int(self, place, actual, content):
        self.values += 1
        self.same(place, actual, int(content))

    def compare_float(self, place, actual, content):
        self.values += 1
        expected = float(content)
        if math.isnan(expected):
            if not (type(actual) is float and math.isnan(actual)):
                self.fail(place, f"{actual!r}, expected nan")
        else:
            self.same(place, actual, expected)
            self.same(place, math.copysign(1, actual), math.copysign(1, expected))

    def compare_bytes(self, place, actual, content):
        self.values += 1
        self.same(place, actual, base64.b64decode(content))

    def compare_items(self, place, actual, content, kind):
        self.same(place, type(actual), kind)
        self.same(place + ".length", len(actual), len(content))
        for i, (a, e) in enumerate(zip(actual, content)):
            self.compare(f"{place}[{i}]", a, e)

    def compare_list(self, place, actual, content):
        self.compare_items(place, actual, content, list)

    def compare_tuple(self, place, actual, content):
        self.compare_items(place, actual, content, tuple)

    def compare_set(self, place, actual, content):
        self.same(place, type(actual), set)
        self.compare_items(place, sorted(actual), content, list)

    def compare_pairs(self, place, actual, content, kind):
        self.same(place, type(actual), kind)
        self.same(place + ".length", len(actual), len(content))
        for (ak, av), (ek, ev) in zip(actual.items(), content):
            self.compare(f"{place}.key", ak, ek)
            self.compare(f"{place}[{ak!r}]", av, ev)

    def compare_dict(self, place, actual, content):
        self.compare_pairs(place, actual, content, dict)

    def compare_ordered(self, place, actual, content):
        self.compare_pairs(place, actual, content, collections.OrderedDict)

    def compare_device(self, place, actual, content):
        self.values += 1
        self.same(place, str(actual), content)

    def compare_tensor(self, place, t, e):
        self.tensors += 1
        self.same(place + ".type", isinstance(t, torch.nn.Parameter), e["parameter"])
        self.same(place + ".dtype", str(t.dtype), "torch." + e["dtype"])
        self.same(place + ".shape", list(t.shape), e["shape"])
        self.same(place + ".strides", list(t.stride()), e["strides"])
        self.same(place + ".offset", t.storage_offset(), e["offset"])
        self.same(place + ".requires_grad", t.requires_grad, e["requires_grad"])
        flat = t.detach().contiguous().reshape(-1)
        if t.numel() > 0:
            wide = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[flat.element_size()]
            data = flat.view(wide).numpy().tobytes()
        else:
            data = b""
        self.same(place + ".data", data, base64.b64decode(e["data"]))
        known = self.storages.setdefault(e["storage"], t.storage().data_ptr())
        self.same(place + ".storage", t.storage().data_ptr(), known)


def load(path):
    if path.endswith(".npy"):
        return torch.from_numpy(numpy.load(path, allow_pickle=False))
    if path.endswith(".npz"):
        with numpy.load(path, allow_pickle=False) as arrays:
            return collections.OrderedDict((k, torch.from_numpy(arrays[k])) for k in arrays.files)
    return torch.load(path)


for path in sys.argv[1:]:
    with open(path + ".json") as f:
        expected = json.load(f)
    comparison = Comparison(path)
    comparison.compare("value", load(path), expected)
    pointers = [p for p in comparison.storages.values() if p != 0]
    if len(set(pointers)) != len(pointers):
        raise SystemExit(f"{path}: tensors share memory that were apart")
    print(f"{path}: {comparison.tensors} tensors and {comparison.values} values are the same in PyTorch {torch.__version__}")
