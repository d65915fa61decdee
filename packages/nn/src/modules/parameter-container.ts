import { Tensor, takes } from '@sconce/core';
import { Parameter } from '../parameter.js';
import { described } from '../registry.js';
import * as signatures from '../signatures.js';
import { Dict, elementsOf, itemsOf, List, renumber } from './list.js';

/** A tensor becomes a parameter; anything else is an error that names its place. */
function asParameter(operation: string, place: string, value: Parameter | Tensor): Parameter {
  if (value instanceof Parameter) return value;
  if (value instanceof Tensor) return new Parameter(value);
  throw new TypeError(
    `${operation}: ${place} must be a Parameter or Tensor, got ${described(value)}`,
  );
}

/**
 * A list of parameters that count as the module's own; tensors become parameters.
 *
 * @throws TypeError if one of them is no tensor.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ParameterList.html
 * @example this.scales = new ParameterList([ones([4]), ones([8])]);
 */
export class ParameterList extends List<Parameter, Tensor> {
  protected static override readonly kind = 'parameters';
  readonly [index: number]: Parameter;

  constructor(parameters: Iterable<Parameter | Tensor> = []) {
    takes('ParameterList', signatures.ParameterList, arguments);
    super();
    renumber(
      this,
      elementsOf('ParameterList', parameters).map((p, i) => this.taken(p, i)),
    );
  }

  /** The parameters from one position to before another: a list that shares them. */
  slice(start?: number, end?: number): ParameterList {
    return new ParameterList(itemsOf<Parameter>(this).slice(start, end));
  }

  override extraRepr(): string {
    return this.map((p, i) => parameterLine(String(i), `torch.${p.dtype}`, p)).join('\n');
  }

  protected override taken(value: Parameter | Tensor, index: number): Parameter {
    return asParameter(this.getName(), `the entry at position ${index}`, value);
  }
}

/**
 * Parameters by name that count as the module's own; tensors become parameters.
 *
 * @throws TypeError if one of them is no tensor.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.ParameterDict.html
 * @example this.scales = new ParameterDict({ left: ones([4]), right: ones([4]) });
 */
export class ParameterDict extends Dict<Parameter, Tensor> {
  protected static override readonly kind = 'parameters';

  constructor(
    parameters:
      | Readonly<Record<string, Parameter | Tensor>>
      | Iterable<readonly [string, Parameter | Tensor]> = {},
  ) {
    takes('ParameterDict', signatures.ParameterDict, arguments);
    super();
    this.update(parameters);
  }

  override extraRepr(): string {
    return [...this]
      .map(([name, p]) => parameterLine(name, `torch.${tensorTypes[p.dtype] ?? p.dtype}`, p))
      .join('\n');
  }

  protected override taken(value: Parameter | Tensor, name: string): Parameter {
    return asParameter(this.getName(), `entry '${name}'`, value);
  }
}

const tensorTypes: Record<string, string> = {
  float32: 'FloatTensor',
  float64: 'DoubleTensor',
  float16: 'HalfTensor',
  bfloat16: 'BFloat16Tensor',
};

const parameterLine = (name: string, type: string, p: Parameter): string =>
  `  (${name}): Parameter containing: [${type} of size ${p.shape.join('x')}]`;
