// Every benchmark, one after another: each prints its own table.
for (const name of ['overhead', 'linalg', 'files', 'loader', 'matmul']) {
  await import(`./${name}.js`);
}
