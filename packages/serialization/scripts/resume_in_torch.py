"""Has real PyTorch go on with a training that Sconce began and saved, and compares the weights after the next steps.

usage: python3 resume_in_torch.py CHECKPOINT.pt [CHECKPOINT.pt ...]

Each checkpoint holds `model` (Linear, ReLU, Linear), `kind` (a class of torch.optim), `optimizer`, `scheduler`
(MultiStepLR), the data `x` and `y`, and of the steps after it: `losses`, `rates`, and the weights `after`.
"""

import sys
from collections import Counter

import torch
from torch import nn

for path in sys.argv[1:]:
    checkpoint = torch.load(path)
    state = checkpoint["model"]
    model = nn.Sequential(
        nn.Linear(state["0.weight"].shape[1], state["0.weight"].shape[0]),
        nn.ReLU(),
        nn.Linear(state["2.weight"].shape[1], state["2.weight"].shape[0]),
    )
    model.load_state_dict(state)
    optimizer = getattr(torch.optim, checkpoint["kind"])(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1])  # replaced by what the checkpoint says
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    assert scheduler.milestones == Counter({4: 1, 9: 2}) and type(scheduler.milestones) is Counter, scheduler.milestones
    for expected_loss, expected_rate in zip(checkpoint["losses"], checkpoint["rates"]):
        loss = nn.functional.mse_loss(model(checkpoint["x"]), checkpoint["y"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        assert abs(loss.item() - expected_loss) < 1e-5 * abs(expected_loss), (loss.item(), expected_loss)
        rate = optimizer.param_groups[0]["lr"]
        assert abs(rate - expected_rate) < 1e-12, (rate, expected_rate)
    worst = max((p - checkpoint["after"][k]).abs().max().item() for k, p in model.state_dict().items())
    assert worst < 1e-5, worst
    moved = max((state[k] - checkpoint["after"][k]).abs().max().item() for k in state)
    assert moved > 1e-4, moved
    print(f"{checkpoint['kind']}: {len(checkpoint['losses'])} more steps are the same in PyTorch {torch.__version__}")
