"""Makes files/checkpoint.pt: what a PyTorch user saves in the midst of training, and what the model predicts then.

usage: python3 make_checkpoint.py
"""

import copy

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
        )
        self.classifier = nn.Linear(16, 3)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def pictures(n):
    """Horizontal, vertical and diagonal stripes, in noise."""
    labels = torch.arange(n) % 3
    rows = torch.arange(12).view(12, 1).expand(12, 12)
    kinds = torch.stack([rows, rows.t(), rows + rows.t()])
    phase = torch.randint(0, 4, (n, 1, 1))
    stripes = ((kinds[labels] + phase) % 4 < 2).float()
    return (stripes + 0.5 * torch.randn(n, 12, 12)).unsqueeze(1), labels


torch.manual_seed(0)
model = nn.DataParallel(Net())
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 20)
for step in range(60):
    x, y = pictures(48)
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()

model.eval()
x, y = pictures(9)
with torch.no_grad():
    predicted = model(x)
    print("loss", loss.item(), "right", (predicted.argmax(1) == y).sum().item(), "of", len(y))

# What the next step of training gives, so that the optimizer's state is put to the test too.
model.train()
checkpoint = copy.deepcopy(
    {
        "step": step + 1,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
    }
)
next_x, next_y = pictures(48)
next_loss = nn.functional.cross_entropy(model(next_x), next_y)
optimizer.zero_grad()
next_loss.backward()
optimizer.step()
model.eval()
with torch.no_grad():
    after = model(x)

checkpoint["sample"] = {"images": x, "labels": y, "predicted": predicted}
checkpoint["next"] = {"images": next_x, "labels": next_y, "loss": next_loss.item(), "predicted": after}
torch.save(checkpoint, "files/checkpoint.pt")
