import { rows } from './rows.js';

/**
 * How PyTorch's modules are built here, in the language of `signatures`; the class has PyTorch's name. `X.forward`
 * is how the module X is called, where that is not by its positional arguments alone.
 */
export const moduleSignatures: Readonly<Record<string, string>> = {
  Identity: '*args',
  Linear: 'in_features out_features | bias',
  Bilinear: 'in1_features in2_features out_features | bias',
  Flatten: 'start_dim end_dim',
  Unflatten: 'dim unflattened_size',

  // convolutions
  ...rows(
    'in_channels out_channels kernel_size | stride padding dilation groups bias padding_mode',
    ['Conv1d Conv2d Conv3d'],
  ),
  ...rows(
    'in_channels out_channels kernel_size | stride padding output_padding groups bias dilation padding_mode',
    ['ConvTranspose1d ConvTranspose2d ConvTranspose3d'],
  ),
  ...rows('input output_size', [
    'ConvTranspose1d.forward ConvTranspose2d.forward ConvTranspose3d.forward',
  ]),
  Unfold: 'kernel_size | dilation padding stride',
  Fold: 'output_size kernel_size | dilation padding stride',

  // pooling
  ...rows('kernel_size | stride padding dilation return_indices ceil_mode', [
    'MaxPool1d MaxPool2d MaxPool3d',
  ]),
  AvgPool1d: 'kernel_size | stride padding ceil_mode count_include_pad',
  AvgPool2d: 'kernel_size | stride padding ceil_mode count_include_pad divisor_override',
  AvgPool3d: 'kernel_size | stride padding ceil_mode count_include_pad divisor_override',
  ...rows('output_size | return_indices', [
    'AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d',
  ]),
  ...rows('output_size', ['AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d']),
  ...rows('norm_type kernel_size | stride ceil_mode', ['LPPool1d LPPool2d']),
  ...rows('kernel_size | stride padding', ['MaxUnpool1d MaxUnpool2d MaxUnpool3d']),
  ...rows('input indices output_size', [
    'MaxUnpool1d.forward MaxUnpool2d.forward MaxUnpool3d.forward',
  ]),
  ...rows('kernel_size | output_size output_ratio return_indices _random_samples:randomSamples', [
    'FractionalMaxPool2d FractionalMaxPool3d',
  ]),

  // normalisation
  ...rows('num_features | eps momentum? affine track_running_stats', [
    'BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d SyncBatchNorm',
  ]),
  LayerNorm: 'normalized_shape | eps elementwise_affine',
  GroupNorm: 'num_groups num_channels | eps affine',
  LocalResponseNorm: 'size | alpha beta k',
  CrossMapLRN2d: 'size | alpha beta k',

  // activations
  ...rows('| inplace', ['ReLU ReLU6 SELU SiLU Mish Hardswish Hardsigmoid']),
  ELU: 'alpha | inplace',
  CELU: 'alpha | inplace',
  LeakyReLU: 'negative_slope | inplace',
  GELU: '| approximate',
  Hardtanh: 'min_val max_val | inplace',
  Hardshrink: 'lambd',
  Softshrink: 'lambd',
  Softplus: 'beta threshold',
  AdaptiveLogSoftmaxWithLoss: 'in_features n_classes cutoffs | div_value head_bias',
  Threshold: 'threshold value | inplace',
  PReLU: 'num_parameters | init',
  RReLU: 'lower upper | inplace',
  GLU: 'dim',
  ...rows('dim', ['Softmax Softmin LogSoftmax']),
  MultiheadAttention:
    'embed_dim num_heads | dropout bias add_bias_kv add_zero_attn kdim vdim batch_first',
  'MultiheadAttention.forward':
    'query key value | key_padding_mask need_weights attn_mask average_attn_weights',

  // dropout, embedding, padding
  ...rows('p | inplace', [
    'Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout',
  ]),
  Embedding:
    'num_embeddings embedding_dim | padding_idx max_norm norm_type scale_grad_by_freq sparse',
  EmbeddingBag:
    'num_embeddings embedding_dim | max_norm norm_type scale_grad_by_freq mode sparse _weight include_last_offset padding_idx',
  'EmbeddingBag.forward': 'input offsets per_sample_weights',
  ...rows('padding value', ['ConstantPad1d ConstantPad2d ConstantPad3d']),
  ...rows('padding', [
    'ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d',
    'ReplicationPad3d ZeroPad2d',
  ]),

  // images
  PixelShuffle: 'upscale_factor',
  PixelUnshuffle: 'downscale_factor',
  ChannelShuffle: 'groups',
  Upsample: '| size scale_factor mode align_corners recompute_scale_factor',
  UpsamplingBilinear2d: '| size scale_factor',
  UpsamplingNearest2d: '| size scale_factor',

  // distances and losses
  CosineSimilarity: '| dim eps',
  PairwiseDistance: '| p eps keepdim',
  ...rows('| size_average reduce reduction', [
    'L1Loss MSELoss SoftMarginLoss MultiLabelMarginLoss',
  ]),
  SmoothL1Loss: '| size_average reduce reduction beta',
  HuberLoss: '| reduction delta',
  NLLLoss: '| weight size_average ignore_index reduce reduction',
  CrossEntropyLoss: '| weight size_average ignore_index reduce reduction label_smoothing',
  BCELoss: '| weight size_average reduce reduction',
  BCEWithLogitsLoss: '| weight size_average reduce reduction pos_weight',
  KLDivLoss: '| size_average reduce reduction log_target',
  PoissonNLLLoss: '| log_input full size_average eps reduce reduction',
  GaussianNLLLoss: '| full eps reduction',
  HingeEmbeddingLoss: '| margin size_average reduce reduction',
  MarginRankingLoss: '| margin size_average reduce reduction',
  CosineEmbeddingLoss: '| margin size_average reduce reduction',
  MultiMarginLoss: '| p margin weight size_average reduce reduction',
  MultiLabelSoftMarginLoss: '| weight size_average reduce reduction',
  TripletMarginLoss: '| margin p eps swap size_average reduce reduction',
  TripletMarginWithDistanceLoss: '| distance_function margin swap reduction',
  CTCLoss: '| blank reduction zero_infinity',

  // recurrent layers and transformers
  RNN: 'input_size hidden_size | num_layers nonlinearity bias batch_first dropout bidirectional',
  ...rows('input_size hidden_size | num_layers bias batch_first dropout bidirectional proj_size', [
    'LSTM GRU',
  ]),
  RNNCell: 'input_size hidden_size | bias nonlinearity',
  LSTMCell: 'input_size hidden_size | bias',
  GRUCell: 'input_size hidden_size | bias',
  ...rows(
    'd_model nhead | dim_feedforward dropout activation layer_norm_eps batch_first norm_first',
    ['TransformerEncoderLayer TransformerDecoderLayer'],
  ),
  'TransformerEncoderLayer.forward': 'src | src_mask src_key_padding_mask',
  'TransformerDecoderLayer.forward':
    'tgt memory | tgt_mask memory_mask tgt_key_padding_mask memory_key_padding_mask',
  TransformerEncoder: 'encoder_layer num_layers | norm enable_nested_tensor',
  'TransformerEncoder.forward': 'src | mask src_key_padding_mask',
  TransformerDecoder: 'decoder_layer num_layers | norm',
  'TransformerDecoder.forward':
    'tgt memory | tgt_mask memory_mask tgt_key_padding_mask memory_key_padding_mask',
  Transformer:
    '| d_model nhead num_encoder_layers num_decoder_layers dim_feedforward dropout activation custom_encoder custom_decoder layer_norm_eps batch_first norm_first',
  'Transformer.forward':
    'src tgt | src_mask tgt_mask memory_mask src_key_padding_mask tgt_key_padding_mask memory_key_padding_mask',
};
