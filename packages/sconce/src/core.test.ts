import * as core from '@sconce/core';
import { expect, it } from 'vitest';
import * as sconce from './index.js';

/** What core exports for backends, autograd and nn, and users of the umbrella do not need. */
const internal = new Set(
  `
Elementwise InterpreterBackend Scope Storage accumulationDtype adaptiveSpan adaptiveWindows
allInside allocate alongDim apply areDisjoint asVector at attach attachInplace
attentionWithWeights autogradEngine avgPool avgPoolBackward axesOf batchNormEval
batchNormInputGrad batchNormTrain batchNormWeightGrad bernoulli_ bfloat16ArrayToFloat32
bfloat16Table bfloat16ToNumber binary binaryCrossEntropyElements binaryCrossEntropyLogitElements
bitcast builtinModule canRead cast category cauchy_ cdistBackward chebyshev checkIndexDtype checkIndexRange
checkIndices checkLossReduction checkNotEmpty checkReduction checkResult checkWritable col2im collect
combinerOf computeType constant constantPadNd contiguousStrides convolution convolutionInputGrad
convolutionWeightGrad coord copyInto copyOf copy_ coversAll ctcLossBackward ctcLossForward
cubicWeights cumprod_ cumsum_ currentScope decode define defineOp drawsOnHost dropoutMask e
elementwise embeddingBackward enlist execute exponential_ exprKey float16ArrayToFloat32
float16Table float16ToNumber floatDtype floatRepr foldImage formatDevice formatDtype
formatExponent formatFixed formatShape formatSize formatTensor formatTuple fractionalMaxPool
generatorFor geometric_ gradMode groupNormInputGrad groupNormWeightGrad huber hurwitz
im2col index indexAdd_ indexCopy_ indexFill_ indexInput indexPut_ indexReduce_ 
inferShape inplace input installAutograd intRepr isContiguous isDense isScalar isDType scalarDtype categoryDtype toTarget itemSize
keepStorage klDivElements klDivLogElements layerNormInputGrad layerNormWeightGrad linearIndex
load logNormal_ logSoftmaxBackward makeView maskedScatter_ maxPoolBackward maxPoolWithIndices
mapViews mayOverlap mustRecord named nativeBatchNorm nativeGroupNorm nativeLayerNorm newEmpty newEmptyStrided
newFull newOnes newTensor newZeros nllLossBackward nllLossForward nodesOf nonzeroExpr normal_
integerTwins movesAsIntegers
changeMode enterMode leaveMode runInMode canMove checkDType isDeviceName keepContents providerOf once undoable whenDone
normalizeDim normalizeDims numberToBfloat16 numberToFloat16 op operations padMode
padModeBackward pair put_ pythonRepr random_ readAll readAllSync readOne readOneSync reduceInto
reduceOne reduceRows refusing registeredDevices regularWindows release repeats resizeAs_ resize_
rowLength rreluNoise softmin runFused sameShape sampleInto sample_ scalar scalarAs scalarCategory
scalarValue scalarsAfter scaledI0 scaledI1 scatterAdd_ scatterReduce_ scatter_
separate setAt shortenRows slot smoothL1 softMarginElements softmaxBackward span spatial
specialFunctions squaredError stage tapPosition toBfloat16Array toFloat16Array toNested
traceElementwise track tril_ triu_ typedArray typedArrayDtype typedArrayOver unary unfoldImage uniform_
belongsTo partName removeAbandonedParts openWholeFile safeSoftmax
environment HostStep checkValues inputsOf outputsOf enter leave runAs runningOperation withViews
updateRunning updating upsample upsampleBackward uses verify viewStrides windowLoad
checkInteger poolSizes toJson windowScalars windowView wrapIndex wrongArgument checkTensor notCastable checkFits existingDim ExpressionError kindOf tensorBinary eitherBinary zero_ takes checking meant checkShape checkLayerNorm
`
    .trim()
    .split(/\s+/),
);

it('exports everything of core that is for users, and only that', () => {
  const names = Object.keys(core);
  // By what they are, since other packages export some of the same names.
  const own = new Set<unknown>(Object.values(core));
  const exported = [...Object.entries(sconce), ...Object.entries(sconce.nn.functional)];
  const here = new Set(exported.filter(([, value]) => own.has(value)).map(([name]) => name));
  // A new export of core belongs to core.ts here, to nn.functional, or to the list above.
  expect(names.filter((name) => !here.has(name) && !internal.has(name))).toEqual([]);
  expect([...internal].filter((name) => here.has(name) || !names.includes(name))).toEqual([]);
});
