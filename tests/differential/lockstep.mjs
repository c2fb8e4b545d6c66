/*
 * lockstep.mjs - random machines, run side by side by XState and by `interlock step`.
 *
 *   node lockstep.mjs INTERLOCK MACHINES FOLDER [SEED] [--install]
 *
 * Every machine is built twice from the same dice: for XState with functions as guards and
 * assigns, for Interlock with the same in CEL. After every event value, status, context and
 * tags must be the same. What differs is made as small as possible before it is told, with
 * its seed. FOLDER is where npm has put, or with --install puts, the package; without it the
 * test says so and skips.
 *
 * Machines nest, run regions side by side, remember, end, raise, wait and chain. Eventless
 * transitions and those of ends burn fuel, and internal events are only handled by transitions that raise
 * none, so every macrostep ends.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const words = process.argv.slice(2).filter((word) => word !== '--install');
const [binary, machinesText, packages, seedText] = words;
const EVENTS = 20;

function loadXState() {
  try {
    return createRequire(join(packages, 'package.json'))('xstate');
  } catch {
    return null;
  }
}

if (process.argv.includes('--install') && loadXState() === null) {
  mkdirSync(packages, { recursive: true });
  spawnSync('npm', ['install', '--prefix', packages, '--silent', '--no-fund', '--no-audit',
    'xstate@5']);
}

const xstate = loadXState();

/* Numbers from a seed: the same on every machine. */
function dice(seed) {
  let state = (seed * 2654435761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let i = 0; i < 8; i++) next();
  return {
    below: (n) => next() % n,
    one: (list) => list[next() % list.length],
    chance: (percent) => next() % 100 < percent,
  };
}

/* The shape: a tree of plain objects, from which both definitions are written. */
function makeTree(roll, depth, key, count) {
  const state = { key, type: 'atomic', children: [], tags: [] };
  const wantsChildren = depth === 0 || (depth < 4 && count.states < 16 && roll.chance(55));
  if (roll.chance(20)) state.tags.push('t' + roll.below(3));
  if (!wantsChildren) return state;
  state.type = roll.chance(35) ? 'parallel' : 'compound';
  const children = 2 + roll.below(2);
  for (let i = 0; i < children; i++) {
    count.states++;
    state.children.push(makeTree(roll, depth + 1, 's' + count.states, count));
  }
  if (state.type === 'compound' && roll.chance(25)) {
    count.states++;
    state.children.push({ key: 'f' + count.states, type: 'final', children: [], tags: [] });
  }
  if (depth > 0 && roll.chance(30)) {
    count.states++;
    const history = { key: 'h' + count.states, type: 'history', children: [], tags: [] };
    history.deep = roll.chance(50);
    state.children.push(history);
  }
  state.initial = roll.below(children);
  return state;
}

function walk(state, visit, parents = []) {
  visit(state, parents);
  for (const child of state.children) walk(child, visit, [...parents, state]);
}

const guards = [
  (k) => ({ cel: `context.n < ${k}`, js: ({ context }) => context.n < k }),
  (k) => ({ cel: `context.n == ${k}`, js: ({ context }) => context.n === k }),
  (k) => ({ cel: `context.n % 2 == ${k % 2}`, js: ({ context }) => context.n % 2 === k % 2 }),
];

const assigns = [
  (k) => ({ cel: `\${(context.n + ${k}) % 7}`, js: ({ context }) => (context.n + k) % 7 }),
  (k) => ({ cel: k, js: () => k }),
];

function makeActions(roll, mayRaise, prefix) {
  const actions = [];
  if (roll.chance(35)) actions.push({ assign: roll.one(assigns)(roll.below(7)) });
  if (mayRaise && roll.chance(25)) actions.push({ raise: prefix + roll.below(2) });
  return actions;
}

function pickTargets(roll, states) {
  const target = roll.one(states);
  if (target.type === 'history' || !roll.chance(12)) return [target];
  for (let tries = 0; tries < 10; tries++) {
    const other = roll.one(states);
    if (other.type === 'history') continue; /* it might stand for what is a target already */
    let a = 0;
    while (a < target.line.length && target.line[a] === other.line[a]) a++;
    const both = target.line[a - 1];
    if (both.type === 'parallel' && a < target.line.length && a < other.line.length)
      return [target, other];
  }
  return [target];
}

function makeTransition(roll, states, options) {
  const transition = { targets: [], actions: makeActions(roll, options.raises, 'R') };
  if (options.moves && !roll.chance(12)) transition.targets = pickTargets(roll, states);
  if (roll.chance(40)) transition.guard = roll.one(guards)(roll.below(7));
  if (roll.chance(20)) transition.reenter = true;
  return transition;
}

/* One that may lead to where it comes from at once, without an event from outside. */
function burnFuel(transition) {
  const { guard } = transition;
  transition.guard = {
    cel: guard ? `context.fuel > 0 && ${guard.cel}` : 'context.fuel > 0',
    js: (scope) => scope.context.fuel > 0 && (!guard || guard.js(scope)),
  };
  transition.actions.push({
    burn: { cel: '${context.fuel - 1}', js: ({ context }) => context.fuel - 1 },
  });
}

function makeAlways(roll, states) {
  const k = roll.below(7);
  return {
    targets: roll.chance(80) ? [roll.one(states)] : [],
    guard: {
      cel: `context.fuel > 0 && context.n == ${k}`,
      js: ({ context }) => context.fuel > 0 && context.n === k,
    },
    actions: [
      {
        burn: { cel: '${context.fuel - 1}', js: ({ context }) => context.fuel - 1 },
      },
    ],
  };
}

function makeMachine(seed) {
  const roll = dice(seed);
  const root = makeTree(roll, 0, 'm', { states: 0 });
  const all = [];
  walk(root, (state, parents) => {
    state.line = [...parents, state];
    if (state !== root) all.push(state);
  });
  for (const state of [root, ...all]) {
    state.transitions = [];
    if (state.type === 'final' || state.type === 'history') continue;
    const add = (event, options) =>
      state.transitions.push({ event, ...makeTransition(roll, all, options) });
    for (let e = 0; e < 3; e++)
      if (roll.chance(state === root ? 10 : 40)) add('E' + e, { moves: true, raises: true });
    if (roll.chance(8)) add('*', { moves: false, raises: false });
    if (roll.chance(6)) state.transitions.push({ event: 'E' + roll.below(3), forbids: true });
    if (roll.chance(15)) add('R' + roll.below(2), { moves: true, raises: false });
    if (roll.chance(10)) add('S0', { moves: false, raises: false });
    if (state.type !== 'atomic' && state !== root && roll.chance(50)) {
      add('done', { moves: true, raises: false });
      burnFuel(state.transitions.at(-1));
    }
    if (state !== root && roll.chance(15))
      state.transitions.push({ event: 'always', ...makeAlways(roll, all) });
    if (state !== root && roll.chance(15))
      add('after', { moves: true, raises: false });
    for (const t of state.transitions.filter((t) => t.event === 'after'))
      t.delay = 10 * (1 + roll.below(4));
    state.entry = makeActions(roll, roll.chance(30), 'S');
    state.exit = makeActions(roll, false, 'S');
  }
  for (const state of all)
    if (state.type === 'history' && (roll.chance(60) || state.line.at(-2).type === 'parallel')) {
      const inside = all.filter(
        (other) => other.line.includes(state.line.at(-2)) && other !== state.line.at(-2) &&
          other.type !== 'history');
      state.target = roll.one(inside);
    }
  return { root, seed };
}

function makeEvents(seed) {
  const roll = dice(seed ^ 0x5bd1e995);
  return Array.from({ length: EVENTS }, () =>
    roll.chance(25) ? { advance: 10 * (1 + roll.below(3)) } : { type: 'E' + roll.below(4) });
}

/* How each of the two writes an action and a guard. */
const forInterlock = {
  guard: (guard) => guard.cel,
  action: (action) =>
    action.raise
      ? { raise: action.raise }
      : { assign: action.burn ? { fuel: action.burn.cel } : { n: action.assign.cel } },
};

const forXState = {
  guard: (guard) => guard.js,
  action: (action) =>
    action.raise
      ? xstate.raise({ type: action.raise })
      : xstate.assign(action.burn ? { fuel: action.burn.js } : { n: action.assign.js }),
};

const address = (state) => '#' + state.line.map((s) => s.key).join('.');

function writeTransition(transition, dialect) {
  if (transition.forbids) return {};
  const written = {};
  if (transition.targets.length === 1) written.target = address(transition.targets[0]);
  if (transition.targets.length > 1) written.target = transition.targets.map(address);
  if (transition.guard) written.guard = dialect.guard(transition.guard);
  if (transition.reenter) written.reenter = true;
  if (transition.actions.length > 0) written.actions = transition.actions.map(dialect.action);
  return written;
}

function writeState(state, dialect, isRoot) {
  const written = {};
  if (isRoot) Object.assign(written, { id: state.key, context: { n: 0, fuel: 12 } });
  if (state.type === 'history') {
    written.type = 'history';
    written.history = state.deep ? 'deep' : 'shallow';
    if (state.target) written.target = address(state.target);
    return written;
  }
  if (state.type !== 'atomic' && state.type !== 'compound') written.type = state.type;
  if (state.tags.length > 0) written.tags = state.tags;
  if (state.entry?.length > 0) written.entry = state.entry.map(dialect.action);
  if (state.exit?.length > 0) written.exit = state.exit.map(dialect.action);
  for (const transition of state.transitions ?? []) {
    const text = writeTransition(transition, dialect);
    if (transition.event === 'always') (written.always ??= []).push(text);
    else if (transition.event === 'done') (written.onDone ??= []).push(text);
    else if (transition.event === 'after')
      ((written.after ??= {})[transition.delay] ??= []).push(text);
    else ((written.on ??= {})[transition.event] ??= []).push(text);
  }
  if (state.children.length > 0) {
    if (state.type === 'compound') written.initial = state.children[state.initial].key;
    written.states = Object.fromEntries(
      state.children.map((child) => [child.key, writeState(child, dialect, false)]));
  }
  return written;
}

const sorted = (value) =>
  value === null || typeof value !== 'object'
    ? value
    : Array.isArray(value)
      ? value.map(sorted)
      : Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));

/* XState can be led to have two children of a compound state active: by a transition that
 * finds its way through a history state to its own source, beside one that leaves that
 * source. What it answers from then on is nobody's semantics. */
const isWhole = (snapshot) => {
  const nodes = new Set(snapshot._nodes);
  return snapshot._nodes.every((node) => {
    if (node.parent && !nodes.has(node.parent)) return false;
    if (node.type !== 'compound' || snapshot.status !== 'active') return true;
    return Object.values(node.states).filter((child) => nodes.has(child)).length === 1;
  });
};

/* XState goes through its states in the order in which they were entered, where the W3C and we
 * go through the document: where regions get into each other's way, or both assign, that
 * tells. Such differences are explained, and counted apart. */
const isInOrder = (snapshot) =>
  snapshot._nodes.every((node, i, all) => i === 0 || all[i - 1].order < node.order);

/* XState can be led to enter a state that it has not left: by a history state whose default is
 * where the transition comes from. It then arms the state's timer once more under the same id
 * and forgets the first one, which nothing can cancel: it fires long after the state was left.
 * Here leaving a state cancels all of its timers. Such differences are counted apart too. */
function watchTimers(clock, actorOf) {
  const { setTimeout, clearTimeout } = clock;
  const waiting = new Set();
  const watch = { hasLost: false };
  clock.setTimeout = (fire, delay) => {
    const known = Object.keys(actorOf().system._snapshot._scheduledEvents).length;
    const id = setTimeout.call(clock, () => (waiting.delete(id), fire()), delay);
    waiting.add(id);
    watch.hasLost = watch.hasLost || waiting.size > known;
    return id;
  };
  clock.clearTimeout = (id) => (waiting.delete(id), clearTimeout.call(clock, id));
  return watch;
}

const look = (snapshot) =>
  JSON.stringify(sorted({
    value: snapshot.value,
    status: snapshot.status,
    context: snapshot.context,
    tags: [...snapshot.tags].sort(),
  }));

function runXState(machine, events) {
  const clock = new xstate.SimulatedClock();
  let problem = null;
  let inOrder = true;
  let broken = false;
  const inspect = (event) => {
    if (!event.snapshot?._nodes) return;
    inOrder = inOrder && isInOrder(event.snapshot);
    broken = broken || !isWhole(event.snapshot);
  };
  const timers = watchTimers(clock, () => actor);
  const actor = xstate.createActor(
    xstate.createMachine(writeState(machine.root, forXState, true)), { clock, inspect });
  actor.subscribe({ error: (error) => (problem = String(error)) });
  actor.start();
  const looks = [look(actor.getSnapshot())];
  const excuses = [inOrder ? null : 'order'];
  for (const event of events) {
    if (event.advance) for (let t = 0; t < event.advance; t += 10) clock.increment(10);
    else actor.send(event);
    broken = broken || !isWhole(actor.getSnapshot());
    excuses.push(timers.hasLost ? 'timer' : inOrder ? null : 'order');
    inOrder = isInOrder(actor.getSnapshot());
    looks.push(look(actor.getSnapshot()));
  }
  return { looks, excuses, problem: broken ? 'not a whole configuration' : problem };
}

const folder = mkdtempSync(join(tmpdir(), 'lockstep-'));

function runInterlock(machine, events) {
  const file = join(folder, 'machine.json');
  writeFileSync(file, JSON.stringify(writeState(machine.root, forInterlock, true)));
  const lines = events.map((event) =>
    JSON.stringify(event.advance ? { advance: event.advance + 'ms' } : event));
  const run = spawnSync(binary, ['step', file], {
    input: lines.join('\n') + '\n', encoding: 'utf8', timeout: 20000 });
  if (run.status !== 0) return { looks: [], problem: run.stderr || `exit ${run.status}` };
  const looks = run.stdout.trim().split('\n').map((line) => look(JSON.parse(line)));
  return { looks, problem: null };
}

/* The number of the first step that differs, or -1. */
function firstDifference(machine, events) {
  const theirs = runXState(machine, events);
  const ours = runInterlock(machine, events);
  if (theirs.problem !== null) return { at: -1, refused: true };
  if (ours.problem !== null) return { at: 0, theirs: '', ours: ours.problem };
  const at = theirs.looks.findIndex((text, i) => text !== ours.looks[i]);
  const excuse = at >= 0 ? theirs.excuses[at] : null;
  return { at, excuse, theirs: theirs.looks[at], ours: ours.looks[at] };
}

function differs(machine, events) {
  try {
    const result = firstDifference(machine, events);
    return result.at >= 0 && result.excuse === null;
  } catch {
    return false;
  }
}

/* Takes away whatever can go while the two still differ. */
function shrink(machine, events) {
  const attempt = (list, i) => {
    const [gone] = list.splice(i, 1);
    if (differs(machine, events)) return true;
    list.splice(i, 0, gone);
    return false;
  };
  for (let again = true; again; ) {
    again = false;
    for (let i = events.length; i-- > 0; ) again = attempt(events, i) || again;
    walk(machine.root, (state) => {
      for (const list of [state.transitions, state.entry, state.exit, state.tags])
        for (let i = list?.length ?? 0; i-- > 0; ) again = attempt(list, i) || again;
      for (const transition of state.transitions ?? []) {
        for (let i = transition.actions?.length ?? 0; i-- > 0; )
          if (!transition.actions[i].burn) again = attempt(transition.actions, i) || again;
        const keys = transition.actions?.some((action) => action.burn) ? ['reenter'] : ['guard', 'reenter'];
        for (const key of keys) {
          const kept = transition[key];
          if (kept === undefined) continue;
          delete transition[key];
          if (differs(machine, events)) again = true;
          else transition[key] = kept;
        }
      }
    });
  }
}

function main() {
  const machines = Number(machinesText);
  const seed = Number(seedText ?? 1);
  let different = 0;
  let refused = 0;
  const excused = { order: 0, timer: 0 };
  if (xstate === null) {
    console.log(`1..0 # SKIP there is no package xstate in ${packages}`);
    return 0;
  }
  for (let i = 0; i < machines && different < 3; i++) {
    const events = makeEvents(seed + i);
    const machine = makeMachine(seed + i);
    const result = firstDifference(machine, events);
    refused += result.refused ? 1 : 0;
    if (result.at >= 0 && result.excuse !== null) excused[result.excuse]++;
    if (result.at < 0 || result.excuse !== null) continue;
    different++;
    shrink(machine, events);
    const least = firstDifference(machine, events);
    console.log(`# seed ${seed + i}, step ${least.at}`);
    console.log('# machine ' + JSON.stringify(writeState(machine.root, forInterlock, true)));
    console.log('# events  ' + JSON.stringify(events));
    console.log('# xstate    ' + least.theirs);
    console.log('# interlock ' + least.ours);
  }
  console.log('1..1');
  console.log(`${different === 0 ? 'ok' : 'not ok'} 1 - ${machines} machines x ${EVENTS} events,` +
    ` ${different} differ, ${excused.order} by XState's order of entry,` +
    ` ${excused.timer} by timers that it forgets, ${refused} were stopped by it`);
  return different === 0 ? 0 : 1;
}

const status = main();
rmSync(folder, { recursive: true, force: true });
process.exit(status);
