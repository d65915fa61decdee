// Every benchmark, one after another: each prints its own table.
import './overhead.js';
import './matmul.js';
