// What each call takes, read off the types by `pnpm signatures`; the letters are explained in core's arguments.ts.
export const calculateFanInAndFanOut = 'tensor:T';
export const calculateGain = "nonlinearity:'conv1d'|'conv2d'|'conv3d'|'convTranspose1d'|'convTranspose2d'|'convTranspose3d'|'leakyRelu'|'linear'|'relu'|'selu'|'sigmoid'|'tanh' param?:n";
export const constant_ = 'tensor:T value:n';
export const dirac_ = 'tensor:T groups?:n';
export const eye_ = 'tensor:T';
export const kaimingNormal_ = "tensor:T {a:n mode:'fanIn'|'fanOut' nonlinearity:'conv1d'|'conv2d'|'conv3d'|'convTranspose1d'|'convTranspose2d'|'convTranspose3d'|'leakyRelu'|'linear'|'relu'|'selu'|'sigmoid'|'tanh' generator:@Generator|N}";
export const kaimingUniform_ = "tensor:T {a:n mode:'fanIn'|'fanOut' nonlinearity:'conv1d'|'conv2d'|'conv3d'|'convTranspose1d'|'convTranspose2d'|'convTranspose3d'|'leakyRelu'|'linear'|'relu'|'selu'|'sigmoid'|'tanh' generator:@Generator|N}";
export const normal_ = 'tensor:T mean?:n std?:n {generator:@Generator|N}';
export const ones_ = 'tensor:T';
export const orthogonal_ = 'tensor:T {generator:@Generator|N gain:n}';
export const sparse_ = 'tensor:T sparsity:n {generator:@Generator|N std:n}';
export const truncNormal_ = 'tensor:T {mean:n std:n a:n b:n generator:@Generator|N}';
export const uniform_ = 'tensor:T a?:n b?:n {generator:@Generator|N}';
export const xavierNormal_ = 'tensor:T {gain:n generator:@Generator|N}';
export const xavierUniform_ = 'tensor:T {gain:n generator:@Generator|N}';
export const zeros_ = 'tensor:T';
