import { derivatives } from '@sconce/autograd';
import { operations, Tensor } from '@sconce/core';
import { Corpus } from '../corpus/corpus.js';
import { hasTorch } from '../mapping/call.js';
import { camelCase } from '../mapping/names.js';

/** The forms of an operator that PyTorch has. */
export type Form = 'function' | 'method' | 'inplace' | 'out' | 'derivative' | 'second';

/** Which forms of each operator PyTorch has, by name, as its own database says. */
export function torchForms(corpus: Corpus = new Corpus()): Map<string, ReadonlySet<Form>> {
  const lines = corpus.read('op-variants.txt').toString('utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [name, forms] = line.split('\t') as [string, string | undefined];
      return [name, new Set((forms ?? '').split(',').filter(Boolean) as Form[])];
    }),
  );
}

/** Whether we have a form of an operator; a derivative also where it follows from those of its parts. */
export function hasForm(operator: string, form: Exclude<Form, 'out' | 'second'>): boolean {
  const name = operator.replace(/\/.*/, '');
  const ours = camelCase(name.slice(name.lastIndexOf('.') + 1));
  switch (form) {
    case 'function':
      return hasTorch(`torch.${name}`);
    case 'method':
      return hasTorch(`torch.Tensor.${name}`) || ours in Tensor.prototype;
    case 'inplace':
      return hasTorch(`torch.Tensor.${name}_`);
    case 'derivative':
      if (!hasForm(operator, 'function') && !hasForm(operator, 'method')) return false;
      return !operations.has(ours) || derivatives[ours] != null;
  }
}
