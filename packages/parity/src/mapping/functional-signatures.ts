import { rows } from './rows.js';

/** The part of `signatures` that is `torch.nn.functional`. */
export const functionalSignatures: Readonly<Record<string, string>> = {
  // nn.functional: activations
  'nn.functional.relu': 'input | inplace',
  'nn.functional.relu6': 'input | inplace',
  'nn.functional.celu_': 'input | alpha',
  'nn.functional.elu_': 'input | alpha',
  'nn.functional.hardtanh_': 'input | min_val max_val',
  'nn.functional.leaky_relu_': 'input | negative_slope',
  'nn.functional.rrelu_': 'input | lower upper training',
  'nn.functional.threshold_': 'input threshold value',
  'nn.functional.selu': 'input | inplace',
  'nn.functional.silu': 'input | inplace',
  'nn.functional.mish': 'input | inplace',
  'nn.functional.hardswish': 'input | inplace',
  'nn.functional.hardsigmoid': 'input | inplace',
  'nn.functional.elu': 'input | alpha inplace',
  'nn.functional.celu': 'input | alpha inplace',
  'nn.functional.gelu': 'input | approximate',
  'nn.functional.softplus': 'input | beta threshold',
  'nn.functional.hardtanh': 'input | min_val max_val inplace',
  'nn.functional.leaky_relu': 'input | negative_slope inplace',
  'nn.functional.threshold': 'input threshold value | inplace',
  'nn.functional.hardshrink': 'input | lambd',
  'nn.functional.softshrink': 'input | lambd',
  'nn.functional.rrelu': 'input | lower upper training inplace',
  'nn.functional.glu': 'input dim',
  'nn.functional.prelu': 'input weight',
  'nn.functional.gumbel_softmax': 'logits | tau hard eps dim',
  'nn.functional.normalize': 'input | p dim eps',

  // nn.functional: layers
  'nn.functional.linear': 'input weight bias',
  'nn.functional.conv_tbc': 'input weight bias pad',
  'nn.functional.bilinear': 'input1 input2 weight bias',
  ...rows('input weight bias | stride padding dilation groups', [
    'nn.functional.conv1d nn.functional.conv2d nn.functional.conv3d',
  ]),
  ...rows('input weight bias | stride padding output_padding groups dilation', [
    'nn.functional.conv_transpose1d nn.functional.conv_transpose2d nn.functional.conv_transpose3d',
  ]),
  ...rows('input kernel_size | stride padding dilation ceil_mode return_indices', [
    'nn.functional.max_pool1d nn.functional.max_pool2d nn.functional.max_pool3d',
  ]),
  'nn.functional.avg_pool1d': 'input kernel_size | stride padding ceil_mode count_include_pad',
  ...rows('input kernel_size | stride padding ceil_mode count_include_pad divisor_override', [
    'nn.functional.avg_pool2d nn.functional.avg_pool3d',
  ]),
  ...rows('input output_size | return_indices', [
    'nn.functional.adaptive_max_pool1d nn.functional.adaptive_max_pool2d',
    'nn.functional.adaptive_max_pool3d',
  ]),
  ...rows('input indices kernel_size | stride padding output_size', [
    'nn.functional.max_unpool1d nn.functional.max_unpool2d nn.functional.max_unpool3d',
  ]),
  ...rows('input norm_type kernel_size | stride ceil_mode', [
    'nn.functional.lp_pool1d nn.functional.lp_pool2d',
  ]),
  ...rows(
    'input kernel_size | output_size output_ratio return_indices _random_samples:randomSamples',
    ['nn.functional.fractional_max_pool2d nn.functional.fractional_max_pool3d'],
  ),
  'nn.functional.pad': 'input pad | mode value',
  'nn.functional.interpolate':
    'input | size scale_factor mode align_corners recompute_scale_factor antialias',
  'nn.functional.upsample': 'interpolate(input | size scale_factor mode align_corners)',
  'nn.functional.upsample_bilinear': 'input | size scale_factor',
  'nn.functional.upsample_nearest': 'input | size scale_factor',
  'nn.functional.grid_sample': 'input grid | mode padding_mode align_corners',
  'nn.functional.affine_grid': 'theta size | align_corners',
  'nn.functional.fold': 'foldImage(input output_size kernel_size | dilation padding stride)',
  'nn.functional.unfold': 'unfoldImage(input kernel_size | dilation padding stride)',
  'nn.functional.pixel_shuffle': 'input upscale_factor',
  'nn.functional.pixel_unshuffle': 'input downscale_factor',
  'nn.functional.channel_shuffle': 'input groups',
  'nn.functional.batch_norm':
    'input running_mean? running_var? weight bias | training momentum eps',
  'nn.functional.instance_norm':
    'input | running_mean running_var weight bias use_input_stats momentum eps',
  'nn.functional.layer_norm': 'input normalized_shape weight bias | eps',
  'nn.functional.group_norm': 'input num_groups weight bias | eps',
  'nn.functional.local_response_norm': 'input size | alpha beta k',
  'nn.functional.embedding':
    'input weight | padding_idx max_norm norm_type scale_grad_by_freq sparse',
  'nn.functional.embedding_bag':
    'input weight offsets | max_norm norm_type scale_grad_by_freq mode sparse per_sample_weights include_last_offset padding_idx',
  'nn.functional.one_hot': 'input num_classes',
  ...rows('input p | training inplace', [
    'nn.functional.dropout nn.functional.alpha_dropout nn.functional.feature_alpha_dropout',
    'nn.functional.dropout1d nn.functional.dropout2d nn.functional.dropout3d',
  ]),
  'nn.functional.cosine_similarity': 'x1 x2 | dim eps',
  'nn.functional.pairwise_distance': 'x1 x2 | p eps keepdim',
  'nn.functional.pdist': 'input | p',

  // nn.functional: losses
  ...rows('input target | size_average reduce reduction', [
    'nn.functional.l1_loss nn.functional.mse_loss nn.functional.soft_margin_loss',
    'nn.functional.multilabel_margin_loss',
  ]),
  'nn.functional.smooth_l1_loss': 'input target | size_average reduce reduction beta',
  'nn.functional.huber_loss': 'input target | reduction delta',
  'nn.functional.binary_cross_entropy': 'input target | weight size_average reduce reduction',
  'nn.functional.binary_cross_entropy_with_logits':
    'input target | weight size_average reduce reduction pos_weight',
  'nn.functional.cross_entropy':
    'input target | weight size_average ignore_index reduce reduction label_smoothing',
  'nn.functional.nll_loss': 'input target | weight size_average ignore_index reduce reduction',
  'nn.functional.kl_div': 'input target | size_average reduce reduction log_target',
  'nn.functional.poisson_nll_loss':
    'input target | log_input full size_average eps reduce reduction',
  'nn.functional.gaussian_nll_loss': 'input target var | full eps reduction',
  'nn.functional.hinge_embedding_loss': 'input target | margin size_average reduce reduction',
  'nn.functional.multilabel_soft_margin_loss':
    'input target | weight size_average reduce reduction',
  'nn.functional.multi_margin_loss': 'input target | p margin weight size_average reduce reduction',
  'nn.functional.margin_ranking_loss':
    'input1 input2 target | margin size_average reduce reduction',
  'nn.functional.cosine_embedding_loss':
    'input1 input2 target | margin size_average reduce reduction',
  'nn.functional.triplet_margin_loss':
    'anchor positive negative | margin p eps swap size_average reduce reduction',
  'nn.functional.triplet_margin_with_distance_loss':
    'anchor positive negative | distance_function margin swap reduction',
  'nn.functional.ctc_loss':
    'log_probs targets input_lengths target_lengths | blank reduction zero_infinity',
};
