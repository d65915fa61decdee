import { cat, numel, RuntimeError, type Tensor, takes } from '@sconce/core';
import * as signatures from '../signatures.js';

/**
 * All parameters in one vector, one after another, through which gradients flow back to them.
 *
 * @throws RuntimeError if there are none.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
 * @example const vector = parametersToVector(model.parameters());
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  takes('parametersToVector', signatures.parametersToVector, arguments);
  const flat = [...parameters].map((p) => p.reshape([-1]));
  if (flat.length === 0) throw new RuntimeError('parametersToVector: there are no parameters');
  return cat(flat, 0);
}

/**
 * Gives parameters the values of a vector such as `parametersToVector` makes: their data become views of it.
 *
 * @throws RuntimeError unless the vector holds just as many elements as the parameters.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
 * @example vectorToParameters(vector.detach().mul(0.5), model.parameters());
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  takes('vectorToParameters', signatures.vectorToParameters, arguments);
  const list = [...parameters];
  const total = list.reduce((sum, p) => sum + numel(p.shape), 0);
  if (vector.shape.length !== 1 || vector.shape[0] !== total) {
    throw new RuntimeError(
      `vectorToParameters: the parameters have ${total} elements, the vector is of shape [${vector.shape.join(', ')}]`,
    );
  }
  let at = 0;
  for (const parameter of list) {
    const count = numel(parameter.shape);
    parameter.data = vector.narrow(0, at, count).reshape(parameter.shape).data;
    at += count;
  }
}
