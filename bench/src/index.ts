// Every benchmark, one after another: each prints its own table.
import './overhead.js';
import './linalg.js';
import './files.js';
import './loader.js';
import './matmul.js';
