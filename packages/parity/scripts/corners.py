"""Prints first and second derivatives by PyTorch where functions are written by cases: at zeros, ties and bounds. corners.json of src/gradients."""
import json, math, warnings
import torch

warnings.simplefilter('ignore')
inf = math.inf
F64 = torch.float64
cases = []

def case(expr, **inputs):
    cases.append((expr, inputs))

def each(exprs, **inputs):
    for expr in exprs:
        case(expr, **inputs)

# functions of one operand, at zeros, poles and the ends of their domains
zero = [0.0, -0.0, 1.0, -2.0]
each([f'torch.{f}(x)' for f in 'abs sign sgn floor ceil trunc round frac square sin tan asin atan sinh cosh tanh asinh atanh exp expm1 '
      'exp2 sigmoid erf erfc sinc i0 deg2rad angle neg positive relu'.split() if f not in ('asin', 'atanh')], x=zero)
each(['torch.asin(x)', 'torch.acos(x)', 'torch.atanh(x)', 'torch.erfinv(x)'], x=[0.0, 0.5, 1.0, -1.0])
each(['torch.acosh(x)'], x=[1.0, 2.0])
each(['torch.sqrt(x)', 'torch.rsqrt(x)', 'torch.log(x)', 'torch.log2(x)', 'torch.log10(x)', 'torch.reciprocal(x)', 'torch.special.entr(x)',
      'torch.lgamma(x)', 'torch.digamma(x)'], x=[0.0, 1.0, 4.0])
each(['torch.log1p(x)'], x=[0.0, -1.0, 2.0])
each(['torch.logit(x)'], x=[0.0, 1.0, 0.25])
each(['torch.logit(x, eps=0.25)'], x=[0.0, 0.25, 0.75, 0.5, 1.0])
each(['torch.nan_to_num(x)'], x=[inf, -inf, 0.0, 2.0])
each([f'torch.special.{f}(x)' for f in 'i1 i0e i1e erfcx ndtr log_ndtr'.split()], x=zero)
each(['torch.special.ndtri(x)'], x=[0.5, 0.25])
each(['torch.softmax(x, 0)', 'torch.log_softmax(x, 0)', 'torch.logsumexp(x, 0)', 'torch.logcumsumexp(x, 0)'], x=[1.0, -inf, 1.0, 2.0])
each(['torch.softmax(x, 0)', 'torch.log_softmax(x, 0)', 'torch.logsumexp(x, 0)'], x=[-inf, -inf])
each(['torch.logsumexp(x, 0)'], x=[inf, 1.0])
each(['torch.logcumsumexp(x, 0)'], x=[-inf, -inf, 1.0])
each(['torch.logcumsumexp(x, 0)'], x=[0.0, 0.0, 0.0])

# powers
powers = ['0', '1', '2', '3', '0.5', '1.5', '2.5', '-1', '-0.5', '1.0']
each([f'torch.pow(x, {p})' for p in powers], x=[0.0, 1.0, 2.0])
each([f'torch.pow(x, {p})' for p in ['0', '1', '2', '3']], x=[-2.0, 0.0, -1.0])
each([f'torch.float_power(x, {p})' for p in ['0', '1', '2', '0.5']], x=[0.0, 2.0])
each([f'torch.pow({b}, x)' for b in ['0', '1', '2.0', '0.5']], x=[0.0, 1.0, -1.0, 2.0])
case('torch.pow(x, y)', x=[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0], y=[0.0, 1.0, 2.0, 0.5, 0.0, 0.0, 1.0])
case('torch.pow(x, y)', x=[0.0, 0.0, -2.0, -2.0], y=[3.0, 2.5, 2.0, 0.0])

# two operands
pairs = dict(x=[0.0, 0.0, 1.0, 2.0, -0.0, -3.0], y=[0.0, 1.0, 0.0, 2.0, 1.0, -3.0])
each([f'torch.{f}(x, y)' for f in 'atan2 hypot copysign logaddexp logaddexp2 maximum minimum fmax fmin mul sub'.split()], **pairs)
each([f'torch.{f}(x, y)' for f in 'div fmod remainder'.split()], x=[0.0, 4.0, -4.0, 1.0], y=[1.0, 2.0, 2.0, -0.5])
each(["torch.div(x, y, rounding_mode='floor')", "torch.div(x, y, rounding_mode='trunc')"], x=[0.0, 4.0], y=[1.0, 2.0])
each(['torch.xlogy(x, y)', 'torch.special.xlog1py(x, y)'], x=[0.0, 0.0, 2.0, 1.0], y=[0.0, 1.0, 1.0, 2.0])
each(['torch.xlogy(x, 0)', 'torch.xlogy(x, 2)', 'torch.xlogy(0, x)', 'torch.xlogy(2, x)'], x=[0.0, 1.0])
each(['torch.special.xlog1py(0, x)', 'torch.special.xlog1py(x, -1)'], x=[0.0, 1.0])
each(['torch.logaddexp(x, y)'], x=[-inf, -inf, 0.0], y=[-inf, 0.0, -inf])
each(['torch.addcdiv(x, x, y)', 'torch.addcmul(x, x, y)'], x=[0.0, 1.0], y=[2.0, 1.0])
each(['torch.lerp(x, y, 0.5)', 'torch.lerp(x, y, z)'], x=[0.0, 1.0, 2.0], y=[0.0, 2.0, 2.0], z=[0.0, 0.5, 1.0])
each(['torch.clamp(x, -1, 2)', 'torch.clamp(x, min=-1)', 'torch.clamp(x, max=2)', 'torch.clamp(x, 2, -1)'], x=[-2.0, -1.0, 0.0, 2.0, 3.0])
each(['torch.clamp(x, y, z)'], x=[-2.0, -1.0, 0.0, 2.0, 3.0, 1.0], y=[-1.0, -1.0, 0.0, 0.0, 0.0, 2.0], z=[2.0, 2.0, 0.0, 2.0, 2.0, 1.0])
each(['torch.clamp_min(x, y)', 'torch.clamp_max(x, y)'], x=[-1.0, 0.0, 1.0], y=[0.0, 0.0, 0.0])
each(['torch.where(x > y, x, y)', 'torch.where(x > y, x * x, y)', 'x.masked_fill(x >= y, 0)'], x=[0.0, 1.0, 0.0], y=[0.0, 0.0, 1.0])
case('torch.where(x > 0, torch.sqrt(x), x)', x=[0.0, 4.0])
case('torch.special.zeta(2.0, x)', x=[1.0, 2.0])
each(['torch.special.gammainc(torch.tensor(2.0, dtype=torch.float64), x)', 'torch.special.gammaincc(torch.tensor(2.0, dtype=torch.float64), x)', 'torch.special.gammainc(torch.tensor(1.0, dtype=torch.float64), x)'], x=[0.0, 1.0, 2.0])
case('torch.special.gammainc(torch.tensor(0.5, dtype=torch.float64), x)', x=[0.0, 1.0])
case('torch.polygamma(1, x)', x=[1.0, 2.0])

# activations, at their corners
each([f'torch.nn.functional.{f}(x)' for f in 'relu silu mish logsigmoid selu elu celu gelu softplus leaky_relu softsign tanhshrink'.split()], x=zero)
each(["torch.nn.functional.gelu(x, approximate='tanh')", 'torch.nn.functional.elu(x, 1.5)', 'torch.nn.functional.celu(x, 1.5)',
      'torch.nn.functional.leaky_relu(x, 0.2)', 'torch.nn.functional.leaky_relu(x, 0.0)', 'torch.nn.functional.threshold(x, 0.0, 3.0)',
      'torch.nn.functional.rrelu(x, 0.2, 0.2)'], x=zero)
each(['torch.nn.functional.relu6(x)'], x=[0.0, 6.0, 3.0, -1.0, 7.0])
each(['torch.nn.functional.hardtanh(x)', 'torch.nn.functional.hardtanh(x, -1.0, 0.5)', 'torch.nn.functional.threshold(x, -1.0, 3.0)'],
     x=[-1.0, 1.0, 0.0, 2.0, 0.5, -3.0])
each(['torch.nn.functional.hardsigmoid(x)', 'torch.nn.functional.hardswish(x)'], x=[-3.0, 3.0, 0.0, 4.0, -4.0])
each(['torch.nn.functional.hardshrink(x)', 'torch.nn.functional.softshrink(x)'], x=[-0.5, 0.5, 0.0, 1.0, -1.0])
each(['torch.nn.functional.hardshrink(x, 0.0)', 'torch.nn.functional.softshrink(x, 0.0)'], x=[0.0, 1.0, -1.0])
each(['torch.nn.functional.softplus(x, 2.0, 4.0)'], x=[0.0, 2.0, 3.0])
each(['torch.nn.functional.prelu(x, y)'], x=[0.0, 1.0, -1.0, -2.0], y=[0.25])
each(['torch.nn.functional.prelu(x, y)'], x=[0.0, 1.0, -1.0, -2.0], y=[0.0])
case('torch.nn.functional.glu(x)', x=[0.0, 1.0, 0.0, -1.0])

# reductions: zeros and ties
each(['torch.prod(x)', 'torch.prod(x, 0)', 'torch.cumprod(x, 0)'], x=[2.0, 0.0, 3.0])
each(['torch.prod(x)', 'torch.prod(x, 0)', 'torch.cumprod(x, 0)'], x=[2.0, 3.0, 5.0])
each(['torch.prod(x)', 'torch.cumprod(x, 0)'], x=[0.0, 2.0, 0.0, 3.0])
each(['torch.prod(x)', 'torch.cumprod(x, 0)'], x=[0.0, 0.0, 0.0])
each(['torch.prod(x)', 'torch.cumprod(x, 0)'], x=[2.0, -3.0, 4.0, 0.0])
each(['torch.prod(x)', 'torch.cumprod(x, 0)'], x=[0.0])
each(['torch.prod(x, 1)', 'torch.prod(x, 0, keepdim=True)', 'torch.cumprod(x, 1)', 'torch.cumprod(x, 0)', 'torch.prod(x)'],
     x=[[1.0, 0.0, 2.0], [3.0, 4.0, 5.0], [0.0, 6.0, 0.0]])
ties = [1.0, 3.0, 3.0, 1.0]
each([f'torch.{f}(x)' for f in 'amax amin max min median nanmedian aminmax std var logsumexp'.split() if f not in ('aminmax', 'logsumexp')], x=ties)
each(['torch.amax(x, 0)', 'torch.amin(x, 0)', 'torch.max(x, 0)[0]', 'torch.min(x, 0)[0]', 'torch.cummax(x, 0)[0]', 'torch.cummin(x, 0)[0]',
      'torch.sort(x, stable=True)[0]', 'torch.sort(x, stable=True, descending=True)[0]', 'torch.median(x, 0)[0]', 'torch.aminmax(x, dim=0).min',
      'torch.mode(x)[0]',
      'torch.logcumsumexp(x, 0)', 'torch.renorm(x.reshape(2, 2), 2, 0, 1.0)', 'torch.diff(x)'], x=ties)
each(['torch.amax(x, [0, 1])', 'torch.amin(x, 1)', 'torch.max(x)', 'torch.amax(x, 0, keepdim=True)'], x=[[1.0, 2.0], [2.0, 2.0]])
each(['torch.std(x)', 'torch.var(x)', 'torch.std(x, unbiased=False)', 'torch.var(x, unbiased=False)'], x=[2.0, 2.0, 2.0])
each(['torch.std(x)', 'torch.var(x)', 'torch.std(x, 0)'], x=[2.0])
each(['torch.nansum(x)', 'torch.nanmean(x)'], x=[0.0, 1.0])

# norms and distances
orders = ['0', '0.5', '1', '1.5', '2', '2.5', '3', '4', 'float("inf")', '-float("inf")', '-1']
for v in ([3.0, 4.0], [0.0, 2.0], [0.0, 0.0], [0.0], [2.0, -2.0, 2.0, 0.0]):
    each([f'torch.linalg.vector_norm(x, {p})' for p in orders], x=v)
each([f'torch.norm(x, {p})' for p in ['0.5', '1', '2', '3', 'float("inf")']], x=[0.0, 2.0])
each([f'torch.norm(x, {p}, 1)' for p in ['1', '2', '3', 'float("inf")']], x=[[0.0, 2.0], [0.0, 0.0], [1.0, 1.0]])
each([f'torch.dist(x, y, {p})' for p in ['1', '1.5', '2', '3', 'float("inf")']], x=[0.0, 2.0, 1.0], y=[0.0, 1.0, 2.0])
each(['torch.nn.functional.normalize(x, dim=0)', 'torch.nn.functional.normalize(x, p=1.0, dim=0)'], x=[0.0, 2.0])
each(['torch.nn.functional.normalize(x, dim=0)', 'torch.nn.functional.normalize(x, p=1.0, dim=0)'], x=[0.0, 0.0])
each([f'torch.renorm(x, {p}, 0, 1.0)' for p in ['1', '2', '3', 'float("inf")']], x=[[0.0, 0.0], [3.0, 0.0], [1.0, 0.0], [0.25, 0.0]])
rows = dict(x=[[0.0, 1.0], [2.0, 2.0]], y=[[0.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
each([f'torch.cdist(x, y, p={p})' for p in ['0.0', '0.5', '1.0', '1.5', '2.0', '2.5', '3.0', 'float("inf")']], **rows)
each(['torch.cdist(x, y) ** 2'], x=[[0.0, 1.0]], y=[[0.0, 3.0]])
each([f'torch.nn.functional.pdist(x, p={p})' for p in ['0.5', '1.0', '1.5', '2.0', '3.0', 'float("inf")']], x=[[0.0, 1.0], [0.0, 3.0], [2.0, 3.0]])
each([f'torch.nn.functional.pairwise_distance(x, y, p={p}, eps=0.0)' for p in ['1.0', '1.5', '2.0', '3.0']],
     x=[[0.0, 1.0], [2.0, 2.0]], y=[[0.0, 3.0], [2.0, 1.0]])
each(['torch.nn.functional.cosine_similarity(x, y)'], x=[[0.0, 0.0], [1.0, 0.0]], y=[[1.0, 2.0], [0.0, 1.0]])
each(['torch.nn.functional.lp_pool1d(x, 2, 2)', 'torch.nn.functional.lp_pool1d(x, 3, 2)', 'torch.nn.functional.lp_pool1d(x, 1, 2)'],
     x=[[0.0, 2.0, 0.0, 0.0, -1.0, 2.0]])

# losses, where their pieces meet
meet = dict(x=[0.0, 1.0, 2.0, -1.0, 3.0], y=[0.0, 0.0, 0.0, 0.0, 3.0])
each([f"torch.nn.functional.{f}(x, y, reduction='none')" for f in ('l1_loss', 'mse_loss', 'smooth_l1_loss', 'huber_loss')], **meet)
each(["torch.nn.functional.smooth_l1_loss(x, y, reduction='none', beta=0.0)", "torch.nn.functional.smooth_l1_loss(x, y, reduction='sum', beta=2.0)",
      "torch.nn.functional.huber_loss(x, y, reduction='sum', delta=2.0)"], **meet)
each(["torch.nn.functional.binary_cross_entropy(x, y, reduction='none')"], x=[0.0, 1.0, 0.0, 1.0, 0.5], y=[0.0, 1.0, 1.0, 0.0, 0.5])
each(["torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction='none')"], x=[0.0, 0.0, 1.0], y=[0.0, 1.0, 0.5])
each(["torch.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=torch.tensor([2.0, 0.0, 1.0], dtype=torch.float64), reduction='none')"],
     x=[0.0, 0.0, 1.0], y=[0.0, 1.0, 0.5])
each(["torch.nn.functional.kl_div(x, y, reduction='none')"], x=[0.0, -1.0, 0.0], y=[0.0, 0.5, 1.0])
each(["torch.nn.functional.kl_div(x, y, reduction='none', log_target=True)"], x=[0.0, -1.0], y=[0.0, -1.0])
each(["torch.nn.functional.poisson_nll_loss(x, y, reduction='none', full=True)"], x=[0.0, 1.0, 0.0], y=[0.0, 1.0, 2.0])
each(["torch.nn.functional.poisson_nll_loss(x, y, log_input=False, reduction='none')"], x=[0.0, 1.0], y=[0.0, 1.0])
each(["torch.nn.functional.gaussian_nll_loss(x, y, z, reduction='none', eps=0.5)"], x=[0.0, 1.0, 2.0], y=[0.0, 0.0, 0.0], z=[0.0, 0.5, 1.0])
each(["torch.nn.functional.soft_margin_loss(x, torch.tensor([1.0, -1.0], dtype=torch.float64), reduction='none')"], x=[0.0, 1.0])
each(["torch.nn.functional.hinge_embedding_loss(x, torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64), reduction='none')"], x=[0.0, 1.0, 0.0, 2.0])
each(["torch.nn.functional.margin_ranking_loss(x, y, torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64), margin=1.0, reduction='none')"],
     x=[0.0, 1.0, 2.0], y=[1.0, 0.0, 1.0])
each(["torch.nn.functional.triplet_margin_loss(x, y, z, reduction='none', eps=0.0)"],
     x=[[0.0, 1.0], [0.0, 0.0]], y=[[0.0, 2.0], [3.0, 0.0]], z=[[0.0, 3.0], [0.0, 1.0]])
each(["torch.nn.functional.multi_margin_loss(x, torch.tensor([0, 1]), reduction='none')"], x=[[0.0, 1.0, -1.0], [0.0, 1.0, 2.0]])
each(["torch.nn.functional.multi_margin_loss(x, torch.tensor([0, 1]), p=2, reduction='none')"], x=[[0.0, 1.0, -1.0], [0.0, 1.0, 2.0]])
each(["torch.nn.functional.multilabel_margin_loss(x, torch.tensor([[0, -1, 1], [1, 2, -1]]), reduction='none')"], x=[[0.0, 1.0, -1.0], [0.0, 1.0, 2.0]])
each(["torch.nn.functional.multilabel_soft_margin_loss(x, torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64), reduction='none')"], x=[[0.0, 1.0], [0.0, 0.0]])
each(["torch.nn.functional.cosine_embedding_loss(x, y, torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64), margin=0.0, reduction='none')"],
     x=[[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]], y=[[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
each(['torch.nn.functional.cross_entropy(x, torch.tensor([0, 1]))', "torch.nn.functional.nll_loss(x, torch.tensor([0, 1]), reduction='none')",
      'torch.nn.functional.cross_entropy(x, torch.tensor([0, 1]), label_smoothing=0.5)'], x=[[0.0, 0.0], [1.0, 1.0]])

# pooling and norms of layers
each(['torch.nn.functional.max_pool1d(x, 2)', 'torch.nn.functional.max_pool1d(x, 3, 1)', 'torch.nn.functional.adaptive_max_pool1d(x, 2)'],
     x=[[[1.0, 1.0, 0.0, 2.0, 2.0, 2.0]]])
each(['torch.nn.functional.batch_norm(x, None, None, training=True)', 'torch.nn.functional.instance_norm(x.unsqueeze(0))',
      'torch.nn.functional.layer_norm(x, [2])', 'torch.nn.functional.group_norm(x, 1)'], x=[[1.0, 1.0], [1.0, 1.0]])
each(['torch.nn.functional.local_response_norm(x, 2)'], x=[[[0.0, 1.0], [0.0, 0.0]]])
grid = "torch.tensor([[[[0.0, 0.0], [-1.0, 1.0], [1.0, 0.0]]]], dtype=torch.float64)"
each([f"torch.nn.functional.grid_sample(x, {grid} + y.reshape(1, 1, 3, 2), mode='{m}', padding_mode='{p}', align_corners={a})"
      for m in ('bilinear', 'nearest', 'bicubic') for p in ('zeros', 'border', 'reflection') for a in (True, False)],
     x=[[[[1.0, 2.0, 3.0], [4.0, 6.0, 5.0], [7.0, 9.0, 8.0]]]], y=[[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
for m, more in (('linear', ', align_corners=True'), ('nearest', '')):
    case(f"torch.nn.functional.interpolate(x, 5, mode='{m}'{more})", x=[[[0.0, 1.0, 1.0]]])

# attention: rows that see nothing
heads = dict(x=[[1.0, 0.0], [0.5, -1.0], [0.0, 2.0]], y=[[0.0, 1.0], [1.0, 1.0], [-1.0, 0.5]], z=[[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]])
sdpa = 'torch.nn.functional.scaled_dot_product_attention'
# The kernel that PyTorch takes for plain masks has no second derivative; a mask that requires grad chooses the other.
case(f'{sdpa}(x, y, z, attn_mask=m)', **heads, m=[[0.0, -inf, 0.5], [-inf, -inf, -inf], [0.0, 0.0, -inf]])
case(f'{sdpa}(x, y, z, attn_mask=torch.tensor([[True, False, True], [False, False, False], [True, True, False]]))', **heads)
case(f'{sdpa}(x, y, z, attn_mask=torch.tensor([[False], [True], [False]]))', **heads)
case(f'{sdpa}(x, y, z, is_causal=True)', **heads)
case(f'{sdpa}(x, y[:2], z[:2], is_causal=True)', **heads)
case(f'{sdpa}(x, y, z, attn_mask=m, scale=2.0)', **heads, m=[[-inf, -inf, -inf]])

# writing at positions that repeat
i = 'torch.tensor([2, 0, 2])'
case(f'x.index_fill(0, {i}, y.sum())', x=[1.0, 2.0, 3.0], y=[5.0])
case(f'x.index_fill(1, {i}, y.sum())', x=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], y=[5.0])
case(f'x.index_fill(0, {i}, 2.0)', x=[1.0, 2.0, 3.0])
v = dict(x=[1.0, 2.0, 3.0], y=[4.0, 5.0, 6.0])
each([f'x.index_add(0, {i}, y)', f'x.index_add(0, {i}, y, alpha=2.0)', f'x.index_copy(0, {i}, y)', f'x.put(({i}), y, accumulate=True)',
      f'x.put({i}, y)', f'x.index_put(({i},), y, accumulate=True)', f'x.index_put(({i},), y)', f'x.scatter(0, {i}, y)', f'x.scatter(0, {i}, 2.0)',
      f'x.scatter_add(0, {i}, y)', 'x.masked_scatter(torch.tensor([True, False, True]), y)', f'torch.take(x, {i}) * y', f'x[{i}] * y',
      f'torch.gather(x, 0, {i}) * y', f'torch.index_select(x, 0, {i}) * y', f'x.masked_fill(torch.tensor([True, False, True]), y.sum())'], **v)
for reduce in ('sum', 'prod', 'mean', 'amax', 'amin'):
    for included in (True, False):
        for a, b in (([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), ([0.0, 2.0, 3.0], [4.0, 5.0, 6.0]), ([1.0, 2.0, 3.0], [0.0, 5.0, 6.0]),
                     ([1.0, 2.0, 3.0], [0.0, 5.0, 0.0]), ([0.0, 2.0, 0.0], [0.0, 0.0, 6.0]), ([3.0, 3.0, 3.0], [3.0, 3.0, 3.0])):
            case(f"x.scatter_reduce(0, {i}, y, '{reduce}', include_self={included})", x=a, y=b)
            if reduce != 'sum':
                case(f"x.index_reduce(0, {i}, y, '{reduce}', include_self={included})", x=a, y=b)

# matrices with equal, zero or few singular values
each(['torch.linalg.det(x)', 'torch.linalg.matrix_exp(x)', 'torch.matrix_power(x, 2)', 'torch.matrix_power(x, 0)', 'torch.linalg.svdvals(x)',
      'torch.linalg.matrix_norm(x)', "torch.linalg.matrix_norm(x, 'nuc')", 'torch.linalg.matrix_norm(x, 2)', 'torch.linalg.matrix_norm(x, 1)',
      'torch.linalg.matrix_norm(x, float("inf"))'], x=[[2.0, 0.0], [0.0, 1.0]])
each(['torch.linalg.det(x)', 'torch.linalg.matrix_exp(x)', 'torch.linalg.matrix_norm(x)', 'torch.linalg.matrix_norm(x, 1)', 'torch.matrix_power(x, 3)'],
     x=[[0.0, 0.0], [0.0, 0.0]])
each(['torch.linalg.det(x)'], x=[[1.0, 2.0], [2.0, 4.0]])
each(['torch.linalg.det(x)'], x=[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]])
each(['torch.linalg.matrix_norm(x, 1)', 'torch.linalg.matrix_norm(x, float("inf"))', 'torch.linalg.matrix_norm(x, -1)'], x=[[1.0, 1.0], [1.0, -1.0]])
each(['torch.linalg.eigvalsh(x)', 'torch.linalg.svdvals(x)'], x=[[2.0, 0.0], [0.0, 2.0]])
each(['torch.cross(x, y, dim=0)', 'torch.trapezoid(x, y)', 'torch.nn.functional.cosine_similarity(x, y, dim=0)'], x=[0.0, 0.0, 1.0], y=[0.0, 1.0, 1.0])
each(['torch.slogdet(x)[1]', 'torch.logdet(x)', 'torch.linalg.inv(x)'], x=[[1.0, 0.0], [0.0, 1.0]])
each(['torch.linalg.eigh(x)[0]', 'torch.linalg.svd(x)[1]'], x=[[1.0, 0.0], [0.0, 1.0]])
each(['torch.linalg.pinv(x)'], x=[[1.0, 0.0], [0.0, 0.0]])
each(["torch.linalg.norm(x)", "torch.linalg.norm(x, 'fro')", "torch.linalg.norm(x, 1)", "torch.linalg.norm(x, dim=1)"], x=[[0.0, 0.0], [3.0, 4.0]])

# more of the above in other forms
each(['torch.cov(x)', 'torch.corrcoef(x)'], x=[[1.0, 2.0, 4.0], [2.0, 2.0, 3.0]])
each(['torch.std(x, 1)', 'torch.var(x, 1)', 'torch.var_mean(x, 1)[0]', 'torch.std_mean(x, 1)[0]'], x=[[1.0, 1.0], [2.0, 3.0]])
each(['torch.std(x, correction=3)', 'torch.var(x, correction=3)', 'torch.var(x, correction=2)'], x=[1.0, 3.0])
each(['torch.logsumexp(x, 1)', 'torch.logsumexp(x, [0, 1])', 'torch.softmax(x, 1)', 'torch.log_softmax(x, 0)'], x=[[-inf, 1.0], [0.0, 0.0]])
each(['torch.softmax(x, 0)', 'torch.log_softmax(x, 0)'], x=[inf, 0.0])
each(['torch.cumprod(x, 0)', 'torch.cumsum(x, 0)', 'torch.logcumsumexp(x, 0)'], x=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
each(['torch.cumprod(x, 0)', 'torch.prod(x, 0)'], x=[1.0, 2.0, 0.0, 4.0, 0.0, 6.0, 7.0, 0.0, 9.0])
each(['torch.cummax(x, 0)[0]', 'torch.cummin(x, 0)[0]', 'torch.amax(x)', 'torch.max(x)', 'torch.sort(x, stable=True)[0]'], x=[2.0, 2.0, 1.0, 2.0, 1.0])
each(['torch.topk(x, 2)[0]', 'torch.msort(x)'], x=[3.0, 1.0, 2.0])
each(['torch.maximum(x, y)', 'torch.minimum(x, y)', 'torch.fmax(x, y)', 'torch.clamp(x, min=y)', 'torch.clamp(x, max=y)'], x=[inf, -inf, 0.0], y=[inf, -inf, 0.0])
each(['torch.clamp(x, y, 2.0 * y)', 'torch.clamp(x, y.sum(), 2.0 * y.sum())'], x=[1.0, 2.0, 0.0, 3.0], y=[1.0])
each(['torch.atan2(x, y.sum())', 'torch.atan2(y.sum(), x)', 'torch.hypot(x, y.sum())'], x=[0.0, 1.0], y=[0.0])
each(['torch.cdist(x, x)', 'torch.cdist(x, x, p=1.5)', 'torch.cdist(x, x, p=3.0)'], x=[[0.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
each(['torch.cdist(x, y) ** 2', 'torch.cdist(x, y, p=1.5) ** 1.5', 'torch.cdist(x, y, p=3.0) ** 3'], x=[[[0.0, 1.0]], [[2.0, 0.0]]], y=[[0.0, 3.0], [2.0, 0.0]])
each(['torch.nn.functional.pdist(x) ** 2'], x=[[0.0, 1.0], [0.0, 3.0], [2.0, 3.0]])
each(['torch.nn.functional.normalize(x, dim=1)', 'torch.nn.functional.normalize(x, p=float("inf"), dim=1)'], x=[[0.0, 0.0], [3.0, 3.0]])
each(['torch.nn.functional.cosine_similarity(x, y)'], x=[[0.0, 0.0]], y=[[0.0, 0.0]])
each(['torch.nn.functional.lp_pool2d(x, 2, 2)'], x=[[[0.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
each(['torch.nn.functional.max_pool2d(x, 2)', 'torch.nn.functional.adaptive_max_pool2d(x, 1)'], x=[[[[1.0, 1.0, 2.0, 0.0], [1.0, 1.0, 2.0, 2.0]]]])
each(['torch.nn.functional.layer_norm(x, [2], eps=1.0)'], x=[[0.0, 0.0], [1.0, 1.0]])
each(['torch.masked.prod(x, 0, mask=torch.tensor([True, True, False]))', 'torch.masked.amax(x, 0, mask=torch.tensor([True, True, False]))',
      'torch.masked.softmax(x, 0, mask=torch.tensor([True, True, False]))', 'torch.masked.logsumexp(x, 0, mask=torch.tensor([True, True, False]))',
      'torch.masked.norm(x, 2, 0, mask=torch.tensor([True, True, False]))', 'torch.masked.cumprod(x, 0, mask=torch.tensor([True, True, False]))'],
     x=[0.0, 0.0, 2.0])
each(['torch.nn.functional.embedding_bag(torch.tensor([0, 1, 1, 2, 1]), x, torch.tensor([0, 2, 5]), mode="max")', 'torch.nn.functional.embedding_bag(torch.tensor([[0, 1], [1, 2]]), x, mode="max")'], x=[[1.0, 2.0], [1.0, 3.0], [0.0, 3.0]])
each(['torch.special.multigammaln(x, 2)', 'torch.lgamma(x)', 'torch.digamma(x)'], x=[1.0, 2.0, 3.0])
each(['torch.ldexp(x, torch.tensor([0, 1]))', 'torch.sqrt(x * x)', 'torch.pow(x, 2) / x', 'torch.abs(x) ** 1.5', 'torch.sqrt(x) ** 2'], x=[0.0, 2.0])
each(['torch.nn.functional.softmin(x, 0)', 'torch.nn.functional.hardtanh(x, 0.0, 0.0)'], x=[0.0, 0.0, 1.0])
each(["torch.nn.functional.poisson_nll_loss(x, y, reduction='none')", "torch.nn.functional.triplet_margin_loss(x, y, y, reduction='none')",
      "torch.nn.functional.cosine_embedding_loss(x, y, torch.tensor([-1.0, 1.0], dtype=torch.float64), margin=0.5, reduction='none')"],
     x=[[0.0, 1.0], [1.0, 0.0]], y=[[0.0, 1.0], [0.0, 1.0]])
for mode in ('max', 'min', 'prod', 'mean'):
    case(f"torch.segment_reduce(x, '{mode}', lengths=torch.tensor([2, 3]))", x=[0.0, 2.0, 3.0, 3.0, 1.0])


def numbers(t):
    if t._is_zerotensor(): t = torch.zeros(t.shape, dtype=t.dtype)
    # JSON has no NaN and no infinities.
    return [x if math.isfinite(x) else str(x) for x in t.detach().reshape(-1).tolist()]

def weights(shape, seed):
    """As weights() of corners.test.ts."""
    n = math.prod(shape)
    return torch.tensor([((7 * k + seed) % 5 + 1) / 4 for k in range(n)], dtype=F64).reshape(shape)

def gradients(y, leaves):
    found = torch.autograd.grad(y, leaves, create_graph=True, allow_unused=True, materialize_grads=True)
    return list(found)

def derive(expr, inputs):
    names = {name: torch.tensor(data, dtype=F64, requires_grad=True) for name, data in inputs.items()}
    result = eval(expr, {'torch': torch, 'float': float}, names)
    record = {'expr': expr, 'inputs': {name: {'shape': list(t.shape), 'data': numbers(t)} for name, t in names.items()}, 'result': numbers(result)}
    if not result.requires_grad: return record
    grad = weights(list(result.shape), 0).requires_grad_()
    leaves = [grad, *names.values()]
    first = gradients((result * grad).sum(), leaves)[1:]
    record['first'] = {name: numbers(t) for name, t in zip(names, first)}
    total = sum((t * weights(list(t.shape), k + 1)).sum() for k, t in enumerate(first))
    try:
        second = gradients(total, leaves) if total.requires_grad else [torch.zeros_like(t) for t in leaves]
        record['second'] = {name: numbers(t) for name, t in zip(['grad', *names], second)}
    except (RuntimeError, NotImplementedError) as error:
        if 'is not implemented' not in str(error) and 'is unsupported' not in str(error): raise
    return record

records = []
for expr, inputs in cases:
    try:
        records.append(derive(expr, inputs))
    except Exception as error:
        raise Exception(f'{expr} {inputs}') from error
print('[\n' + ',\n'.join(json.dumps(r) for r in records) + '\n]')
