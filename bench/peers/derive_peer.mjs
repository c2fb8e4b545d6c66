// derive_peer.mjs - states from data by `interlock derive`, jq and DuckDB, in one run.
//
// The states of bench_derive: six over five booleans, from a file of a million lines, and for
// DuckDB also from a table in memory. DuckDB is looked up in the folder that is the first
// argument, the program in the second; who is not there is left out with a line that says so.
// All count the orders in each state, and the counts are compared. The best of a few runs is
// told; DuckDB has one thread, as the others do.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, closeSync, openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const LINES = 1_000_000;
const ROWS = 16 << 20;
const RUNS = 3;
const FLAGS = ['itemsAdded', 'paymentReceived', 'approved', 'shipped', 'delivered'];
const STATES = ['DRAFT', 'AWAITING_PAYMENT', 'AWAITING_APPROVAL', 'READY_TO_SHIP', 'SHIPPED', 'COMPLETED'];
const MACHINE = `id: order-status
record: { as: o, defaults: { itemsAdded: false, paymentReceived: false, approved: false, shipped: false, delivered: false } }
initial: DRAFT
transitions: { DRAFT: AWAITING_PAYMENT, AWAITING_PAYMENT: AWAITING_APPROVAL, AWAITING_APPROVAL: READY_TO_SHIP, READY_TO_SHIP: SHIPPED, SHIPPED: COMPLETED, COMPLETED: [] }
validators:
  DRAFT: "!o.itemsAdded"
  AWAITING_PAYMENT: o.itemsAdded && !o.paymentReceived
  AWAITING_APPROVAL: o.paymentReceived && !o.approved
  READY_TO_SHIP: o.approved && !o.shipped
  SHIPPED: o.shipped && !o.delivered
  COMPLETED: o.delivered
`;
// The last state whose validator holds, as every one of these tools would be asked for it.
const CASE = `CASE WHEN delivered THEN 'COMPLETED' WHEN shipped THEN 'SHIPPED'
  WHEN approved THEN 'READY_TO_SHIP' WHEN paymentReceived THEN 'AWAITING_APPROVAL'
  WHEN itemsAdded THEN 'AWAITING_PAYMENT' ELSE 'DRAFT' END`;
const JQ = `reduce inputs as $o ({}; .[if $o.delivered then "COMPLETED" elif $o.shipped then "SHIPPED"
  elif $o.approved then "READY_TO_SHIP" elif $o.paymentReceived then "AWAITING_APPROVAL"
  elif $o.itemsAdded then "AWAITING_PAYMENT" else "DRAFT" end] += 1)`;

const [, , packages, program] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'interlock-bench-'));
const lines = join(folder, 'orders.ndjson');
const machine = join(folder, 'machine.yaml');

function writeLines() {
  const file = openSync(lines, 'w');
  let seed = 1;
  for (let i = 0; i < LINES; i += 10_000) {
    let text = '';
    for (let n = i; n < i + 10_000; n++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const flags = FLAGS.map((flag, k) => `"${flag}":${((seed >>> (8 + 3 * k)) & (k < 2 ? 1 : 3)) === 0}`);
      text += `{"id":"ord-${String(n).padStart(7, '0')}","total":${seed % 100000},${flags}}\n`;
    }
    writeSync(file, text);
  }
  closeSync(file);
}

function told(name, rows, seconds, counts, wanted) {
  const same = STATES.every((state) => Number(counts[state] ?? 0) === wanted[state]);
  const rate = (rows / seconds / 1e6).toFixed(2).padStart(10);
  console.log(`  ${name.padEnd(44)} ${rate} M orders/s${same ? '' : '  (ANOTHER ANSWER)'}`);
}

/** The best time of a few runs, and what the last one printed; null when it is not there. */
function run(words, times) {
  let best = Infinity;
  let answer = null;
  for (let i = 0; i < times; i++) {
    const start = process.hrtime.bigint();
    answer = spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
    if (answer.error || answer.status !== 0) return null;
  }
  return { seconds: best, out: answer.stdout };
}

async function duckdb() {
  const require = createRequire(pathToFileURL(join(packages, 'peers.js')));
  const { DuckDBInstance } = require('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  return instance.connect();
}

async function query(connection, sql) {
  let best = Infinity;
  let rows = [];
  for (let i = 0; i < RUNS; i++) {
    const start = process.hrtime.bigint();
    rows = (await connection.runAndReadAll(sql)).getRows();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
  }
  return { seconds: best, counts: Object.fromEntries(rows) };
}

async function measureDuckdb(wanted) {
  let connection;
  try {
    connection = await duckdb();
  } catch {
    console.log('  DuckDB: left out, its package is not there');
    return;
  }
  const columns = FLAGS.map((flag) => `${flag}: 'BOOLEAN'`).join(', ');
  const file = await query(connection, `SELECT ${CASE} AS state, count(*) FROM read_json('${lines}',
    format = 'newline_delimited', columns = {${columns}}) GROUP BY state`);
  told('DuckDB: read_json, one thread', LINES, file.seconds, file.counts, wanted);
  const cells = FLAGS.map((flag, k) => `(i & ${1 << k}) = 0 AS ${flag}`).join(', ');
  await connection.run(`CREATE TABLE orders AS SELECT ${cells} FROM range(${ROWS}) t(i)`);
  const memory = await query(connection, `SELECT ${CASE} AS state, count(*) FROM orders GROUP BY state`);
  const halves = Object.fromEntries(STATES.map((state, i) => [state, i === 0 ? ROWS / 32 : ROWS / 2 ** (6 - i)]));
  told('DuckDB: a table in memory, one thread', ROWS, memory.seconds, memory.counts, halves);
}

async function measure() {
  writeLines();
  writeFileSync(machine, MACHINE);
  console.log(`states from data beside others: a file of NDJSON, ${LINES} lines`);
  const ours = run([program, 'derive', machine, lines, '-o', 'json'], RUNS);
  if (ours === null) throw new Error(`${program} derive does not run`);
  const wanted = JSON.parse(ours.out).states;
  told('interlock derive', LINES, ours.seconds, wanted, wanted);
  const jq = run(['jq', '-c', '-n', JQ, lines], 1);
  if (jq === null) console.log('  jq: left out, it is not there');
  else told('jq', LINES, jq.seconds, JSON.parse(jq.out), wanted);
  await measureDuckdb(wanted);
}

try {
  await measure();
} finally {
  rmSync(folder, { recursive: true });
}
