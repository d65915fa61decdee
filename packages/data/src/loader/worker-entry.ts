// The module of workers whose dataset needs none of the user's.
import { serveIfWorker } from './serve.js';

serveIfWorker();
