import '@sconce/backend-webgpu';
import { describeConformance } from './describe-conformance.js';

await describeConformance('webgpu');
