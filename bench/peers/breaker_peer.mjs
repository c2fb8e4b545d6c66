// breaker_peer.mjs - what a call through npm's breakers costs, for scale beside bench_policy.
//
//     npm install --prefix FOLDER opossum cockatiel && node bench/peers/breaker_peer.mjs FOLDER
//
// Each is given an async function that returns at once, so what is measured is the breaker and
// one promise; the first line is the promise alone. What is not installed is left out.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const CALLS = 100000
const ROUNDS = 7
const require = createRequire(resolve(process.argv[2] ?? '.', 'package.json'))

async function measure (name, call) {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) await call()
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / CALLS)
  }
  console.log(`${name.padEnd(34)} ${best.toFixed(1).padStart(6)} ns`)
}

const work = async () => 1

await measure('async function alone', work)
try {
  const CircuitBreaker = require('opossum')
  const breaker = new CircuitBreaker(work, { timeout: false, rollingCountTimeout: 10000 })
  await measure('opossum', () => breaker.fire())
  breaker.shutdown()
} catch (error) {
  console.log(`opossum: ${error.code ?? error.message}`)
}
try {
  const { circuitBreaker, handleAll, SamplingBreaker } = require('cockatiel')
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: 2000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10000 })
  })
  await measure('cockatiel', () => breaker.execute(work))
} catch (error) {
  console.log(`cockatiel: ${error.code ?? error.message}`)
}
