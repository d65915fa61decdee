import '@sconce/backend-webgpu';
import { describeOperators } from './describe-operators.js';

await describeOperators('webgpu', 1500);
