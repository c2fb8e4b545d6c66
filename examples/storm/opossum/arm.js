// arm.js - the chain as a Node service has it: a circuit breaker of opossum around every call,
// and retry(3) around that.
//
//     node arm.js ARRIVALS START RESULTS UNTIL PORT PORT PORT PORT
//
// The same timeouts, orders and moments as the other arms; see storm_load.c.
'use strict'

const fs = require('node:fs')
const http = require('node:http')
const CircuitBreaker = require('opossum')

const TIMEOUT_MS = 1000
const ATTEMPTS = 3
const SERVICES = ['validate', 'inventory', 'payment', 'ship']

const [arrivalsPath, startText, resultsPath, untilText, ...ports] = process.argv.slice(2)
const start = Number(startText) / 1000 // ms since 1970
const arrivals = fs.readFileSync(arrivalsPath, 'utf8').trim().split('\n').map(Number)
const results = fs.createWriteStream(resultsPath)
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity })

const now = () => performance.timeOrigin + performance.now() - start

function post (service, port, order) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ order })
    const request = http.request({
      host: '127.0.0.1', port, path: `/${service}`, method: 'POST', agent,
      headers: { 'Content-Type': 'application/json', 'Content-Length': body.length }
    }, (response) => {
      response.resume()
      response.on('end', () => {
        clearTimeout(timer)
        if (response.statusCode === 200) resolve()
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    const timer = setTimeout(() => request.destroy(new Error('timeout')), TIMEOUT_MS)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    request.end(body)
  })
}

// Half of at least twenty calls in two seconds, and a probe after one: as the arm `breaker`.
const breakers = SERVICES.map((service, i) => new CircuitBreaker(
  (order) => post(service, Number(ports[i]), order), {
    timeout: TIMEOUT_MS,
    errorThresholdPercentage: 50,
    volumeThreshold: 20,
    rollingCountTimeout: 2000,
    rollingCountBuckets: 10,
    resetTimeout: 1000
  }))

async function call (breaker, order) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await breaker.fire(order)
    } catch (error) {
      if (attempt === ATTEMPTS || error.code === 'EOPENBREAKER') throw error
    }
  }
}

async function run (index) {
  const order = String(index).padStart(6, '0')
  let done = 1
  try {
    for (const breaker of breakers) await call(breaker, order)
  } catch {
    done = 0
  }
  results.write(`${index},${arrivals[index]},${Math.round(now() * 1000)},${done}\n`)
  open--
}

let next = 0
let open = 0

function arrive () {
  for (; next < arrivals.length && arrivals[next] / 1000 <= now(); next++) {
    open++
    run(next)
  }
  if ((next === arrivals.length && open === 0) || now() > Number(untilText) * 1000) {
    results.end(() => process.exit(0))
  } else {
    setTimeout(arrive, 1)
  }
}

arrive()
