// expr_peer.mjs - the first expression of bench_expr in Node, by @marcbachmann/cel-js.
//
// Looked up in the folder that is the first argument. Prints the medians of many short rounds
// in bench_expr's form: nanoseconds to parse and to evaluate, over the same rows.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.argv[2]}/peers.js`));
const { Environment } = await import(pathToFileURL(require.resolve('@marcbachmann/cel-js')));

const ROUNDS = 101;
const TEXT = "amount > 0 && currency in ['USD', 'EUR'] && !blocked";
const currencies = ['USD', 'EUR', 'GBP'];
const rows = Array.from({ length: 64 }, (_, i) => ({
  amount: BigInt((i % 7) - 1),
  currency: currencies[(i * 5) % 3],
  blocked: i % 11 === 0,
}));
const environment = new Environment()
  .registerVariable('amount', 'int')
  .registerVariable('currency', 'string')
  .registerVariable('blocked', 'bool');

function median(count, work) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work(count);
    rounds.push(Number(process.hrtime.bigint() - start) / count);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

const evaluate = environment.parse(TEXT);
let holds = 0;
const parse = median(200, (count) => {
  for (let i = 0; i < count; i++) environment.parse(TEXT);
});
const check = median(200, (count) => {
  for (let i = 0; i < count; i++) environment.check(TEXT);
});
const run = median(6400, (count) => {
  for (let i = 0; i < count; i++) holds += evaluate(rows[i % rows.length]) === true ? 1 : 0;
});
if (holds === 0) throw new Error('no row holds');
const figures = [parse.toFixed(0), check.toFixed(0), run.toFixed(1)];
console.log(
  `${figures.map((figure) => figure.padStart(8)).join(' ')}  ` +
    'the first of bench_expr in Node, @marcbachmann/cel-js',
);
