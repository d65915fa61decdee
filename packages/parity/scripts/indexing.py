"""Reads and writes the random indices of fixtures/indexing again by the PyTorch at hand, and packs what it gave.

python packages/parity/scripts/indexing.py CASES.json OUT_FOLDER, then node scripts/pack-corpus.mjs OUT_FOLDER fixtures/indexing
CASES.json is the fixture unpacked; bases, indices and values stay, results are made anew.
"""
import base64, json, math, os, sys
import numpy as np
import torch

DTYPES = {str(d).split('.')[1]: d for d in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8, torch.int8,
                                              torch.int16, torch.int32, torch.int64, torch.bool)}
NUMPY = {'float16': 'f2', 'float32': 'f4', 'float64': 'f8', 'uint8': 'u1', 'int8': 'i1', 'int16': 'i2', 'int32': 'i4', 'int64': 'i8', 'bool': '?'}


def decode(v):
    if isinstance(v, list):
        return [decode(x) for x in v]
    if not isinstance(v, dict):
        return v
    if 'tuple' in v:
        return tuple(decode(x) for x in v['tuple'])
    if 'i' in v:
        return int(v['i'])
    if 'f' in v:
        return float(v['f'])
    if 'slice' in v:
        return slice(*[decode(x) for x in v['slice']])
    if 'ellipsis' in v:
        return ...
    raw = base64.b64decode(v['data'])
    if v['t'] == 'bfloat16':
        flat = torch.from_numpy(np.frombuffer(raw, 'i2').copy()).view(torch.bfloat16)
    else:
        flat = torch.from_numpy(np.frombuffer(raw, NUMPY[v['t']]).copy())
    t = flat.reshape(v['shape'])
    if 'strides' in v or 'offset' in v:
        strides, offset = v.get('strides'), v.get('offset', 0)
        if strides is None:
            strides = t.stride()
        size = offset + 1 + sum((n - 1) * s for n, s in zip(v['shape'], strides)) if t.numel() else offset
        room = torch.zeros(max(size, 1), dtype=t.dtype)
        placed = room.as_strided(v['shape'], strides, offset)
        placed.copy_(t)
        t = placed
    return t.requires_grad_() if v.get('rg') else t


def encode(t):
    name = str(t.dtype).split('.')[1]
    flat = t.detach().contiguous()
    raw = flat.view(torch.int16).numpy().tobytes() if name == 'bfloat16' else flat.numpy().tobytes()
    made = {'t': name, 'shape': list(t.shape), 'data': base64.b64encode(raw).decode()}
    if not t.is_contiguous() or t.storage_offset() != 0:
        made['strides'] = list(t.stride())
        made['offset'] = t.storage_offset()
    if t.requires_grad:
        made['rg'] = True
    return made


def gradients(out, leaves):
    wanted = [x for x in leaves if isinstance(x, torch.Tensor) and x.requires_grad]
    if not out.requires_grad or not wanted:
        return None
    n = out.numel()
    w = torch.cos(torch.arange(n, dtype=torch.float64)).to(out.dtype).reshape(out.shape)
    found = torch.autograd.grad((out * w).sum(), wanted, allow_unused=True)
    return [None if g is None else encode(g) for g in found]


def again(case):
    made = {k: case[k] for k in ('id', 'base', 'index', 'value') if k in case}
    base, index = decode(case['base']), decode(case['index'])
    value = decode(case['value']) if 'value' in case else None
    try:
        if 'value' in case:
            a = base.clone()
            a[index] = value
            made['after'] = encode(a.detach())
            grads = gradients(a, [base, value])
        else:
            out = base[index]
            made['out'] = encode(out)
            made['view'] = out.numel() > 0 and out.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()
            if out.numel() == 0:
                made['view'] = case.get('view', False)
            grads = gradients(out, [base])
        if grads is not None:
            made['grads'] = grads
    except Exception as error:
        made['raises'] = {'type': type(error).__name__, 'message': str(error)}
    return made


cases = [again(case) for case in json.load(open(sys.argv[1]))['cases']]
os.makedirs(sys.argv[2], exist_ok=True)
with open(os.path.join(sys.argv[2], 'indexing-00.json'), 'w') as f:
    f.write('{"format":1,"group":"indexing","cases":[\n' + ',\n'.join(json.dumps(c, separators=(',', ':')) for c in cases) + '\n]}\n')
