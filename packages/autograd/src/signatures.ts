// What each call takes, read off the types by `pnpm signatures`; the letters are explained in core's arguments.ts.
export const FunctionContext = 'needsInputGrad:b[]';
export const GradcheckError = 'message?:s | message?:s {cause:*}';
export const backward = 'tensors:T|T[] gradients?:T|N|(T|N)[] {retainGraph:b createGraph:b inputs:T[]}';
export const backwardAsync = 'tensors:T|T[] gradients?:T|N|(T|N)[] {retainGraph:b createGraph:b inputs:T[]}';
export const enableGrad = ' | fn:f';
export const grad = 'outputs:T|T[] inputs:T|T[] {gradOutputs:T|N|(T|N)[] retainGraph:b createGraph:b allowUnused!:b} | outputs:T|T[] inputs:T|T[] {gradOutputs:T|N|(T|N)[] retainGraph:b createGraph:b allowUnused:b}';
export const gradAsync = 'outputs:T|T[] inputs:T|T[] {gradOutputs:T|N|(T|N)[] retainGraph:b createGraph:b allowUnused!:b} | outputs:T|T[] inputs:T|T[] {gradOutputs:T|N|(T|N)[] retainGraph:b createGraph:b allowUnused:b}';
export const gradcheck = 'fn:f inputs:T[] {eps:n atol:n rtol:n raiseException:b}';
export const gradgradcheck = 'fn:f inputs:T[] {eps:n atol:n rtol:n raiseException:b}';
export const inferenceMode = ' | fn:f';
export const isGradEnabled = '';
export const isInferenceModeEnabled = '';
export const noGrad = ' | fn:f';
export const setGradEnabled = 'enabled:b';
