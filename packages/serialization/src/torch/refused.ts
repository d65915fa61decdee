/** Names that PyTorch's own files have and that mean something we have not: what it is, and the way out. */
const refusals: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor; save x.to_dense()',
  'torch._utils._rebuild_sparse_csr_tensor': 'a sparse tensor; save x.to_dense()',
  'torch._utils._rebuild_nested_tensor':
    'a nested tensor; save x.unbind(), or torch.nested.to_padded_tensor(x, 0)',
  'torch.nested._internal.nested_tensor._rebuild_njt':
    'a nested tensor; save x.unbind(), or torch.nested.to_padded_tensor(x, 0)',
  'torch._utils._rebuild_qtensor': 'a quantized tensor; save x.dequantize()',
  'torch._utils._rebuild_meta_tensor_no_storage':
    "a tensor of the device 'meta', which has no elements; give it some with x.to_empty or torch.empty_like before it is saved",
  'torch._utils._rebuild_wrapper_subclass':
    'a tensor of a class that keeps its elements elsewhere; save the plain tensors it is made of',
  'torch._utils._rebuild_device_tensor_from_numpy':
    'a tensor of a device that saves through NumPy; save x.cpu()',
  'torch._utils._rebuild_device_tensor_from_cpu_tensor':
    'a tensor of a device that saves through the cpu; save x.cpu()',
  'torch.nn.parameter.UninitializedParameter':
    'a parameter of a lazy module that has no shape yet; run the model once before it is saved',
  'torch.nn.parameter.UninitializedBuffer':
    'a buffer of a lazy module that has no shape yet; run the model once before it is saved',
  'torch._C.Generator': 'a random generator; save generator.get_state()',
  'torch.jit._script.RecursiveScriptModule':
    "a TorchScript program; save its weights: torch.save(model.state_dict(), 'weights.pt')",
};

/** Why a file of PyTorch that names this cannot be read, and what to do; undefined for other names. */
export const refusalOf = (name: string): string | undefined =>
  Object.hasOwn(refusals, name) ? refusals[name] : undefined;
