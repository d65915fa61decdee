import '@sconce/backend-cpu';
import { describeOperators } from './describe-operators.js';

await describeOperators('cpu', 4000);
