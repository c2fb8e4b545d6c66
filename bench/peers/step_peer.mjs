// step_peer.mjs - the toggle and the order of bench_crowd in Node, by xstate 5.
//
// Looked up in the folder that is the first argument. Prints the medians of many short rounds:
// nanoseconds an event by the pure transition(), and by an actor that is sent it.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.argv[2]}/peers.js`));
const { createActor, createMachine, initialTransition, transition } = await import(
  pathToFileURL(require.resolve('xstate'))
);

const ROUNDS = 51;
const EVENTS = 600;
const toggle = {
  initial: 'A',
  states: {
    A: { on: { T: 'B' } },
    B: { on: { T: 'C' } },
    C: { on: { T: 'D' } },
    D: { on: { T: 'A' } },
  },
};
const order = {
  initial: 'PENDING',
  context: { total: 10 },
  states: {
    PENDING: {
      on: { SUBMIT: { target: 'VALIDATING', guard: ({ context }) => context.total > 0 } },
    },
    VALIDATING: { on: { VALID: 'CHARGING', CANCEL: 'PENDING' } },
    CHARGING: { on: { CHARGED: 'RESERVING', CANCEL: 'PENDING' } },
    RESERVING: { on: { RESERVED: 'SHIPPING', CANCEL: 'PENDING' } },
    SHIPPING: { on: { SHIPPED: 'COMPLETED' } },
    COMPLETED: { on: { AGAIN: 'PENDING' } },
  },
};

function median(work) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work();
    rounds.push(Number(process.hrtime.bigint() - start) / EVENTS);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

function measure(name, config, types) {
  const machine = createMachine(config);
  const events = types.map((type) => ({ type }));
  let [snapshot] = initialTransition(machine);
  const pure = median(() => {
    for (let i = 0; i < EVENTS; i++) {
      [snapshot] = transition(machine, snapshot, events[i % events.length]);
    }
  });
  const actor = createActor(machine).start();
  const sent = median(() => {
    for (let i = 0; i < EVENTS; i++) actor.send(events[i % events.length]);
  });
  const figures = [pure, sent].map((figure) => figure.toFixed(0).padStart(8));
  console.log(`${figures.join(' ')}  ${name} in Node, xstate: transition(), actor.send()`);
}

measure('a toggle of 4 states', toggle, ['T']);
measure('an order of 6 states, 1 guard', order, [
  'SUBMIT',
  'VALID',
  'CHARGED',
  'RESERVED',
  'SHIPPED',
  'AGAIN',
]);
