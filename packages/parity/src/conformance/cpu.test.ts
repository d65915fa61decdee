import '@sconce/backend-cpu';
import { describeConformance } from './describe-conformance.js';

await describeConformance('cpu');
