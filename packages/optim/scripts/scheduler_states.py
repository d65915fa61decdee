"""Prints state dicts of PyTorch's schedulers after three steps and the rates of five more: state.fixture.json of src/lr-scheduler."""
import json, math, warnings
import torch
from torch.optim import lr_scheduler as S
warnings.simplefilter('ignore')

def optimizer(kind):
    groups = [{'params': [torch.nn.Parameter(torch.zeros(1))]}, {'params': [torch.nn.Parameter(torch.zeros(1))], 'lr': 0.3}]
    return torch.optim.SGD(groups, lr=0.5, momentum=0.9) if kind == 'SGD' else torch.optim.Adam(groups, lr=0.5)

CASES = {
    'LambdaLR': lambda o: S.LambdaLR(o, lambda e: 0.5 ** e),
    'MultiplicativeLR': lambda o: S.MultiplicativeLR(o, lambda e: 0.5),
    'StepLR': lambda o: S.StepLR(o, 2, 0.5),
    'MultiStepLR': lambda o: S.MultiStepLR(o, [5, 2, 5, 7], 0.5),
    'ConstantLR': lambda o: S.ConstantLR(o, 0.25, 4),
    'LinearLR': lambda o: S.LinearLR(o, 0.25, 0.75, 6),
    'ExponentialLR': lambda o: S.ExponentialLR(o, 0.5),
    'PolynomialLR': lambda o: S.PolynomialLR(o, 7, 2.0),
    'CosineAnnealingLR': lambda o: S.CosineAnnealingLR(o, 5, 0.1),
    'CosineAnnealingWarmRestarts': lambda o: S.CosineAnnealingWarmRestarts(o, 2, 3, 0.1),
    'CyclicLR': lambda o: S.CyclicLR(o, [0.1, 0.2], 0.4, 2, 3, mode='triangular2', base_momentum=0.5, max_momentum=0.7),
    'CyclicLR exp_range': lambda o: S.CyclicLR(o, 0.1, 0.4, 2, mode='exp_range', gamma=0.5, cycle_momentum=False),
    'OneCycleLR': lambda o: S.OneCycleLR(o, [1.0, 2.0], total_steps=10),
    'OneCycleLR of Adam': lambda o: S.OneCycleLR(o, 1.0, epochs=2, steps_per_epoch=5, three_phase=True),
    'ReduceLROnPlateau': lambda o: S.ReduceLROnPlateau(o, 'max', 0.5, 1, 0.01, 'abs', 1, [0.01, 0.02], 1e-6),
    'ReduceLROnPlateau unstepped': lambda o: S.ReduceLROnPlateau(o),
    'SequentialLR': lambda o: S.SequentialLR(o, [S.ConstantLR(o, 0.5, 9), S.MultiStepLR(o, [1, 2], 0.5), S.StepLR(o, 1, 0.25)], [2, 6]),
    'ChainedScheduler': lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.5, 4), S.ExponentialLR(o, 0.5)]),
}

def plain(x):
    if isinstance(x, dict):  # functions and references are not data
        return {str(k): plain(v) for k, v in x.items() if k not in ('anneal_func', '_scale_fn_ref')}
    if isinstance(x, (list, tuple)): return [plain(v) for v in x]
    if isinstance(x, float) and math.isinf(x): return 'inf' if x > 0 else '-inf'
    return x

def step(name, scheduler):
    if name.startswith('ReduceLROnPlateau'): scheduler.step(1.0)
    else: scheduler.step()

out = {}
for name, make in CASES.items():
    kind = 'Adam' if 'Adam' in name else 'SGD'
    o = optimizer(kind); s = make(o)
    if 'unstepped' not in name:
        for _ in range(3): step(name, s)
    case = {'optimizer': kind, 'param_groups': plain(o.state_dict()['param_groups']), 'state': plain(s.state_dict()), 'then': []}
    for _ in range(5):
        step(name, s)
        case['then'].append([g['lr'] for g in o.param_groups] + [g['betas'][0] if 'betas' in g else g['momentum'] for g in o.param_groups])
    out[name] = case
print(json.dumps(out))
